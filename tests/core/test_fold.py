"""fold takes each frame once and in order, and says so loudly where it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lepton_stream.core import Job, PartitionState, SourceState, checkpoint, fold, heartbeat, prepare
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.shuffle.frame import Frame
from lepton_stream.windows.watermark import NEVER
from tests.core.streams import PLAN, chunk, new_job, record, rows_of

SECOND = 1_000_000


def one_window(**changes: Any) -> Plan:
    """PLAN with its ten-second window only."""
    return replace(PLAN, windows=(replace(PLAN.windows[0], **{"lateness_us": 0, **changes}),))


class Merge:
    """One source partition, one shuffle partition."""

    def __init__(self, plan: Plan = PLAN, sources: int = 1) -> None:
        self.job: Job = new_job(plan)
        self.sources = [SourceState(self.job) for _ in range(sources)]
        self.state = PartitionState.empty(self.job, dict.fromkeys(range(sources), 0))
        self.places = [0] * sources

    def frame(self, *records: bytes, source: int = 0) -> Frame:
        """The frame of the next records."""
        made = prepare(self.job, self.sources[source], chunk(source, records, self.places[source]))
        self.places[source] += len(records)
        return made.frames[0]

    def beat(self, at: int, source: int = 0, idle_s: float | None = None, *, ended: bool = False) -> Frame:
        idle, state = NEVER if idle_s is None else round(idle_s * SECOND), self.sources[source]
        return heartbeat(self.job, source, at, state.high, idle, ended=ended, era=state.era)[0]

    def another_run(self) -> None:
        """What comes now is of the run after."""
        for source in self.sources:
            source.era += 1

    def fold(self, frame: Frame) -> bool:
        return fold(self.job, self.state, frame)

    def results(self) -> list[dict[str, Any]]:
        return rows_of(checkpoint(self.state).results)


def test_a_repeated_frame_is_ignored_and_counted_once() -> None:
    merge = Merge(one_window())
    first, second = merge.frame(record(1)), merge.frame(record(2, number=1))
    assert [merge.fold(f) for f in (first, first, second, first, second)] == [True, False, True, False, False]
    assert merge.state.account[0].read == 2
    merge.fold(merge.beat(2, ended=True))
    assert [row["n"] for row in merge.results()] == [2]


def test_a_hole_stops_the_partition_and_names_the_offsets() -> None:
    merge = Merge()
    merge.fold(merge.frame(record(1)))
    merge.frame(record(2))
    told = r"hole in source partition 0: expected offset 1, got \[2, 4\).*new `version`"
    with pytest.raises(IntegrityError, match=told):
        merge.fold(merge.frame(record(3)))


def test_an_overlap_stops_the_partition_and_names_the_offsets() -> None:
    merge = Merge()
    merge.fold(merge.frame(record(1), record(2)))
    wide = prepare(merge.job, SourceState(merge.job), chunk(0, [record(1), record(2), record(3)])).frames[0]
    told = r"overlap in source partition 0: expected offset 2, got \[0, 4\).*new `version`"
    with pytest.raises(IntegrityError, match=told):
        merge.fold(wide)


def test_a_refused_frame_leaves_the_state_as_it_was() -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(1), record(2)))
    wide = prepare(merge.job, SourceState(merge.job), chunk(0, [record(1), record(2), record(3)])).frames[0]
    with pytest.raises(IntegrityError):
        merge.fold(wide)
    assert merge.state.account[0].read == 2
    assert merge.state.progress[0].next == 2


def test_a_frame_of_another_plan_is_refused_with_the_remedy() -> None:
    merge, other = Merge(), Merge(one_window())
    with pytest.raises(IntegrityError, match="run it with --until-end"):
        merge.fold(other.frame(record(1)))


def test_a_frame_of_an_unknown_source_is_refused() -> None:
    merge, wide = Merge(), Merge(sources=3)
    with pytest.raises(IntegrityError, match="source partition 2"):
        merge.fold(wide.frame(record(1), source=2))


@pytest.mark.parametrize("at", [0, 1, 3, 99])
def test_a_heartbeat_at_another_offset_counts_for_nothing(at: int) -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(1), record(2, number=1)))
    assert merge.fold(merge.beat(at, idle_s=1000, ended=True)) is False
    assert merge.results() == []
    assert not merge.state.ended


def test_a_heartbeat_at_the_right_offset_moves_the_watermark_by_idleness() -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(1), record(2, number=1)))
    assert merge.fold(merge.beat(2, idle_s=9.999999))
    assert merge.results() == []
    assert merge.fold(merge.beat(2, idle_s=10))
    assert [(row["n"], row["final"]) for row in merge.results()] == [(2, True)]


def test_a_later_heartbeat_with_less_never_turns_time_back() -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(1)))
    merge.fold(merge.beat(1, idle_s=10))
    assert len(merge.results()) == 1
    merge.fold(merge.beat(1))
    merge.fold(merge.frame(record(3, number=1)))
    assert merge.results() == []
    assert merge.state.account[0].late_by_window == {"ten": 1}


def test_a_record_after_idleness_closed_its_window_is_counted_as_late_for_that_window() -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(1)))
    merge.fold(merge.beat(1, idle_s=15))
    assert [row["n"] for row in merge.results()] == [1]
    frame = merge.frame(record(3, number=1), record(4, number=2), record(11, number=3))
    assert frame.account is not None
    assert (frame.account.accepted, frame.account.late) == (3, 0)
    merge.fold(frame)
    merge.fold(merge.beat(5, ended=True))
    assert [(row["window_start"], row["n"]) for row in merge.results()] == [(10_000, 1)]
    assert merge.state.account[0].late_by_window == {"ten": 2}
    assert merge.state.account[0].balanced


def test_a_record_within_the_grace_revises_its_window_with_a_higher_version() -> None:
    merge = Merge(one_window(grace_us=20 * SECOND))
    merge.fold(merge.frame(record(1)))
    merge.fold(merge.beat(1, idle_s=15))
    first = merge.results()
    merge.fold(merge.frame(record(3, number=1)))
    again = merge.results()
    assert [row["n"] for row in (*first, *again)] == [1, 2]
    assert first[0]["version"] < again[0]["version"]
    assert first[0]["window_start"] == again[0]["window_start"]
    assert again[0]["final"]
    assert merge.results() == []
    assert merge.state.account[0].late_by_window == {}


def test_a_record_after_the_grace_is_counted_as_late_for_that_window() -> None:
    merge = Merge(one_window(grace_us=20 * SECOND))
    merge.fold(merge.frame(record(1)))
    merge.fold(merge.beat(1, idle_s=30))
    assert len(merge.results()) == 1
    merge.fold(merge.frame(record(3, number=1)))
    assert merge.results() == []
    assert merge.state.account[0].late_by_window == {"ten": 1}


def test_a_window_waits_for_the_slowest_source_and_for_its_lateness() -> None:
    merge = Merge(one_window(lateness_us=3 * SECOND), sources=2)
    merge.fold(merge.frame(record(50)))
    assert merge.results() == []
    merge.fold(merge.frame(record(12.999999), source=1))
    assert merge.results() == []
    merge.fold(merge.frame(record(13, number=1), record(9.999999, number=2), source=1))
    assert merge.results() == []  # the record of 9.999999 is late: older than 13 less 3
    merge.fold(merge.frame(record(23, number=3), source=1))
    assert [(row["window_start"], row["n"]) for row in merge.results()] == [(10_000, 2)]


def test_a_source_that_has_ended_holds_nobody_back_and_the_last_end_closes_everything() -> None:
    merge = Merge(one_window(), sources=2)
    merge.fold(merge.frame(record(1)))
    merge.fold(merge.beat(1, ended=True))
    merge.fold(merge.frame(record(25), source=1))
    assert [row["window_start"] for row in merge.results()] == [0]
    merge.fold(merge.beat(1, source=1, ended=True))
    assert [row["window_start"] for row in merge.results()] == [20_000]
    assert merge.results() == []


def test_thousands_of_closed_windows_leave_the_table() -> None:
    merge = Merge(one_window())
    for start in range(0, 6000, 500):
        merge.fold(merge.frame(*(record(10 * i, number=i) for i in range(start, start + 500))))
        merge.results()
    assert merge.state.tables[0].count < 1100
    assert merge.state.tables[0].open_cells() == 1


def test_record_on_the_edge_belongs_to_the_later_window() -> None:
    merge = Merge(one_window())
    merge.fold(merge.frame(record(9.999999), record(10, number=1), record(-0.000001, number=2)))
    merge.fold(merge.beat(4, ended=True))
    assert merge.state.account[0].late == 1
    assert [row["window_start"] for row in merge.results()] == [0, 10_000]


def test_a_run_after_the_end_waits_for_sources_that_ended_in_the_run_before() -> None:
    merge = Merge(one_window(), sources=2)
    for source in (0, 1):
        merge.fold(merge.beat(0, source, ended=True))
    merge.fold(merge.frame(record(1000), record(2000, number=1), source=1))
    assert merge.results() == []
    merge.fold(merge.frame(record(1), record(2, number=1)))  # long before what the other source has sent
    assert merge.results() == []
    merge.fold(merge.beat(2, ended=True))
    assert [row["n"] for row in merge.results()] == [2, 1]
    merge.fold(merge.beat(2, source=1, ended=True))
    assert [row["n"] for row in merge.results()] == [1]


def test_a_run_after_one_that_was_broken_off_waits_for_sources_that_had_ended_in_it() -> None:
    merge = Merge(one_window(), sources=2)
    merge.fold(merge.beat(0, ended=True))
    merge.fold(merge.frame(record(1), source=1))  # and then it was broken off
    merge.another_run()
    merge.fold(merge.frame(record(1000, number=1), source=1))
    assert merge.results() == []
    merge.fold(merge.beat(2, source=1, ended=True))  # the one that ended first then may have more to send now
    assert merge.results() == []
    merge.fold(merge.frame(record(2), record(3, number=1)))
    merge.fold(merge.beat(2, ended=True))
    assert [(row["window_start"], row["n"]) for row in merge.results()] == [(0, 3), (1_000_000, 1)]
    assert not any(account.late_by_window for account in merge.state.account.values())


def test_an_end_that_a_zombie_tells_is_one_of_its_own_run() -> None:
    merge = Merge(one_window(), sources=2)
    late_word = merge.beat(0, ended=True)
    merge.another_run()
    merge.fold(merge.frame(record(30), source=1))
    merge.fold(late_word)
    merge.fold(merge.beat(1, source=1, ended=True))
    assert (merge.results(), merge.state.ended) == ([], False)
    merge.fold(merge.beat(0, ended=True))
    merge.fold(late_word)
    assert merge.state.ended
    assert [row["n"] for row in merge.results()] == [1]
