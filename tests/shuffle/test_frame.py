"""Frames: what is encoded is decoded; what is damaged is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.account import Account
from lepton_stream.columns import PADDING, Columns, Index, Numbers, Text, text_from_strings, to_list
from lepton_stream.errors import IntegrityError
from lepton_stream.kernels import kernel as kernels_of_groups
from lepton_stream.kernels.kernel import State
from lepton_stream.kernels.registry import kernels
from lepton_stream.shuffle.frame import Frame, Part, PartialsPart, RowsPart, decode, encode, split
from lepton_stream.windows.watermark import NEVER
from tests.kernels.rows import GROUPS, TYPES, Row, columns_of, row_lists, state_of

ACCOUNT = Account(9, 3, 2, 1, Counter(bad_json=3), Counter(hour=1), Counter({"pm25.min": 4}), Counter(other=2))
WORDS = text_from_strings(["a", "", "é\x00"])


def rows_part(rows: list[Row]) -> RowsPart:
    given_rows = columns_of(rows)
    return RowsPart(given_rows.columns, given_rows.time, given_rows.offset)


def partials_part(rows: list[Row]) -> PartialsPart:
    group: Columns = {"k": text_from_strings([f"g{i}" for i in range(GROUPS)])}
    states = {key: state_of(kernel, rows) for key, kernel in kernels(TYPES).items()}
    return PartialsPart(group, np.arange(GROUPS) - 2, np.arange(GROUPS), states)


def told(part: Part) -> object:
    """All that a part holds, as plain values; floats by `repr`, which tells -0.0 from 0.0."""
    if isinstance(part, RowsPart):
        columns = {name: repr(to_list(c)) for name, c in part.columns.items()}
        return "rows", columns, part.time.tolist(), part.offset.tolist()
    return "partials", told_group(part.group), part.window.tolist(), part.rows.tolist(), told_states(part.states)


def told_group(group: Columns) -> object:
    return {name: to_list(c) for name, c in group.items()}


def told_states(states: dict[str, State]) -> object:
    return {key: {n: (a.dtype.str, a.tobytes()) for n, a in state.items()} for key, state in states.items()}


def head(frame: Frame) -> tuple[object, ...]:
    return (frame.plan, frame.source, frame.start, frame.end, frame.high, frame.idle, frame.ended, frame.account)


@settings(max_examples=60)
@given(row_lists(), st.booleans(), st.integers(NEVER, 2**62))
def test_a_frame_reads_back_as_it_was_written(rows: list[Row], ended: bool, high: int) -> None:
    parts = ((0, rows_part(rows)), (3, partials_part(rows)), (4, rows_part([])))
    frame = Frame("plan", 7, 100, 2**62, high, high - 1, ended, parts, ACCOUNT)
    found = decode(encode(frame))
    assert head(found) == head(frame)
    assert [(n, told(p)) for n, p in found.parts] == [(n, told(p)) for n, p in frame.parts]


def test_a_heartbeat_is_small_and_reads_back() -> None:
    beat = Frame("0123456789abcdef", 3, 5, 5, NEVER)
    assert head(decode(encode(beat))) == head(beat)
    assert decode(encode(beat)).parts == ()
    assert len(encode(beat)) < 160


def test_a_taken_text_travels_without_the_bytes_of_other_rows() -> None:
    big = text_from_strings(["x" * 10_000, "short"])
    part = RowsPart({"s": big}, np.zeros(2, np.int64), np.arange(2)).take(np.array([1]))
    assert len(encode(Frame("p", 0, 0, 2, 0, parts=((0, part),)))) < 500


@settings(max_examples=60)
@given(row_lists(), st.integers(1, 5), st.data())
def test_split_sends_every_row_to_its_partition_in_order(rows: list[Row], partitions: int, data: st.DataObject) -> None:
    drawn = st.lists(st.integers(0, partitions - 1), min_size=len(rows), max_size=len(rows))
    target: Index = np.array(data.draw(drawn), np.int64)
    whole = rows_part(rows)
    found = split(whole, target, partitions)
    assert len(found) == partitions
    for p, part in enumerate(found):
        assert told(part) == told(whole.take(np.flatnonzero(target == p)))


def test_split_partials_carry_their_states_along() -> None:
    rows = [Row(g, 0, 0, g, float(g), g, None, None) for g in range(GROUPS)]
    whole = partials_part(rows)
    odd, even = split(whole, np.array([1, 0, 1, 0]), 2)
    assert (told(odd), told(even)) == (told(whole.take(np.array([1, 3]))), told(whole.take(np.array([0, 2]))))


def sample() -> bytes:
    row = Row(1, 5, 0, 0, 0.5, 3, "é", None)
    parts = ((0, rows_part([row, row._replace(x=None, s="", offset=1)])), (1, partials_part([row])))
    return encode(Frame("plan", 0, 0, 2, 5, parts=parts, account=ACCOUNT))


SAMPLE = sample()


def assert_whole_or_refused(data: bytes) -> None:
    """Damage in a number cannot be seen (Kafka's checksum sees it); but what is accepted has the shape of a frame."""
    try:
        frame = decode(data)
    except IntegrityError:
        return
    assert frame.start <= frame.end
    for number, part in frame.parts:
        assert number >= 0
        columns = part.columns if isinstance(part, RowsPart) else part.group
        assert {len(c) for c in columns.values()} <= {len(part)}
        for text in (c for c in columns.values() if isinstance(c, Text)):
            assert int((text.start + text.length).max(initial=0)) + PADDING <= len(text.data)
        if isinstance(part, PartialsPart):
            for state in part.states.values():
                kernels_of_groups.check(state, len(part))
            part.take(np.arange(len(part)))
    encode(frame)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_are_refused_or_still_a_frame(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SAMPLE)
    for at, byte in changes:
        data[at] = byte
    assert_whole_or_refused(bytes(data))


def test_every_byte_of_the_header_can_be_damaged_without_harm() -> None:
    size = 8 + int.from_bytes(SAMPLE[4:8], "little")
    for at in range(size):
        for byte in (0x00, 0x7F, 0x80, 0xC0, 0xC1, 0xCF, 0xD3, 0xDD, 0xFF, SAMPLE[at] ^ 1):
            assert_whole_or_refused(SAMPLE[:at] + bytes([byte]) + SAMPLE[at + 1 :])


@settings(max_examples=200)
@given(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=6), st.integers(0, 20))
def test_bytes_put_in_or_left_out_are_refused_or_still_a_frame(at: int, more: bytes, fewer: int) -> None:
    assert_whole_or_refused(SAMPLE[:at] + more + SAMPLE[at + fewer :])


@pytest.mark.parametrize("size", range(0, len(SAMPLE) - 8, 97))
def test_a_frame_that_ends_early_is_refused(size: int) -> None:
    with pytest.raises(IntegrityError):
        decode(SAMPLE[:size])


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    for prefix in (b"", b"LS", b"LS\x01\x00", b"LS\x01\x00\x10\x00\x00\x00"):
        with pytest.raises(IntegrityError):
            decode(prefix + data)


def test_a_part_whose_columns_differ_in_length_is_refused() -> None:
    time, two = np.zeros(3, np.int64), np.zeros(2, np.int64)
    short: dict[str, State] = {"count.1(*)": {"rows": two}}
    for part in (
        RowsPart({"s": WORDS}, time, two),
        RowsPart({"n": Numbers(two)}, time, time),
        RowsPart({}, time.astype(np.float64), time),
        PartialsPart({"s": WORDS}, time, time, short),
    ):
        with pytest.raises(IntegrityError, match="length"):
            decode(encode(Frame("p", 0, 0, 1, 0, parts=((0, part),))))


def test_a_frame_of_a_backward_range_or_an_unknown_section_is_refused() -> None:
    for frame in (Frame("p", 0, 5, 4, 0), Frame("p", 0, 0, 1, 0, parts=((-1, rows_part([])),))):
        with pytest.raises(IntegrityError, match="new `version`"):
            decode(encode(frame))
