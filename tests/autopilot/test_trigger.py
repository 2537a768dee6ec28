"""A worker asks for another placement once it was overloaded for long, and ever more rarely where that is no help."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.autopilot.trigger import Patience, Trigger

PATIENCE = Patience(use=1.05, for_s=10.0, rest_s=30.0, most_s=200.0)


def asked(
    uses: list[float], *, others_can: bool = True, trigger: Trigger | None = None, answer: bool = True
) -> list[int]:
    """The seconds at which it asks, looking once a second; the group assigns anew three seconds after each."""
    trigger = trigger or Trigger(PATIENCE)
    trigger.assigned(0.0)
    found: list[int] = []
    for now, use in enumerate(uses):
        if found and now == found[-1] + 3 and answer:
            trigger.assigned(float(now))
        if trigger.look(float(now), use, others_can=others_can):
            found.append(now)
    return found


def test_who_is_overloaded_for_long_asks_once_the_assignment_has_rested() -> None:
    assert asked([2.0] * 31) == [30]
    assert asked([0.5] * 50 + [2.0] * 11) == [60]


def test_a_moment_of_overload_asks_for_nothing() -> None:
    assert asked(([2.0] * 9 + [0.9]) * 50) == []


def test_nobody_asks_where_the_others_have_no_room_either() -> None:
    assert asked([2.0] * 1000, others_can=False) == []


def test_where_it_does_not_help_the_next_time_comes_later_and_later() -> None:
    times = asked([2.0] * 1500)
    pauses = [b - a for a, b in pairwise(times)]
    assert pauses[:3] == [63, 123, 203]
    assert set(pauses[3:]) == {203}


def test_where_it_helped_patience_is_short_again() -> None:
    assert asked([2.0] * 31 + [0.5] * 100 + [2.0] * 11) == [30, 141]


def test_one_question_at_a_time() -> None:
    assert asked([2.0] * 1000, answer=False) == [30]


@given(st.lists(st.floats(0, 5), max_size=300), st.booleans())
def test_between_two_questions_there_is_always_the_rest(uses: list[float], others_can: bool) -> None:
    times = asked(uses, others_can=others_can)
    assert all(b - a >= PATIENCE.rest_s for a, b in pairwise(times))
    assert all(min(uses[max(0, t - 9) : t + 1]) > PATIENCE.use for t in times)


def test_what_another_worker_asked_for_counts_for_all_of_a_group_and_ones_own_counts_once() -> None:
    trigger = Trigger(PATIENCE)
    trigger.look(0.0, 2.0, others_can=True)
    trigger.assigned(0.0, asked=True)
    assert trigger.rest_s == 60.0
    assert asked([2.0] * 61, trigger=trigger, answer=False) == [60]
    trigger.assigned(63.0, asked=True)
    assert trigger.rest_s == 120.0
    trigger.assigned(64.0)  # somebody came or went
    assert trigger.rest_s == 120.0
    trigger.look(64.0 + 120.0, 0.5, others_can=True)
    assert trigger.rest_s == 30.0


def test_where_it_has_become_much_worse_since_the_first_rest_is_enough_again() -> None:
    trigger = Trigger(PATIENCE)
    assert asked([2.0] * 64, trigger=trigger) == [30]  # no help: the next one would come a minute after it
    trigger.assigned(0.0, asked=True)
    assert [now for now in range(1, 60) if trigger.look(float(now), 2.5, others_can=True)] == []
    assert [now for now in range(60, 90) if trigger.look(float(now), 3.5, others_can=True)] == [60]


def test_a_backlog_that_only_grows_asks_ever_more_rarely() -> None:
    times = asked([1.0 + now / 60 for now in range(7200)])
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= PATIENCE.most_s > 4 * pauses[0]
