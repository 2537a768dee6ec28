"""A frame: what prepare sends to one shuffle partition about one range of one source partition."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NotRequired, TypedDict

import numpy as np

from lepton_stream import wire
from lepton_stream.account import Account, AccountData
from lepton_stream.columns import Columns, Index, take_all
from lepton_stream.errors import IntegrityError
from lepton_stream.kernels import kernel as kernels
from lepton_stream.kernels.kernel import State
from lepton_stream.windows.section import Section
from lepton_stream.windows.watermark import NEVER


@dataclass(frozen=True, slots=True, eq=False)
class RowsPart:
    """Rows of one window section: group fields and the fields its kernels read, event time, offset. n long."""

    columns: Columns
    time: Index
    offset: Index

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Index) -> RowsPart:
        """These rows."""
        return RowsPart(take_all(self.columns, rows), self.time[rows], self.offset[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PartialsPart:
    """Pre-aggregated cells of one window section: group fields, window number, rows that went in, states. m long.

    `states`: by kernel key.
    """

    group: Columns
    window: Index
    rows: Index
    states: dict[str, State]

    def __len__(self) -> int:
        return len(self.window)

    def take(self, cells: Index) -> PartialsPart:
        """These cells."""
        states = {key: kernels.take(state, cells) for key, state in self.states.items()}
        return PartialsPart(take_all(self.group, cells), self.window[cells], self.rows[cells], states)


Part = RowsPart | PartialsPart


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Range [start, end) of source partition `source`, as far as it concerns one shuffle partition.

    `high`: highest event time up to `end`; `idle`: up to where time has passed without records; `ended`: there is
    nothing behind `end`. `parts`: pairs of (section number, part). `account`: of the whole range, in one frame of it.
    `era`: the number of the run that sends it; a later run has a higher one. A frame with start == end is a heartbeat.
    """

    plan: str
    source: int
    start: int
    end: int
    high: int
    idle: int = NEVER
    ended: bool = False
    parts: tuple[tuple[int, Part], ...] = ()
    account: Account | None = None
    era: int = 0


_Described = tuple[int, Literal["rows", "partials"], list[tuple[str, list[str]]]]


class _Meta(TypedDict):
    """The header of a frame. A part: section number, kind, names of its columns, then of each state's arrays."""

    kind: Literal["frame"]
    plan: str
    source: int
    range: tuple[int, int]
    high: int
    idle: int
    ended: bool
    parts: list[_Described]
    account: AccountData | None
    era: NotRequired[int]


def encode(frame: Frame) -> bytes:
    """Versioned bytes, see `wire`."""
    arrays: wire.Arrays = {}
    described: list[_Described] = []
    for i, (number, part) in enumerate(frame.parts):
        if isinstance(part, RowsPart):
            described.append((number, "rows", [("", list(part.columns))]))
            arrays[f"{i}/time"], arrays[f"{i}/offset"] = part.time, part.offset
            wire.put_columns(arrays, f"{i}/c", part.columns)
        else:
            states = [(key, list(state)) for key, state in part.states.items()]
            described.append((number, "partials", [("", list(part.group)), *states]))
            arrays[f"{i}/window"], arrays[f"{i}/rows"] = part.window, part.rows
            wire.put_columns(arrays, f"{i}/c", part.group)
            put_states(arrays, f"{i}/s", part.states)
    meta: _Meta = {
        "kind": "frame",
        "plan": frame.plan,
        "source": frame.source,
        "range": (frame.start, frame.end),
        "high": frame.high,
        "idle": frame.idle,
        "ended": frame.ended,
        "parts": described,
        "account": frame.account.to_dict() if frame.account else None,
        "era": frame.era,
    }
    return wire.dump(meta, arrays)


def decode(data: bytes) -> Frame:
    """What `encode` wrote. Raises IntegrityError for anything else."""
    meta, arrays = wire.load(data, _Meta)
    start, end = meta["range"]
    if start > end:
        raise IntegrityError(f"frame of range [{start}, {end}): it ends before it begins; {wire.FOREIGN}")
    try:
        parts = tuple((part[0], _decode_part(arrays, i, part)) for i, part in enumerate(meta["parts"]))
    except (KeyError, ValueError) as error:
        raise IntegrityError(f"frame: the header does not fit its arrays ({error}); {wire.FOREIGN}") from error
    account = None if meta["account"] is None else Account.from_dict(meta["account"])
    told = meta["high"], meta["idle"], meta["ended"]
    return Frame(meta["plan"], meta["source"], start, end, *told, parts, account, meta.get("era", 0))


def _decode_part(arrays: wire.Arrays, i: int, described: _Described) -> Part:
    number, kind, [(_, names), *states] = described
    if number < 0:
        raise ValueError(f"section {number}")
    columns = wire.get_columns(arrays, f"{i}/c", tuple(names))
    if kind == "rows":
        rows = RowsPart(columns, arrays[f"{i}/time"], arrays[f"{i}/offset"])
        _check_shape([rows.time, rows.offset], columns.values())
        return rows
    held = get_states(arrays, f"{i}/s", states)
    cells = PartialsPart(columns, arrays[f"{i}/window"], arrays[f"{i}/rows"], held)
    _check_shape([cells.window, cells.rows], columns.values())
    for state in held.values():
        kernels.check(state, len(cells))
    return cells


def _check_shape(indexes: list[Index], others: Iterable[Sized]) -> None:
    if any(a.dtype != np.int64 for a in indexes) or len({len(a) for a in (*indexes, *others)}) != 1:
        raise ValueError("a part's columns differ in length, or its positions are no integers")


def put_states(arrays: wire.Arrays, prefix: str, states: dict[str, State]) -> None:
    """Add states under `prefix/kernel key/array name`."""
    for key, state in states.items():
        for name, array in state.items():
            arrays[f"{prefix}/{key}/{name}"] = array


def get_states(arrays: wire.Arrays, prefix: str, described: list[tuple[str, list[str]]]) -> dict[str, State]:
    """The states that `put_states` added."""
    return {key: {name: arrays[f"{prefix}/{key}/{name}"] for name in names} for key, names in described}


def split(part: Part, target: Index, partitions: int) -> list[Part]:
    """One part a shuffle partition; `target`: each row's or cell's. Order within a target is kept."""
    if partitions == 1:
        return [part]
    order = np.argsort(target, kind="stable")
    cuts = np.searchsorted(target[order], np.arange(partitions + 1))
    return [part.take(order[a:b]) for a, b in pairwise(cuts)]


def section_fields(section: Section) -> tuple[str, ...]:
    """The fields that rows of a section must carry: group fields and what its kernels read."""
    return tuple(dict.fromkeys((*section.window.group_by, *section.fields)))
