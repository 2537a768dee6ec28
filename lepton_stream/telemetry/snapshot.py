"""What a worker tells of itself, about once a second: small, complete, of one moment."""

from __future__ import annotations

import msgspec

from lepton_stream.account import AccountData
from lepton_stream.compiled.switch import current
from lepton_stream.telemetry.meter import Labels, Samples

PORTABLE, COMPILED = "portable", "compiled"


def path_now() -> str:
    """Which path of the code runs in this process."""
    return PORTABLE if current() is None else COMPILED


class Kept(msgspec.Struct, frozen=True):
    """What a shuffle partition's checkpoint `number` holds for good.

    `accounts` by (topic, partition) of the source, `results` by window section, `scored` records and `events` by model.
    All are functions of the log: the higher number is the newer truth, whoever tells it.
    """

    number: int
    accounts: dict[Labels, AccountData]
    results: dict[str, int]
    scored: dict[str, int] = {}
    events: dict[str, int] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`joined`: the group has assigned partitions (perhaps none). `restoring`: those that are not restored yet.

    `kept` by shuffle partition, of those that the worker owns. `may_wait`: it may be silent for long without being
    stuck, as a run over files is that waits for its input. `path`: of the code that runs, compiled or portable.
    """

    joined: bool
    may_wait: bool = False
    path: str = PORTABLE
    restoring: tuple[str, ...] = ()
    kept: dict[int, Kept] = {}
    gauges: Samples = {}
    counters: Samples = {}
    histograms: dict[str, dict[Labels, tuple[list[int], float]]] = {}


def pack(snapshot: Snapshot) -> bytes:
    """As bytes for a pipe."""
    return msgspec.msgpack.encode(snapshot)


def unpack(data: bytes) -> Snapshot:
    """What `pack` was given. Raises msgspec.MsgspecError for anything else."""
    return msgspec.msgpack.decode(data, type=Snapshot)
