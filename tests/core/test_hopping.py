"""Hopping windows: what a plain reading of the definition gives, however the records are cut, ordered and routed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.core import PartitionState, Slice, SourceState, apply, checkpoint, durable_checkpoint, fold, prepare
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Plan
from tests.core.streams import Manner, carry_out, chunk, new_job, plainly, rows_of
from tests.core.test_fold import Merge

SECOND = 1_000_000
RESULTS = {
    "n": "count()",
    "there": "count(value)",
    "sum": "sum(value)",
    "least": "min(value)",
    "most": "max(value)",
    "first": "first(value)",
    "last": "last(value)",
    "middle": "median(value)",
    "different": "distinct(value)",
}
MANNERS = st.builds(Manner, st.randoms(use_true_random=False), partitions=st.integers(1, 4))
Event = tuple[int, str, float | None]
"""Quarters of a second, device, value."""
EVENTS = st.tuples(st.integers(-40, 160), st.sampled_from(["a", "b", "ß"]), st.none() | st.integers(-9, 9).map(float))
SOURCES = st.lists(st.lists(EVENTS, max_size=30), min_size=1, max_size=3)


@dataclass(frozen=True)
class Shape:
    """Seconds, all of them."""

    every: int
    overlap: int
    offset: int
    lateness: int

    @property
    def size(self) -> int:
        return self.every * self.overlap

    def plan(self, **more: Any) -> Plan:
        """One section of hopping windows."""
        return (
            base()
            .window(
                "w",
                kind="hopping",
                size=f"{self.size}s",
                every=f"{self.every}s",
                offset=f"{self.offset}s",
                lateness=f"{self.lateness}s",
                results=RESULTS,
                **more,
            )
            .plan
        )

    def tumbling(self, place: int) -> Plan:
        """Every overlap-th of the windows: they follow each other without overlap."""
        offset = (self.offset + place * self.every) % self.size
        window = base().window(
            "w", size=f"{self.size}s", offset=f"{offset}s", lateness=f"{self.lateness}s", results=RESULTS
        )
        return window.plan


def base() -> Pipeline:
    return (
        Pipeline("hops")
        .source("streams.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float", required=False)
    )


SHAPES = st.integers(1, 7).flatmap(
    lambda every: st.builds(Shape, st.just(every), st.integers(1, 6), st.integers(0, every - 1), st.integers(0, 12))
)


def raw(event: Event) -> bytes:
    quarters, device, value = event
    return orjson.dumps({"t": quarters / 4, "device": device, "value": value})


def records(sources: list[list[Event]]) -> list[list[bytes | None]]:
    return [[raw(event) for event in events] for events in sources]


Kept = list[tuple[int, int, int, float | None]]
"""Time, source, place and value of each record of a window."""


def reference(sources: list[list[Event]], shape: Shape) -> tuple[list[dict[str, Any]], int]:
    """(rows, how many records were late): record by record, window by window."""
    kept: dict[tuple[int, str], Kept] = {}
    late = 0
    for s, events in enumerate(sources):
        high: int | None = None
        for place, (quarters, device, value) in enumerate(events):
            time = quarters * SECOND // 4
            before, high = high, time if high is None else max(high, time)
            if before is not None and time < before - shape.lateness * SECOND:
                late += 1
                continue
            start = shape.offset * SECOND - 60 * shape.every * SECOND
            while start <= time:
                if time < start + shape.size * SECOND:
                    kept.setdefault((start, device), []).append((time, s, place, value))
                start += shape.every * SECOND
    return [figures(start, device, shape, rows) for (start, device), rows in sorted(kept.items())], late


def figures(start: int, device: str, shape: Shape, rows: Kept) -> dict[str, Any]:
    """The result of one window."""
    values = [v for *_, v in sorted(rows, key=lambda r: r[:3]) if v is not None]
    ranked = sorted(values)
    return {
        "device": device,
        "window": "w",
        "window_start": start // 1000,
        "window_end": start // 1000 + shape.size * 1000,
        "n": len(rows),
        "there": len(values),
        "sum": float(sum(map(Fraction, values))) if values else None,
        "least": min(values, default=None),
        "most": max(values, default=None),
        "first": values[0] if values else None,
        "last": values[-1] if values else None,
        "middle": ranked[(len(ranked) - 1) // 2] if ranked else None,
        "different": len(set(values)),
        "final": True,
    }


def final(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The final ones without their version, by start and device."""
    kept = [{k: v for k, v in row.items() if k != "version"} for row in rows if row["final"]]
    return sorted(kept, key=lambda row: (row["window_start"], row["device"]))


@settings(max_examples=120)
@given(SOURCES, SHAPES, MANNERS)
def test_every_figure_is_that_of_the_definition(sources: list[list[Event]], shape: Shape, manner: Manner) -> None:
    found = carry_out(records(sources), manner, shape.plan())
    wanted, late = reference(sources, shape)
    assert final(found.rows) == wanted
    assert sum(account["late"] for account in found.accounts.values()) == late
    assert not any(account["late_by_window"] for account in found.folded.values())


@settings(max_examples=60)
@given(SOURCES, SHAPES, MANNERS)
def test_they_are_all_the_tumbling_windows_of_their_size(
    sources: list[list[Event]], shape: Shape, manner: Manner
) -> None:
    found = carry_out(records(sources), manner, shape.plan())
    apart = [row for place in range(shape.overlap) for row in plainly(records(sources), shape.tumbling(place)).rows]
    assert final(found.rows) == final(apart)


@settings(max_examples=40)
@given(SOURCES, SHAPES, MANNERS)
def test_cuts_routes_and_partitions_change_nothing(sources: list[list[Event]], shape: Shape, manner: Manner) -> None:
    plan = shape.plan(emit="updates")
    assert carry_out(records(sources), manner, plan).same() == plainly(records(sources), plan).same()


@settings(max_examples=40)
@given(st.lists(EVENTS, min_size=1, max_size=40), SHAPES, st.randoms(use_true_random=False))
def test_a_state_put_together_from_deltas_goes_on_as_if_nothing_had_been(
    events: list[Event], shape: Shape, draw: random.Random
) -> None:
    job = new_job(shape.plan())
    source, state = SourceState(job), PartitionState.empty(job, {0: 0})
    rows: list[dict[str, Any]] = []
    deltas: list[bytes] = []
    place = 0
    while place < len(events):
        part = [raw(event) for event in events[place : place + draw.randint(1, 6)]]
        fold(job, state, prepare(job, source, chunk(0, part, place)).frames[0])
        place += len(part)
        done = durable_checkpoint(job, state, Slice(len(deltas) % 2, 2))
        deltas.append(done.delta)
        rows += rows_of(done.results)
        if draw.random() < 0.5:
            state = PartitionState.empty(job, {0: 0})
            for delta in deltas:
                apply(job, state, delta)
    state.progress[0].ended = True
    rows += rows_of(checkpoint(state).results)
    assert final(rows) == reference([events], shape)[0]


def merge(**more: Any) -> Merge:
    """Windows of 30 s every 10 s, no lateness."""
    return Merge(Shape(10, 3, 0, 0).plan(**more))


def one(t: float, value: float = 1.0) -> bytes:
    return orjson.dumps({"t": t, "device": "a", "value": value})


def told(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """(start in seconds, n) of each row."""
    return [(row["window_start"] // 1000, row["n"]) for row in rows]


def test_a_record_lies_in_each_window_that_covers_it_and_one_on_the_edge_in_the_later_ones() -> None:
    m = merge()
    m.fold(m.frame(one(30), one(39.999999)))
    m.fold(m.beat(2, ended=True))
    assert told(m.results()) == [(10, 2), (20, 2), (30, 2)]


def test_windows_close_one_after_the_other_as_the_watermark_passes_their_ends() -> None:
    m = merge()
    m.fold(m.frame(one(5)))
    assert m.results() == []
    m.fold(m.frame(one(10)))
    assert told(m.results()) == [(-20, 1)]
    m.fold(m.frame(one(29.999999)))
    assert told(m.results()) == [(-10, 2)]
    m.fold(m.frame(one(30)))
    assert told(m.results()) == [(0, 3)]


def test_a_record_after_idleness_enters_the_windows_that_are_open_and_counts_as_late_once() -> None:
    m = merge()
    m.fold(m.frame(one(5)))
    m.fold(m.beat(1, idle_s=21))
    assert told(m.results()) == [(-20, 1), (-10, 1)]
    m.fold(m.frame(one(6), one(15), one(25)))
    assert m.state.account[0].late_by_window == {"w": 2}
    m.fold(m.beat(5, ended=True))
    assert told(m.results()) == [(0, 4), (10, 2), (20, 1)]
    assert m.state.account[0].accepted == 4


def test_a_record_that_is_late_for_all_its_windows_enters_none() -> None:
    m = merge()
    m.fold(m.frame(one(5)))
    m.fold(m.beat(1, idle_s=40))
    assert told(m.results()) == [(-20, 1), (-10, 1), (0, 1)]
    m.fold(m.frame(one(6)))
    m.fold(m.beat(2, ended=True))
    assert m.results() == []
    assert m.state.account[0].late_by_window == {"w": 1}


def test_within_the_grace_each_closed_window_is_revised() -> None:
    m = merge(grace="1m")
    m.fold(m.frame(one(5)))
    m.fold(m.beat(1, idle_s=21))
    first = m.results()
    m.fold(m.frame(one(6)))
    again = m.results()
    assert told(first) == [(-20, 1), (-10, 1)]
    assert told(again) == [(-20, 2), (-10, 2)]
    assert all(row["final"] for row in (*first, *again))
    assert first[0]["version"] < again[0]["version"]
    assert m.state.account[0].late_by_window == {}


def test_updates_tell_every_window_that_changed() -> None:
    m = merge(emit="updates")
    m.fold(m.frame(one(35)))
    assert told(m.results()) == [(10, 1), (20, 1), (30, 1)]
    m.fold(m.frame(one(41)))
    assert sorted((row["window_start"] // 1000, row["n"], row["final"]) for row in m.results()) == [
        (10, 1, True),
        (20, 2, False),
        (30, 2, False),
        (40, 1, False),
    ]


@pytest.mark.parametrize("every_us", [None, 10_000_000])
def test_a_step_of_the_size_is_a_tumbling_window(every_us: int | None) -> None:
    plan = Shape(10, 1, 0, 3).plan()
    window = replace(plan.windows[0], every_us=every_us, kind="tumbling" if every_us is None else "hopping")
    draw = random.Random(4)
    events: list[Event] = [(i // 2 - draw.randrange(8), draw.choice("ab"), float(i % 7)) for i in range(200)]
    found = carry_out(records([events]), Manner(random.Random(2)), replace(plan, windows=(window,)))
    assert final(found.rows) == reference([events], Shape(10, 1, 0, 3))[0]
