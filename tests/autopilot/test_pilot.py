"""The autopilot's manners: roll-back, advice, silence, codecs by price, and loads that say nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lepton_stream.autopilot.codecs import CPU_ONLY, Worth, worth
from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.mode import Mode
from lepton_stream.autopilot.pilot import Pilot
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen, SectionSeen
from lepton_stream.autopilot.setting import Setting
from lepton_stream.pipeline.builder import Pipeline
from tests.autopilot.simulated import PLAN, Truth, Worker, few, hot, million, plan_of

ROWS, PARTIALS = Setting(("rows",), 0.25), Setting(("partials",), 0.25)


def worker(start: Setting, *, mode: Mode = "act", seed: int = 1, weigh: Worth = CPU_ONLY, off: float = 0.0) -> Worker:
    return Worker(Pilot(PLAN, start, mode=mode, weigh=weigh), PLAN, Truth(PLAN, seed, off=off), seed)


def test_few_keys_travel_as_partials_and_the_reason_is_told() -> None:
    at_work = worker(ROWS)
    at_work.run(few, 30.0)
    assert at_work.pilot.setting.routes == ("partials",)
    (decision,) = at_work.told
    assert (decision.knob, decision.choice, decision.about["section"]) == ("route", "partials", "w0")
    assert [option.name for option in decision.options] == ["rows", "partials", "mixed"]
    assert "%" in decision.why
    assert decision.seen["rows a cell"] == pytest.approx(27.0, rel=0.05)
    name, promised = decision.promised
    assert name == "CPU seconds a million records"
    assert promised < decision.seen["CPU seconds a million records, measured"]
    (after,) = at_work.completed
    assert after.id == decision.id
    assert after.delivered == pytest.approx(promised, rel=0.3)


def test_what_brings_next_to_nothing_is_rolled_back_and_left_alone() -> None:
    at_work = worker(ROWS)
    at_work.truth.prepare[0] *= 12.0  # aggregating is far dearer than anybody could know
    at_work.run(few, 300.0)
    assert at_work.pilot.setting.routes == ("rows",)
    tried, undone = at_work.told
    assert (tried.choice, undone.choice) == ("partials", "rows")
    assert "rolled back" in undone.why
    assert "15 minutes" in undone.why
    assert int(undone.about["at"]) - int(tried.about["at"]) <= 12
    brought = at_work.completed[0].delivered
    assert brought is not None
    assert brought > tried.seen["CPU seconds a million records, measured"]


def test_advice_is_told_without_being_followed_and_not_every_second() -> None:
    at_work = worker(Setting(("rows",)), mode="advise")
    at_work.run(few, 300.0)
    assert at_work.pilot.setting == Setting(("rows",))
    assert {(d.knob, d.choice) for d in at_work.told} >= {("route", "partials"), ("flush interval", "0.25 s")}
    assert len(at_work.told) <= 3
    assert not at_work.completed


def test_off_is_off() -> None:
    at_work = worker(Setting(("rows",)), mode="off")
    at_work.run(few, 60.0)
    assert at_work.pilot.setting == Setting(("rows",))
    assert not at_work.told


@pytest.mark.parametrize("load", [few, hot, million])
def test_without_an_objective_the_interval_stays_short(load: object) -> None:
    at_work = worker(Setting(("partials",)))
    at_work.run({few: few, hot: hot, million: million}[load], 120.0)  # type: ignore[index]
    assert at_work.pilot.setting.flush_s <= 0.25


def test_bytes_that_cost_money_are_packed_tighter() -> None:
    """A cent a gigabyte beside 4 cents a core's hour: 0.9 ns of CPU a byte; a dollar is a hundred times that."""
    cheap, dear = worker(ROWS), worker(ROWS, weigh=worth(0.04, 1.0))
    for at_work in (cheap, dear):
        at_work.run(million, 90.0)
    assert cheap.pilot.setting.codec == "lz4"
    assert dear.pilot.setting.codec in ("zstd-1", "zstd-3")
    (told,) = [d for d in dear.told if d.knob == "codec"]
    assert {option.name for option in told.options} == {"none", "lz4", "zstd-1", "zstd-3"}


def test_prices_weigh_only_where_both_are_known() -> None:
    assert worth(None, 0.1) == worth(0.0, 0.1) == worth(0.05, None) == CPU_ONLY
    assert worth(0.036, 0.01).priced_s == pytest.approx(1e-6)


def test_nothing_is_decided_without_work_or_by_a_clock_that_stands() -> None:
    pilot = Pilot(PLAN, ROWS, mode="act")
    assert [d for now in range(60) for d in pilot.look(float(now))] == []
    seen = PrepareSeen(1000, (SectionSeen("rows", 1000, 10, 1000, 10),), 1e-3, 1e-3, 1e-4, 1e-3, 40_000, 10_000, 0.2)
    told: list[Decision] = []
    for _ in range(60):
        pilot.prepared(seen)
        told += pilot.look(59.0)
    assert told == []


def test_a_worker_with_next_to_nothing_to_do_is_left_alone() -> None:
    at_work = worker(Setting(("rows",)))
    at_work.rate = 0.1
    at_work.truth.flush_s = 0.0
    at_work.run(few, 120.0)
    assert at_work.told == []


def test_ranges_and_frames_that_are_empty_or_cost_nothing_do_no_harm() -> None:
    plan = plan_of({"n": "count()"})
    pilot = Pilot(plan, Setting(("rows",)), mode="act", freshness_s=1.0)
    empty = PrepareSeen(0, (SectionSeen("rows", 0, 0, 0, 0),), 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0)
    one = PrepareSeen(1, (SectionSeen("rows", 1, 1, 0, 0),), 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0)
    for now in range(60):
        pilot.prepared(replace(empty, source=now % 3))
        if now % 2:
            pilot.prepared(one)
        pilot.folded(FoldSeen(4, now % 3, now % 5, 0, 0.0))
        pilot.fresh(0.0, 0)
        pilot.look(float(now))
    assert pilot.setting.routes == ("rows",)


def test_frames_of_other_workers_by_another_route_are_no_riddle() -> None:
    at_work = worker(PARTIALS)
    other = FoldSeen(4, 4000, 0, 160_000, 2e-3)
    for _ in range(60):
        at_work.run(few, 1.0)
        at_work.pilot.folded(other)
    assert at_work.pilot.setting.routes == ("partials",), at_work.story()


def test_a_setting_for_another_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="2 routes for 1 window sections"):
        Pilot(PLAN, Setting(("rows", "rows")), mode="act")


def test_rows_of_models_do_not_mislead_about_the_routes_of_windows() -> None:
    plan = (
        Pipeline("scored")
        .source("scored.v1", time="t", key="device")
        .field("t", "float")
        .field("device", "str")
        .field("value", "float")
        .window("w0", size="1m", lateness="1s", group_by=["device"], results={"n": "count()"})
        .model("odd", by=["device"], score="ewma(value, 0.1)", threshold=4, lateness="1s")
        .plan
    )
    at_work = Worker(Pilot(plan, Setting(("rows",)), mode="act"), plan, Truth(plan, 5, off=0.0), 5)
    at_work.run(few, 60.0)
    assert at_work.pilot.setting == Setting(("partials",), 0.25), at_work.story()
    assert max(at_work.turns().values()) <= 2
