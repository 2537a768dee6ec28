"""Hysteresis: an alarm of a key that opens when values stay beyond a threshold, and closes when they stay back.

Input: values of one field, in its units. A stretch is a run of values of one kind (beyond the threshold, back, or in
between). A stretch beyond that is long enough opens an alarm that is not open; a stretch back that is long enough
closes one that is. Which stretch a value belongs to hangs on values alone, not on whether the alarm is open: so the
last stretch that was long enough says whether it is, and no row need be looked at by itself. State: 58 bytes a key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.columns import Index, Mask
from lepton_stream.models.scorer import Floats, Run, State
from lepton_stream.pipeline.plan import Alarm

BETWEEN, BEYOND, BACK = 0, 1, 2
"""Kinds of a value, and of a stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """n turns of alarms. `row`: the row of a run that made the turn.

    `value`, `time`, `source`, `offset`: of the value that is told: that of the row, or, where the key was silent before
    it, the one before. `since`: when the first value of what opened the alarm was; `worst`: the value furthest beyond
    since then. `until`, `values`: of the stretch that made the turn, when its first value was and how many there were.
    """

    row: Index
    value: Floats
    time: Index
    source: Index
    offset: Index
    since: Index
    worst: Floats
    until: Index
    values: Index

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """Of each row: where the stretch it belongs to begins in the run, whether it began before the run, since when.

    `count`: values of the stretch up to the row. `segment`: the row from which on something counts, which is the first
    of its key or one where the key begins anew.
    """

    kind: Index
    start: Index
    carried: Mask
    since: Index
    count: Index
    segment: Index


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """The rule of one alarm. Inside, values are turned so that more is worse."""

    alarm: Alarm

    @property
    def sign(self) -> float:
        """What turns a value."""
        return 1.0 if self.alarm.side == "above" else -1.0

    def empty(self, keys: int) -> State:
        """`kind`, `count`, `since`: of the stretch that goes on. `open`, `opened`: since when. `worst`: turned.

        `value`, `source`, `offset`: of the last value.
        """
        state: State = {name: np.zeros(keys, np.int64) for name in ("count", "since", "opened", "source", "offset")}
        state |= {name: np.zeros(keys) for name in ("worst", "value")}
        return {**state, "kind": np.zeros(keys, np.uint8), "open": np.zeros(keys, np.bool_)}

    def turns(self, state: State, run: Run, source: Index, offset: Index, last: Index) -> tuple[Turns, Turns, Turns]:
        """(alarms that open, that close, whose key was silent); the state is moved on by all rows.

        `last` int64[m]: event time of each key's last value before the run.
        """
        held = {name: array[run.key] for name, array in state.items()}
        worse = run.value * self.sign
        found = self._stretches(held, run, worse)
        opens, closes = self._long_enough(found, run)
        before, after = _open(held, run, found, opens, closes)
        story = _Story(held, run, worse, found, opens & ~before)
        opened = self._told(story, np.flatnonzero(opens & ~before), source, offset)
        closed = self._told(story, np.flatnonzero(closes & before), source, offset)
        silent = self._silent(story, after, source, offset, last)
        ends = run.start + run.count - 1
        is_open = after[ends]
        since, worst = story.of(ends, is_open)
        running = is_open | (found.kind[ends] == BEYOND)
        new: dict[str, object] = {"kind": found.kind[ends], "count": found.count[ends], "since": found.since[ends]}
        new |= {"open": is_open, "opened": np.where(is_open, since, 0), "worst": np.where(running, worst, 0.0)}
        new |= {"value": run.value[ends], "source": source[ends], "offset": offset[ends]}
        for name, values in new.items():
            state[name][run.key] = values
        return opened, closed, silent

    def _stretches(self, held: State, run: Run, worse: Floats) -> _Stretches:
        place, first = np.arange(len(worse)), run.start
        beyond, back = worse > self.sign * self.alarm.threshold, worse <= self.sign * self.alarm.back
        kind = np.where(beyond, BEYOND, np.where(back, BACK, BETWEEN))
        begins = run.anew.copy()
        begins[first] = True
        new = begins.copy()
        new[1:] |= kind[1:] != kind[:-1]
        start = np.maximum.accumulate(np.where(new, place, 0))
        goes_on = np.zeros(len(worse), np.bool_)
        goes_on[first] = ~run.anew[first] & (kind[first] == held["kind"])
        carried = goes_on[start]
        since = np.where(carried, held["since"][run.owner], run.time[start])
        count = place - start + 1 + np.where(carried, held["count"][run.owner], 0)
        return _Stretches(kind, start, carried, since, count, np.maximum.accumulate(np.where(begins, place, 0)))

    def _long_enough(self, found: _Stretches, run: Run) -> tuple[Mask, Mask]:
        lasted, alarm = run.time - found.since, self.alarm
        opens = (found.kind == BEYOND) & (found.count >= alarm.open_values) & (lasted >= alarm.open_after_us)
        closes = (found.kind == BACK) & (found.count >= alarm.close_values) & (lasted >= alarm.close_after_us)
        return opens, closes

    def _told(self, story: _Story, row: Index, source: Index, offset: Index) -> Turns:
        run, found = story.run, story.found
        since, worst = story.of(row, np.ones(len(row), np.bool_))
        place = run.value[row], run.time[row], source[row], offset[row]
        return Turns(row, *place, since, worst * self.sign + 0.0, found.since[row], found.count[row])

    def _silent(self, story: _Story, after: Mask, source: Index, offset: Index, last: Index) -> Turns:
        """Alarms that were open when their key fell silent: at the row that comes after the silence."""
        run, held = story.run, story.held
        anew = np.flatnonzero(run.anew)
        owner = run.owner[anew]
        first = run.start[owner] == anew
        row = np.maximum(anew - 1, 0)
        was = np.where(first, held["open"][owner], after[row])
        row, owner, first, anew = row[was], owner[was], first[was], anew[was]
        since, worst = story.of(row, ~first)
        columns = {"value": run.value, "source": source, "offset": offset}
        told = {name: np.where(first, held[name][owner], values[row]) for name, values in columns.items()}
        time = np.where(first, last[owner], run.time[row])
        since, worst = np.where(first, held["opened"][owner], since), np.where(first, held["worst"][owner], worst)
        none = np.zeros(len(row), np.int64)
        place = told["value"], time, told["source"], told["offset"]
        return Turns(anew, *place, since, worst * self.sign + 0.0, time, none)


def _open(held: State, run: Run, found: _Stretches, opens: Mask, closes: Mask) -> tuple[Mask, Mask]:
    """Whether the alarm is open before each row, and after it: as the last stretch that was long enough says."""
    place = np.arange(len(opens))
    said = np.maximum.accumulate(np.where(opens | closes, place, -1))
    first = run.start[run.owner]
    initial = held["open"][run.owner] & (found.segment == first) & ~run.anew[first]
    after = np.where(said >= found.segment, opens[said], initial)
    before = np.where(place == found.segment, initial, np.concatenate([after[:1], after[:-1]]))
    return before, after


class _Story:
    """Since when an alarm has been told of, and how bad it was."""

    def __init__(self, held: State, run: Run, worse: Floats, found: _Stretches, opened: Mask) -> None:
        self.held, self.run, self.found = held, run, found
        self._worse = np.append(worse, -np.inf)
        self._opened = np.maximum.accumulate(np.where(opened, np.arange(len(worse)), -1))

    def of(self, row: Index, alarm: Mask) -> tuple[Index, Floats]:
        """(since, the worst value since then, turned) of rows in ascending order.

        `alarm`: an alarm is open at the row, or was until it; of the others it is the row's stretch that is told.
        """
        found, owner = self.found, self.run.owner[row]
        opened = self._opened[row]
        here = alarm & (opened >= found.segment[row])  # opened in this run, else it was open before
        before = alarm & ~here
        of = np.where(here, opened, row)
        start = np.where(before, found.segment[row], found.start[of])
        since = np.where(before, self.held["opened"][owner], found.since[of])
        worst = self._worst(start, row)
        return since, np.where(before | found.carried[of], np.maximum(worst, self.held["worst"][owner]), worst)

    def _worst(self, start: Index, end: Index) -> Floats:
        """The largest value of the rows from `start` to `end`, both among them."""
        if not len(start):
            return np.zeros(0)
        edges = np.empty(2 * len(start), np.int64)
        edges[0::2], edges[1::2] = start, end + 1
        return np.maximum.reduceat(self._worse, edges)[::2]
