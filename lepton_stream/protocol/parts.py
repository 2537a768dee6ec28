"""Checkpoints in the state log: each is a run of parts, and each names the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lepton_stream import wire
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.ports import Record

NO_VALUE = -1


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as it is stored: the state's delta and what was published with it."""

    delta: bytes
    outputs: tuple[Record, ...]


def parts_of(stored: Stored, incarnation: str, number: int, before: Pointer, most: int) -> list[bytes]:
    """The parts to append, of at most `most` bytes.

    `before`: the pointer to the checkpoint before. Its base is told too: should the group's commits be lost, it says
    from where the state can be put together.
    """
    payload = np.frombuffer(_pack(stored), np.uint8)
    pieces = [payload[at : at + most] for at in range(0, max(len(payload), 1), most)]
    told = {"number": number, "of": len(pieces), "previous": before.first, "base": before.base}
    head = {"kind": "part", "incarnation": incarnation, **told}
    return [wire.dump({**head, "part": i}, {"piece": piece}) for i, piece in enumerate(pieces)]


def _pack(stored: Stored) -> bytes:
    keys = [r.key for r in stored.outputs]
    values = [r.value for r in stored.outputs]
    arrays: wire.Arrays = {
        "delta": np.frombuffer(stored.delta, np.uint8),
        "keys": np.frombuffer(b"".join(keys), np.uint8),
        "key_length": np.fromiter(map(len, keys), np.int64, len(keys)),
        "values": np.frombuffer(b"".join(v or b"" for v in values), np.uint8),
        "value_length": np.fromiter((NO_VALUE if v is None else len(v) for v in values), np.int64, len(values)),
    }
    events = np.fromiter((r.event for r in stored.outputs), np.bool_, len(stored.outputs))
    if events.any():
        arrays["event"] = events
    return wire.dump({"kind": "checkpoint"}, arrays)


def _unpack(payload: bytes) -> Stored:
    _, arrays = wire.load(payload)
    keys = _cut(arrays["keys"].tobytes(), arrays["key_length"].tolist())
    values = _cut(arrays["values"].tobytes(), arrays["value_length"].tolist())
    events = arrays["event"].tolist() if "event" in arrays else [False] * len(keys)
    outputs = tuple(Record(key or b"", value, event) for key, value, event in zip(keys, values, events, strict=True))
    return Stored(arrays["delta"].tobytes(), outputs)


def _cut(data: bytes, lengths: list[int]) -> list[bytes | None]:
    out: list[bytes | None] = []
    at = 0
    for length in lengths:
        out.append(None if length == NO_VALUE else data[at : at + length])
        at += max(length, 0)
    return out


def chain(records: Sequence[tuple[int, bytes]], first: int, base: int, where: str) -> list[Stored]:
    """The checkpoints from `base` to the one that begins at `first`, oldest first.

    Follows `previous` from the pointer's checkpoint back; parts that no chain names (a zombie's) are left aside.
    Raises IntegrityError where a part is missing or damaged.
    """
    with wire.read_as(where):
        return _chain(records, first, base, where)


def _chain(records: Sequence[tuple[int, bytes]], first: int, base: int, where: str) -> list[Stored]:
    loaded = {offset: wire.load(data) for offset, data in records}
    out: list[Stored] = []
    at = first
    while True:
        if at not in loaded:
            raise IntegrityError(
                f"{where}: the state log has no part at offset {at}; it was trimmed or recreated; {wire.FOREIGN}"
            )
        out.append(_unpack(_whole(loaded, at, where)))
        if at <= base:
            return out[::-1]
        at = int(loaded[at][0]["previous"])


def _whole(loaded: dict[int, tuple[dict[str, Any], wire.Arrays]], first: int, where: str) -> bytes:
    head = loaded[first][0]
    same = ("incarnation", "number", "of", "previous")
    pieces = {
        meta["part"]: arrays["piece"].tobytes()
        for offset, (meta, arrays) in loaded.items()
        if offset >= first and all(meta[name] == head[name] for name in same)
    }
    if len(pieces) != head["of"]:
        raise IntegrityError(f"{where}: checkpoint {head['number']} has {len(pieces)} of its {head['of']} parts")
    return b"".join(pieces[i] for i in range(head["of"]))
