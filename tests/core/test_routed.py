"""Routes: what `mixed` sends as rows and what as partials, what is seen of it, and that routes may change any time."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.columns import to_list
from lepton_stream.core import PartitionState, Route, SectionSeen, SourceState, checkpoint, fold, heartbeat, prepare
from lepton_stream.shuffle.frame import Frame, PartialsPart, RowsPart, decode, encode
from tests.core.streams import PLAN, ROUTES, chunk, new_job, record, rows_of

SECTIONS = [w.name for w in PLAN.windows]

DEVICES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abcd"), st.booleans()), min_size=1, max_size=30)


def records(drawn: list[tuple[int, str, bool]]) -> list[bytes]:
    """None of them a duplicate or late."""
    return [
        record(1000 + t, device=device, number=i, value=i, seq=i, ok=ok)
        for i, (t, device, ok) in enumerate(sorted(drawn))
    ]


def frames_of(
    values: list[bytes], routes: list[Route], partitions: int = 2
) -> tuple[list[Frame], tuple[SectionSeen, ...]]:
    job = new_job(partitions=partitions)
    made = prepare(job, SourceState(job), chunk(0, values), routes=routes)
    return [decode(encode(frame)) for frame in made.frames], made.seen


def cells_of(drawn: list[tuple[int, str, bool]]) -> Counter[tuple[str, bool, int]]:
    """Of the section `seven`, by its definition: how many rows each has."""
    return Counter((device, ok, (1000 + t - 2) // 7) for t, device, ok in drawn)


@given(DEVICES)
def test_mixed_sends_rows_of_lonely_cells_and_partials_of_the_others(drawn: list[tuple[int, str, bool]]) -> None:
    frames, seen = frames_of(records(drawn), ["mixed"] * 3)
    wanted = cells_of(drawn)
    parts = [part for frame in frames for number, part in frame.parts if number == SECTIONS.index("seven")]
    partials = [part for part in parts if isinstance(part, PartialsPart)]
    lonely = [part for part in parts if isinstance(part, RowsPart)]
    in_partials: dict[tuple[object, ...], int] = {}
    for some in partials:
        cells = zip(to_list(some.group["device"]), to_list(some.group["ok"]), some.window.tolist(), strict=True)
        in_partials |= dict(zip(cells, some.rows.tolist(), strict=True))
    as_rows = Counter[tuple[object, ...]]()
    for few in lonely:
        numbers = ((few.time // 1_000_000 - 2) // 7).tolist()
        as_rows.update(zip(to_list(few.columns["device"]), to_list(few.columns["ok"]), numbers, strict=True))
    assert in_partials == {cell: rows for cell, rows in wanted.items() if rows > 1}
    assert as_rows == {cell: rows for cell, rows in wanted.items() if rows == 1}
    hot = [rows for rows in wanted.values() if rows > 1]
    assert seen[SECTIONS.index("seven")] == SectionSeen("mixed", len(drawn), len(wanted), sum(hot), len(hot))


@given(DEVICES, st.sampled_from(ROUTES))
def test_what_is_seen_does_not_hang_on_the_route(drawn: list[tuple[int, str, bool]], route: Route) -> None:
    _, seen = frames_of(records(drawn), [route] * 3)
    _, other = frames_of(records(drawn), ["mixed"] * 3)
    figures = [[(s.rows, s.cells, s.hot_rows, s.hot_cells) for s in one] for one in (seen, other)]
    assert figures[0] == figures[1]
    assert {s.route for s in seen} == {route}


def test_each_section_has_a_route_of_its_own() -> None:
    values = [record(1000 + i // 2, number=i) for i in range(6)]
    plain: tuple[Route, ...] = ("rows", "partials")
    for routes in product(plain, repeat=3):
        (frame,), _ = frames_of(values, list(routes), partitions=1)
        kinds = ["rows" if isinstance(part, RowsPart) else "partials" for _, part in frame.parts]
        assert kinds == list(routes)


@pytest.mark.parametrize("first", ROUTES)
@pytest.mark.parametrize("second", ROUTES)
def test_range_that_is_sent_again_by_another_route_counts_once(first: Route, second: Route) -> None:
    values = [record(1000 + i // 2, number=i, value=i, seq=i) for i in range(20)]
    wanted = _told(values, ["partials"], [0, 1])
    # the first owner died after its frame to partition 0: the second one sends the range whole
    assert _told(values, [first, second], [0, 0, 1]) == wanted
    assert _told(values, [first, second], [0, 1, 1]) == wanted


def _told(values: list[bytes], routes: list[Route], arrive: list[int]) -> list[str]:
    """Final results. `arrive`: to which partition each frame comes; of partition p the n-th is of the n-th route."""
    job = new_job(partitions=2)
    copies = [prepare(job, SourceState(job), chunk(0, values), routes=[r] * 3) for r in routes]
    states = [PartitionState.empty(job, {0: 0}) for _ in range(2)]
    met = Counter[int]()
    for p in arrive:
        news = fold(job, states[p], copies[min(met[p], len(copies) - 1)].frames[p])
        assert news == (met[p] == 0)
        met[p] += 1
    ends = heartbeat(job, 0, copies[0].frames[0].end, copies[0].frames[0].high, ended=True)
    found = []
    for state, end in zip(states, ends, strict=True):
        fold(job, state, end)
        found += rows_of(checkpoint(state).results)
    return sorted(str({name: v for name, v in row.items() if name != "version"}) for row in found)


def test_route_may_change_with_every_chunk() -> None:
    draw = random.Random(5)
    values = [record(1000 + i / 3, device=draw.choice("abc"), number=i, value=draw.random(), seq=i) for i in range(200)]
    job = new_job()
    found = []
    for possible in (("partials",), ROUTES):
        source, state = SourceState(job), PartitionState.empty(job, {0: 0})
        results = []
        for at in range(0, len(values), 9):
            made = prepare(job, source, chunk(0, values[at : at + 9], at), routes=draw.choices(possible, k=3))
            fold(job, state, made.frames[0])
            results += rows_of(checkpoint(state).results)
        found.append([row for row in results if row["final"]])
    assert sorted(map(str, found[0])) == sorted(map(str, found[1]))
    assert len(found[0]) > 30
