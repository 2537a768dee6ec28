"""Placement by load: total, deterministic, sticky, and as balanced as moves that pay can make it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lepton_stream.autopilot.placement import DEFAULT, Owners, Rules, equal, peak_of, place, stay
from lepton_stream.chunk import SourcePartition

NAMES = ("ann", "bob", "cleo", "dan")
TPS = [SourcePartition(topic, p) for topic in ("s", "t") for p in range(5)]
FREE = Rules(move_s=0.0)

cores = st.floats(0.05, 4.0)
capacities_ = st.dictionaries(st.sampled_from(NAMES), cores, min_size=1)
loads_ = st.dictionaries(st.sampled_from(TPS), st.floats(0.02, 3.0), max_size=8)
owners_ = st.dictionaries(st.sampled_from(TPS), st.sampled_from((*NAMES, "gone")))
anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(-1, 1))


def uses(capacities: dict[str, float], loads: dict[SourcePartition, float], owners: Owners) -> dict[str, float]:
    """Load over capacity by worker, by plain sums."""
    return {m: math.fsum(loads[tp] for tp, o in owners.items() if o == m) / c for m, c in capacities.items()}


@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(allow_nan=True, allow_infinity=True), min_size=1),
    st.dictionaries(st.sampled_from(TPS), anything),
    owners_,
)
def test_every_partition_has_exactly_one_living_owner_whatever_was_measured(
    capacities: dict[str, float], loads: dict[SourcePartition, float | None], before: Owners
) -> None:
    for way in (place, stay, equal):
        done = way(capacities, loads, before)
        assert set(done.owners) == set(loads)
        assert set(done.owners.values()) <= set(capacities)


@given(capacities_, loads_, owners_)
def test_the_answer_does_not_depend_on_the_order_in_which_things_are_named(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners
) -> None:
    def reversed_(d: dict[Any, Any]) -> dict[Any, Any]:
        return dict(reversed(d.items()))

    turned = place(reversed_(capacities), reversed_(loads), reversed_(before))
    assert turned == place(capacities, loads, before)


@given(capacities_, loads_, owners_)
def test_placing_again_what_was_placed_moves_nothing(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners
) -> None:
    first = place(capacities, loads, before)
    again = place(capacities, loads, first.owners)
    assert again.moved == ()
    assert again.owners == first.owners


@given(capacities_, loads_, owners_)
def test_no_single_move_that_pays_is_left(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners
) -> None:
    done = place(capacities, loads, before)
    use = uses(capacities, loads, done.owners)
    for tp, owner in done.owners.items():
        price = DEFAULT.threshold if before.get(tp) == owner else 0.0
        for other in set(capacities) - {owner}:
            left = use[owner] - loads[tp] / capacities[owner]
            taken = use[other] + loads[tp] / capacities[other]
            assert use[owner] - max(left, taken) <= price + 1e-6


@given(capacities_, loads_, owners_)
def test_a_plan_with_moves_has_no_higher_peak_than_staying_and_tells_it_truly(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners
) -> None:
    done, stayed = place(capacities, loads, before), stay(capacities, loads, before)
    peak = max(uses(capacities, loads, done.owners).values())
    assert done.peak == pytest.approx(peak, abs=1e-9)
    assert done.peak <= stayed.peak + 1e-9
    assert set(done.moved) == {tp for tp in loads if before.get(tp) in capacities and before[tp] != done.owners[tp]}
    assert stayed.moved == ()
    assert peak_of(capacities, loads, done.owners) == pytest.approx(peak, abs=1e-9)


@given(
    st.dictionaries(st.sampled_from(NAMES[:3]), cores, min_size=1),
    st.dictionaries(st.sampled_from(TPS), st.floats(0.02, 3.0), min_size=1, max_size=6),
    owners_,
)
def test_with_free_moves_the_peak_is_within_twice_the_best_there_is(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners
) -> None:
    # Cho and Sahni (1980): no move helps any more on m machines of differing speed, then (1 + sqrt(4m - 3)) / 2 times
    best = min(
        max(uses(capacities, loads, dict(zip(loads, chosen, strict=True))).values())
        for chosen in itertools.product(capacities, repeat=len(loads))
    )
    assert place(capacities, loads, before, FREE).peak <= 2.0 * best + 1e-6


@given(capacities_, loads_, owners_, st.floats(1.0, 100.0))
def test_nothing_moves_where_every_gain_is_below_the_threshold(
    capacities: dict[str, float], loads: dict[SourcePartition, float], before: Owners, dear: float
) -> None:
    known: Owners = {tp: before.get(tp, "") for tp in loads}
    assume(all(owner in capacities for owner in known.values()))
    peak = max(uses(capacities, loads, known).values())
    rules = Rules(move_s=dear * (peak + 1e-6), horizon_s=1.0)
    assert place(capacities, loads, before, rules).owners == known


def test_a_worker_at_a_quarter_of_a_core_keeps_a_quarter_of_what_the_other_has() -> None:
    loads = {SourcePartition("s", p): 0.1 for p in range(10)}
    before = {tp: "fast" if tp.partition % 2 else "slow" for tp in loads}
    done = place({"fast": 1.0, "slow": 0.25}, loads, before)
    assert Counter(done.owners.values()) == {"fast": 8, "slow": 2}
    assert len(done.moved) == 3


def test_a_new_worker_gets_its_share_and_only_what_goes_there_moves() -> None:
    loads = {SourcePartition("s", p): 0.1 for p in range(8)}
    done = place({"old": 1.0, "new": 1.0}, loads, dict.fromkeys(loads, "old"))
    assert Counter(done.owners.values()) == {"old": 4, "new": 4}
    assert all(done.owners[tp] == "new" for tp in done.moved)


def test_who_has_left_is_replaced_without_moving_anything_else() -> None:
    loads = {SourcePartition("s", p): 0.1 for p in range(6)}
    before = {tp: NAMES[tp.partition % 3] for tp in loads}
    done = place({"ann": 1.0, "bob": 1.0}, loads, before)
    assert done.moved == ()
    assert Counter(done.owners.values()) == {"ann": 3, "bob": 3}


def test_idle_partitions_and_unmeasured_ones_are_spread_evenly() -> None:
    for load in (0.0, None):
        done = place({"ann": 1.0, "bob": 1.0}, dict.fromkeys(TPS, load), {})
        assert Counter(done.owners.values()) == {"ann": 5, "bob": 5}


def test_partitions_that_are_alike_are_spread_topic_by_topic() -> None:
    for before in ({}, dict.fromkeys(TPS, "ann")):
        done = place({"ann": 1.0, "bob": 1.0}, dict.fromkeys(TPS, 0.1), before)
        of_each = Counter((tp.topic, owner) for tp, owner in done.owners.items())
        assert set(of_each.values()) == {2, 3}


def test_an_unmeasured_partition_counts_as_the_mean_of_its_topic() -> None:
    loads = {TPS[0]: 0.5, TPS[1]: 0.3, TPS[2]: None}
    assert stay({"ann": 1.0}, loads, {}).peak == pytest.approx(1.2)


def test_one_heavy_partition_stays_and_the_light_ones_make_room() -> None:
    loads = {TPS[0]: 0.9, TPS[1]: 0.2, TPS[2]: 0.2}
    done = place({"ann": 1.0, "bob": 1.0}, loads, dict.fromkeys(loads, "ann"))
    assert len({done.owners[TPS[1]], done.owners[TPS[2]]}) == 1
    assert done.peak == pytest.approx(0.9)


def test_nobody_to_place_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        place({}, {TPS[0]: 1.0}, {})


def test_a_large_group_comes_near_its_fair_share() -> None:
    loads = {SourcePartition("s", p): 0.01 * (1 + p % 7) for p in range(1000)}
    capacities = {f"w{i:02}": 1.0 + i % 3 for i in range(50)}
    done = place(capacities, loads, dict.fromkeys(loads, "w00"))
    fair = sum(loads.values()) / sum(capacities.values())
    assert done.peak < fair + DEFAULT.threshold + 0.08
