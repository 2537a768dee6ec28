"""Dead letters as records: nothing of the original is lost, and what we say of it comes last."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
import pytest
from aiokafka.record._crecords import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import IntegrityError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.runtime.kafka.bulk import Packed
from lepton_stream.runtime.kafka.compress import Compression
from lepton_stream.runtime.kafka.dlq import sendable
from lepton_stream.runtime.kafka.letters import ATTEMPT, NAMES, ORIGIN, WITHHELD, Letter, dead_letters, read, replay
from lepton_stream.runtime.kafka.ports import LATE_PLACE, late_records
from lepton_stream.topics.contract import HEADER_ROOM
from tests.kafka.letter_records import dead_letter_record

SOURCE = SourcePartition("shop.orders.v1", 3)
ODD = [("trace", b"\x00\xff"), ("lepton.dlq.reason", b"theirs"), ("trace", b"again")]


def chunk(
    values: list[bytes | None],
    headers: Sequence[Sequence[tuple[str, bytes]]] | None = None,
    keys: list[bytes | None] | None = None,
) -> Chunk:
    n = len(values)
    timestamp = np.full(n, 1_700_000_000_123_456)
    listed = None if headers is None else list(headers)
    held = None if keys is None else Values.from_list(keys)
    return Chunk(SOURCE, 100, 100 + n, np.arange(100, 100 + n), Values.from_list(values), timestamp, held, listed)


def letter(given: Chunk, row: int, reason: Reason = Reason.DECODE_ERROR, detail: str = "why") -> Letter:
    made = dead_letter_record("shop.orders.v1.dlq", given, Reject(row, reason, detail), "shop", 2)
    return read(made.value, made.key, list(made.headers), "here")


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00{", b"x" * 700_000])
@pytest.mark.parametrize("key", [None, b"", b"\xfe"])
def test_value_key_and_headers_come_back_byte_for_byte(value: bytes | None, key: bytes | None) -> None:
    got = letter(chunk([b"good", value], [[], ODD], [b"other", key]), 1)
    assert (got.value, got.key, got.headers) == (value, key, tuple(ODD))


def test_a_letter_says_where_its_record_was_and_why_it_is_here() -> None:
    got = letter(chunk([b"a", b"b"]), 1, Reason.BELOW_MIN, "pm25: expected at least 0")
    assert got.place == (SOURCE, 101)
    assert (got.timestamp_ms, got.reason, got.detail) == (
        1_700_000_000_123, Reason.BELOW_MIN, "pm25: expected at least 0"
    )  # fmt: skip
    assert (got.pipeline, got.version, got.attempt, got.headers, got.key) == ("shop", 2, 1, (), None)


def test_letters_bear_the_time_of_their_sending_and_keep_their_order() -> None:
    rejects = [Reject(row, Reason.DECODE_ERROR, f"why {row}") for row in (0, 2)]
    bulk = dead_letters(chunk([b"x", b"good", b"y"]), rejects, "shop", 1, 77)
    batch = list(DefaultRecordBatch(Packed(bulk, 1 << 20, Compression())._build()))
    assert [(r.value, r.key, r.timestamp) for r in batch] == [(b"x", None, 77), (b"y", None, 77)]
    assert [dict(r.headers)["lepton.dlq.detail"] for r in batch] == [b"why 0", b"why 2"]


PLACES = st.tuples(
    st.integers(0, 2**62), st.integers(-(2**50), 2**60), st.sampled_from(["", "%", "%d %b %%", "an € %"]), st.booleans()
)


@given(st.lists(PLACES, min_size=1, max_size=6, unique_by=itemgetter(0)))
def test_letters_that_are_packed_together_each_say_their_own(places: list[tuple[int, int, str, bool]]) -> None:
    """What they share is packed once: offsets and timestamps of any length, details that look like formats."""
    offset, time, detail, again = zip(*sorted(places), strict=True)
    headers = [[(ATTEMPT, b"4")] if one else [] for one in again] if any(again) else None
    n = len(places)
    held = Chunk(
        SOURCE, offset[0], offset[-1] + 1, np.array(offset), Values.from_list([b"x"] * n), np.array(time), None, headers
    )
    rejects = [Reject(row, Reason.WRONG_TYPE, said) for row, said in enumerate(detail)]
    batch = DefaultRecordBatch(Packed(dead_letters(held, rejects, "50% shop", 1, 77), 1 << 20, Compression())._build())
    told = [read(r.value, r.key, list(r.headers), "here") for r in batch]
    assert [(x.offset, x.timestamp_ms, x.detail) for x in told] == [
        (at, us // 1000, said) for at, us, said in zip(offset, time, detail, strict=True)
    ]
    assert [x.attempt for x in told] == [4 if one else 1 for one in again]
    assert {(x.pipeline, x.source, x.reason) for x in told} == {("50% shop", SOURCE, Reason.WRONG_TYPE)}


def test_our_headers_come_last_and_win_over_the_records_own() -> None:
    reject = Reject(0, Reason.TOO_DEEP, "d")
    made = dead_letter_record("shop.orders.v1.dlq", chunk([b"x"], [ODD]), reject, "shop", 1)
    assert list(made.headers[:3]) == ODD
    assert tuple(name for name, _ in made.headers[3:]) == NAMES
    assert dict(made.headers)["lepton.dlq.reason"] == b"too_deep"
    assert dict(made.headers)["__connect.errors.topic"] == b"shop.orders.v1"
    assert dict(made.headers)["__connect.errors.offset"] == b"100"


def test_a_long_detail_is_cut_between_characters_and_headers_stay_within_their_room() -> None:
    got = letter(chunk([b"x"]), 0, detail="ä" + "€" * 1000)
    assert got.detail == "ä" + "€" * 170
    made = dead_letter_record("t" * 249, chunk([b"x"]), Reject(0, Reason.DECODE_ERROR, "€" * 1000), "p" * 249, 1)
    assert sum(len(name) + len(data) + 10 for name, data in made.headers) < HEADER_ROOM


def test_a_value_too_large_is_kept_whole_and_its_length_told() -> None:
    got = letter(chunk([b"x" * 100_000]), 0, Reason.TOO_LARGE, "at most 10 bytes")
    assert got.detail == "at most 10 bytes, got 100000"
    assert len(got.value or b"") == 100_000


def test_each_replay_raises_the_attempt_and_remembers_where_the_event_failed_first() -> None:
    first = letter(chunk([b"w", b"x"], [[], ODD], [None, b"k"]), 1)
    sent = replay(first)
    assert (sent.to, sent.value, sent.key) == (SOURCE, b"x", b"k")
    assert list(sent.headers) == [*ODD, (ATTEMPT, b"2"), (ORIGIN, b"3/101")]
    second = letter(chunk([b"x"], [list(sent.headers)], [b"k"]), 0)
    assert (second.attempt, second.place, second.origin) == (2, (SOURCE, 100), first.place)
    assert list(replay(second).headers) == [*ODD, (ATTEMPT, b"3"), (ORIGIN, b"3/101")]


def test_a_letter_that_is_withheld_points_at_its_record_and_holds_nothing_of_it() -> None:
    names = [[("trace", b"Ada"), (ATTEMPT, b"2"), (ORIGIN, b"3/90"), (ORIGIN, b"Ada")], []]
    rejects = [Reject(0, Reason.DECODE_ERROR, "why"), Reject(1, Reason.TOO_LARGE, "at most 10 bytes")]
    bulk = dead_letters(chunk([b"Ada", b"Ada" * 9], names, [b"Ada", b"Ada"]), rejects, "shop", 1, 77, raw=False)
    batch = list(DefaultRecordBatch(Packed(bulk, 1 << 20, Compression())._build()))
    first, second = (read(r.value, r.key, list(r.headers), "here") for r in batch)
    assert b"Ada" not in repr(batch).encode() + repr((first, second)).encode()
    assert (first.value, first.key, first.headers) == (None, None, ((ORIGIN, b"3/90"), (WITHHELD, b"true")))
    assert (first.attempt, first.place, first.origin) == (2, (SOURCE, 100), (SOURCE, 90))
    assert (second.detail, second.headers) == ("at most 10 bytes, got 27", ((WITHHELD, b"true"),))
    assert (first.withheld, second.withheld, letter(chunk([b"x"]), 0).withheld) == (True, True, False)
    assert sendable([first, second]) == []


def test_late_records_that_are_withheld_say_where_they_are() -> None:
    given = chunk([b"Ada", b"x", b"Ada"], [[("trace", b"Ada")], [], []], [b"Ada", None, b"Ada"])
    as_they_were, pointed = (late_records(given, np.array([100, 102]), raw=raw) for raw in (True, False))
    told = [list(DefaultRecordBatch(Packed(b, 1 << 20, Compression())._build())) for b in (as_they_were, pointed)]
    assert [(r.key, r.value, list(r.headers)) for r in told[0]] == [
        (b"Ada", b"Ada", [("trace", b"Ada")]),
        (b"Ada", b"Ada", []),
    ]
    assert [(r.key, r.value, list(r.headers)) for r in told[1]] == [
        (None, None, [(LATE_PLACE, b"3/100")]),
        (None, None, [(LATE_PLACE, b"3/102")]),
    ]
    assert [r.timestamp for r in told[0]] == [r.timestamp for r in told[1]]


@pytest.mark.parametrize("said", [b"", b"3", b"x/1", b"-1/2", b"1/" + b"9" * 30])
def test_an_origin_that_cannot_be_read_is_the_place_itself(said: bytes) -> None:
    got = letter(chunk([b"x"], [[(ORIGIN, said)]]), 0)
    assert got.origin == got.place == (SOURCE, 100)


@pytest.mark.parametrize("said", [b"", b"many", b"-1", b"9" * 40, b"\xff"])
def test_an_attempt_that_is_no_number_counts_as_the_first(said: bytes) -> None:
    assert letter(chunk([b"x"], [[(ATTEMPT, said)]]), 0).attempt == 1


def test_a_record_of_another_program_is_refused_with_its_place() -> None:
    made = dead_letter_record("d", chunk([b"x"]), Reject(0, Reason.DECODE_ERROR, "d"), "shop", 1)
    for headers in ([], list(made.headers)[1:], list(made.headers)[:-1]):
        with pytest.raises(IntegrityError, match="d partition 0, offset 7: not a dead letter of ours"):
            read(b"x", None, headers, "d partition 0, offset 7")
    odd = [(n, b"of_the_future" if n == "lepton.dlq.reason" else v) for n, v in made.headers]
    with pytest.raises(IntegrityError, match="of_the_future"):
        read(b"x", None, odd, "here")
