"""Is the promise kept? Results, accounts, dead letters and late records against the truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import isclose
from typing import Any

import numpy as np

from lepton_stream.account import Account
from lepton_stream.columns import Index, listed, to_list
from lepton_stream.core import PartitionState, apply
from lepton_stream.protocol.metadata import claim_of
from lepton_stream.protocol.parts import chain
from lepton_stream.windows.table import Table
from lepton_stream.windows.watermark import NEVER
from tests.models.slow import ewma, scores
from tests.models.slow_alarm import Rule, turns
from tests.protocol.lives import Stage
from tests.protocol.truth import Cell, Truth, truth_of
from tests.protocol.world import Violation, World

FIGURES = ("n", "total", "last")


def judge(stage: Stage) -> None:
    """Raises Violation."""
    w = stage.world
    ends = [_end(w, s) if stage.until_end else len(w.logs[s]) for s in range(len(w.logs))]
    truth = truth_of(stage.jobs[0].plan, w.logs, ends)
    _accounts(stage, truth)
    _letters(w, truth)
    _rebuilt(stage)
    found = _results(w)
    if stage.rash:
        _conservation(stage, found, truth)
    else:
        _figures(found, truth)
        _completeness(stage, found, truth)
        _events(stage, truth)


def _events(stage: Stage, truth: Truth) -> None:
    """Every event is the score or turn of a plain loop, and those that the watermark has passed are all there."""
    told = {place: json.loads(value) for place, (_, value) in stage.world.events.items()}
    least, _ = _watermarks(stage, truth)
    for model in stage.jobs[0].plan.models:
        weight = float(model.score.args[1])
        wanted = scores(truth.scored.get(model.name, []), ewma(weight), model.warmup, forget_us=model.forget_us)
        for one in wanted:
            row = told.pop((model.name, one.row.source, one.row.offset), None)
            if row is None and (stage.until_end or one.row.time_us < least - model.lateness_us):
                raise Violation(f"no event for {one}, watermark {least}")
            if row is not None and (row["seen"] != one.row.value or not isclose(row["score"], one.score, rel_tol=1e-9)):
                raise Violation(f"{one}: {row}")
            stage.world.met["event"] += row is not None
    for alarm in stage.jobs[0].plan.alarms:
        rule = Rule(alarm.side, alarm.threshold, alarm.back, alarm.open_after_us, alarm.open_values)
        rule = replace(rule, close_after=alarm.close_after_us, close_values=alarm.close_values)
        for turn in turns(truth.scored.get(alarm.name, []), rule, NEVER):
            row = told.pop((alarm.name, turn["source_partition"], turn["source_offset"]), None)
            if row is None and (stage.until_end or turn["event_time"] * 1000 < least - alarm.lateness_us):
                raise Violation(f"no event for {turn}, watermark {least}")
            if row is not None and any(row[name] != value for name, value in turn.items() if name != "device"):
                raise Violation(f"{turn}: {row}")
            stage.world.met["turn of an alarm"] += row is not None
    if told:
        raise Violation(f"events that nothing was scored for: {told}")


def _end(w: World, s: int) -> int:
    if len(w.ends[s]) != 1:
        raise Violation(f"s{s}: the end moved: {w.ends[s]}")
    [end] = w.ends[s]
    if end is None:
        raise Violation(f"s{s} has no end")
    return end


def _accounts(stage: Stage, truth: Truth) -> None:
    for s, wanted in enumerate(truth.verdicts):
        have = Account()
        for merger in stage.mergers.values():
            have.add(merger.account.get(s, Account()))
        told = (have.read, have.accepted, have.duplicate, have.late, have.dead_lettered.total(), +have.late_by_window)
        due = (wanted.read, wanted.accepted, wanted.duplicate, len(wanted.late), len(wanted.dead))
        left_out = wanted.late_by_window == +have.late_by_window or stage.rash
        if told[:5] != due or not left_out or not have.balanced:
            raise Violation(f"account of s{s}: {told}, truth {(*due, wanted.late_by_window)}")


def _letters(w: World, truth: Truth) -> None:
    dead = {(s, o) for s, v in enumerate(truth.verdicts) for o in v.dead}
    late = {(s, o) for s, v in enumerate(truth.verdicts) for o in v.late}
    if w.dead.keys() != dead or w.late != late:
        raise Violation(f"dead letters {sorted(w.dead)}, truth {sorted(dead)}; late {sorted(w.late)}, {sorted(late)}")


def _rebuilt(stage: Stage) -> None:
    """The state of each owner at rest is what its log holds."""
    w, job = stage.world, stage.jobs[0]
    for p, merger in stage.mergers.items():
        pointer = merger.pointer
        if merger.rests is None or pointer.first < 0:
            continue
        records = list(enumerate(w.state[p]))[max(pointer.base, w.state_start[p]) : pointer.last + 1]
        state = PartitionState.empty(job, {})
        for one in chain(records, pointer.first, pointer.base, "model"):
            apply(job, state, one.delta)
        if _told(state) != _told(merger.state):
            raise Violation(f"p{p}: the log holds {_told(state)}, its owner {_told(merger.state)}")
        w.met["state rebuilt"] += 1


def _told(state: PartitionState) -> tuple[object, ...]:
    """All that a state says, whatever the order of its rows."""
    cells: dict[Cell, tuple[object, ...]] = {}
    for table in state.tables:
        rows = np.flatnonzero(table.held[: table.count])
        read = {name: listed(values) for name, values in table.read(rows).items()}
        for at, cell in enumerate(_cells(table, rows)):
            cells[cell] = (*(values[at] for values in read.values()), bool(table.final[rows[at]]))
    return state.number, state.by_window, state.era, state.progress, state.account, cells, _models(state)


def _models(state: PartitionState) -> list[object]:
    """What models hold: each key with its state, and the rows that wait."""
    told: list[object] = [state.scored, state.events]
    for model in state.models:
        keys, rows = model.keys, np.flatnonzero(model.keys.held[: model.keys.count])
        group = list(zip(*(to_list(c) for c in keys.group(rows).values()), strict=True))
        numbers = [a[rows].tolist() for a in (keys.last, keys.seen, *keys.states.values())]
        waiting = sorted(
            (time, source, offset, *values)
            for piece in model.waiting.whole()
            for time, source, offset, *values in zip(
                piece.time.tolist(), piece.source.tolist(), piece.offset.tolist(),
                *map(to_list, piece.columns.values()), strict=True,
            )
        )  # fmt: skip
        told += [model.closed_to, sorted(zip(group, *numbers, strict=True)), waiting]
    return told


def _results(w: World) -> dict[Cell, dict[str, Any]]:
    """As a reader after compaction has them."""
    found: dict[Cell, dict[str, Any]] = {}
    for p, latest in enumerate(w.latest):
        for key, row in latest.items():
            name, start, *group = json.loads(key)
            if found.setdefault((name, start, tuple(group)), row) is not row:
                raise Violation(f"{key!r} comes from p{p} and another partition")
    return found


def _figures(found: dict[Cell, dict[str, Any]], truth: Truth) -> None:
    for cell, row in found.items():
        if cell not in truth.cells:
            raise Violation(f"a result for {cell}, which nothing was counted for")
        wanted = truth.result(cell)
        if any(row[name] != wanted[name] for name in FIGURES if name in row):
            raise Violation(f"{cell}: {row}, truth {wanted}")


def _conservation(stage: Stage, found: dict[Cell, dict[str, Any]], truth: Truth) -> None:
    """Where windows closed too early, every accepted row is in a result, in an open window, or counted as left out."""
    left_out, rows = Counter[str](), Counter[str]()
    wanted = {window.name: sum(v.accepted for v in truth.verdicts) for window in stage.jobs[0].plan.windows}
    models = {model.name for model in stage.jobs[0].plan.in_order}
    open_cells: set[Cell] = set()
    for merger in stage.mergers.values():
        for account in merger.account.values():
            left_out.update({name: n for name, n in account.late_by_window.items() if name not in models})
        for table in merger.state.tables:
            for cell, n in _open(table):
                open_cells.add(cell)
                rows[cell[0]] += n
    for cell, row in found.items():
        if row["final"] and cell not in open_cells:
            rows[cell[0]] += row["n"]
    if dict(rows + left_out) != {name: n for name, n in wanted.items() if n}:
        raise Violation(f"rows {rows} and left out {left_out}, truth {wanted}")


def _open(table: Table) -> Iterator[tuple[Cell, int]]:
    rows = np.flatnonzero(table.held[: table.count] & ~table.final[: table.count])
    yield from zip(_cells(table, rows), listed(table.read(rows)["n"]), strict=True)


def _cells(table: Table, rows: Index) -> Iterator[Cell]:
    window = table.section.window
    start = ((table.window[rows] * window.size_us + window.offset_us) // 1000).tolist()
    group = zip(*(to_list(c) for c in table.group(rows).values()), strict=True) if window.group_by else [()] * len(rows)
    for at, names in zip(start, group, strict=True):
        yield window.name, at, tuple(names)


def _completeness(stage: Stage, found: dict[Cell, dict[str, Any]], truth: Truth) -> None:
    """Closed windows are final, open ones are not told, or told as open."""
    windows = {w.name: w for w in stage.jobs[0].plan.windows}
    least, most = _watermarks(stage, truth)
    kinds = Counter[str]()
    for cell in truth.cells:
        window = windows[cell[0]]
        end = cell[1] * 1000 + window.size_us
        row = found.get(cell)
        if stage.until_end or end <= least - window.lateness_us:
            kind = "final" if row is not None and row["final"] else "not final"
        elif end > most - window.lateness_us:
            told = row is not None and not row["final"]
            kind = "open" if told == (window.emit == "updates") and (row is None or told) else "not open"
        else:
            kind = "either"
        kinds[kind] += 1
        if kind.startswith("not"):
            raise Violation(f"{cell} is {kind}: {row}, watermark {least} to {most}")


def _watermarks(stage: Stage, truth: Truth) -> tuple[int, int]:
    """By the records alone, and with what was claimed as idle."""
    highs = [NEVER if v.high is None else v.high for v in truth.verdicts]
    idle = [claim_of(stage.world.commits["s", s][1], "model").idle for s in range(len(highs))]
    return min(highs), min(map(max, zip(highs, idle, strict=True)))
