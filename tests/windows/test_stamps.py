"""What the time at which a record was written tells of its event time, before it is read."""

from __future__ import annotations

from lepton_stream.windows.stamps import Stamps

S = 1_000_000


def learned(behind_us: int) -> Stamps:
    stamps = Stamps()
    stamps.learn(100 * S + behind_us, 100 * S, 0.0, has_come=False)
    return stamps


def test_nothing_is_hoped_before_anything_was_read_or_of_what_has_no_stamp() -> None:
    assert not Stamps().reach(10**15, 0)
    assert not learned(0).reach(None, 0)


def test_stamp_is_as_far_behind_as_the_ones_before() -> None:
    stamps = learned(2 * S)
    assert stamps.reach(112 * S, 110 * S)
    assert not stamps.reach(112 * S - 1, 110 * S)


def test_least_that_was_seen_counts_and_creeps() -> None:
    stamps = learned(2 * S)
    stamps.learn(108 * S, 101 * S, 10_000.0, has_come=False)
    assert stamps.reach(112 * S + 10_000, 110 * S)
    assert not stamps.reach(112 * S + 9_999, 110 * S)


def test_wrong_hope_is_believed_at_once_and_is_not_repeated_before_more_is_known() -> None:
    stamps = learned(2 * S)
    stamps.hope()
    assert not stamps.reach(200 * S, 110 * S)
    stamps.learn(113 * S, 109 * S, 0.0, has_come=False)
    assert stamps.reach(114 * S, 110 * S)
    assert not stamps.reach(114 * S - 1, 110 * S)


def test_stamps_tell_once_a_hope_was_right_and_no_more_when_it_came_without_one() -> None:
    stamps, told = learned(0), list[bool]()
    for event_us, hoped in ((110 * S, True), (120 * S, False)):
        told.append(stamps.tell)
        if hoped:
            stamps.hope()
        stamps.learn(event_us, event_us, 0.0, has_come=True)
    assert [*told, stamps.tell] == [False, True, False]
