"""The decision about placement: from reports of workers to owners, with its reason, and what became of the promise."""

from __future__ import annotations

from collections import Counter

import pytest

from lepton_stream.autopilot.placing import MOVED, PEAK, Report, deal, decide, is_settled
from lepton_stream.chunk import SourcePartition

TPS = [SourcePartition("s", p) for p in range(8)]


def report(name: str, owned: list[SourcePartition], load: float, capacity: float | None, generation: int = 3) -> Report:
    return Report(name, generation, tuple(owned), (load,) * len(owned), capacity)


def test_a_throttled_worker_gives_away_what_it_cannot_do_and_the_reason_says_so() -> None:
    reports = {"m1": report("slow", TPS[:4], 0.15, 0.25), "m2": report("fast", TPS[4:], 0.15, 1.0)}
    owners, decision = decide(reports, TPS)
    assert Counter(owners.values()) == {"m2": 6, "m1": 2} or Counter(owners.values()) == {"m2": 7, "m1": 1}
    assert decision.choice == "load"
    assert decision.seen[PEAK] == pytest.approx(4 * 0.15 / 0.25)
    name, value = decision.promised
    assert name == PEAK
    assert value == pytest.approx(max(1 * 0.15 / 0.25, 7 * 0.15))
    assert "takes the highest use from 2.40 to" in decision.why
    by_name = {option.name: option.predicted for option in decision.options}
    assert by_name["load"][PEAK] < by_name["equal"][PEAK] <= by_name["stay"][PEAK]
    assert by_name["stay"][MOVED] == 0
    told = "\n".join(decision.lines())
    for word in ("why", "seen", "options", "promised", "delivered  not measured yet", "capacity of slow, cores: 0.25"):
        assert word in told


def test_where_all_is_well_nothing_moves_and_the_reason_says_so() -> None:
    reports = {"m1": report("a", TPS[:4], 0.1, 1.0), "m2": report("b", TPS[4:], 0.1, 1.0)}
    owners, decision = decide(reports, TPS)
    assert owners == {tp: "m1" if tp in TPS[:4] else "m2" for tp in TPS}
    assert decision.choice == "stay"
    assert decision.why.startswith("no move takes more than 0.017 off")


def test_of_two_that_claim_a_partition_the_later_generation_is_right() -> None:
    reports = {"m1": report("zombie", TPS, 9.0, 1.0, generation=2), "m2": report("b", TPS[:4], 0.01, 1.0, generation=5)}
    _, decision = decide(reports, TPS[:4])
    assert decision.seen["load of b, cores"] == pytest.approx(0.04)
    assert decision.seen["load of zombie, cores"] == 0.0


def test_without_any_measurement_all_get_as_many() -> None:
    owners, decision = decide({f"m{i}": Report(f"w{i}") for i in range(4)}, TPS)
    assert set(Counter(owners.values()).values()) == {2}
    assert PEAK not in decision.seen


def test_a_worker_that_has_not_worked_yet_counts_like_the_others() -> None:
    reports = {"m1": report("a", TPS, 0.1, 0.5), "m2": Report("new")}
    owners, decision = decide(reports, TPS)
    assert Counter(owners.values()) == {"m1": 4, "m2": 4}
    assert decision.seen["capacity of new, cores"] == 0.5


def test_partitions_that_are_gone_or_strange_are_left_out() -> None:
    owners, _ = decide({"m1": report("a", [*TPS, SourcePartition("other", 0)], 0.1, 1.0)}, TPS[:2])
    assert owners == {TPS[0]: "m1", TPS[1]: "m1"}


def test_where_loads_cannot_be_compared_all_get_as_many_and_the_reason_says_so() -> None:
    reports = {"m1": report("a", TPS, 0.5, 0.1), "m2": Report("strange")}
    owners, decision = deal(reports, TPS, "nobody can say")
    assert Counter(owners.values()) == {"m1": 4, "m2": 4}
    assert (decision.choice, decision.why) == ("equal", "nobody can say")
    assert [option.name for option in decision.options] == ["equal"]


def test_a_group_is_settled_where_nobody_has_come_or_gone() -> None:
    a, b = report("a", TPS[:4], 0.1, 1.0), report("b", TPS[4:], 0.1, 1.0)
    assert is_settled({"m1": a, "m2": b}, TPS)
    assert not is_settled({"m1": a}, TPS), "somebody has gone"
    assert not is_settled({"m1": a, "m2": b, "m3": Report("new")}, TPS)
    assert not is_settled({"m1": a, "m2": report("b", TPS[4:], 0.1, 1.0, generation=2)}, TPS), "one was away"
    assert not is_settled({"m1": Report("new")}, [])
    assert is_settled({"m1": report("a", TPS, 0.1, 1.0), "m2": report("idle", [], 0.0, None)}, TPS)
