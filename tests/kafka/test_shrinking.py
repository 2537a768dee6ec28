"""A log that has become shorter than what was read of it is told of, after some looks, and no other."""

from __future__ import annotations

import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import IntegrityError
from lepton_stream.runtime.kafka.shrinking import LOOKS, Shrinking
from lepton_stream.runtime.kafka.view import Seen

TP = SourcePartition("s.v1", 2)


def seen(end: int) -> Seen:
    return Seen({}, {TP: end})


def test_a_log_made_anew_is_told_of_with_its_place_and_its_end() -> None:
    shrinking = Shrinking(TP)
    shrinking.look(seen(5000), 5000)
    for _ in range(LOOKS - 1):
        shrinking.look(seen(900), 5000)
    with pytest.raises(IntegrityError, match=r"s\.v1 partition 2: records up to offset 5000 .* ends at 950.*version"):
        shrinking.look(seen(950), 5000)


def test_one_look_counts_once_and_nothing_is_said_before_the_first() -> None:
    shrinking, one = Shrinking(TP), seen(10)
    for _ in range(3 * LOOKS):
        shrinking.look(Seen(), 20)
        shrinking.look(one, 20)


def test_a_look_that_is_older_than_what_was_done_since_means_nothing() -> None:
    shrinking = Shrinking(TP)
    for done in range(100, 100 * LOOKS * 3, 100):  # each look sees what had been written before the newest was done
        shrinking.look(seen(done - 50), done)


def test_a_leader_that_catches_up_is_forgiven() -> None:
    shrinking = Shrinking(TP)
    for _ in range(3):
        for _ in range(LOOKS - 1):
            shrinking.look(seen(90), 100)
        shrinking.look(seen(100), 100)
