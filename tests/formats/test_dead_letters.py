import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import SourcePartition
from lepton_stream.formats.dead_letters import KEPT_BYTES, DeadLetter, dead_letter, from_line, to_line
from lepton_stream.formats.decoder import Reason, Reject

SOURCE = SourcePartition("in.jsonl", 2)


@given(
    st.none() | st.binary() | st.text().map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.integers(0, 2**62),
    st.sampled_from(Reason),
)
def test_a_dead_letter_comes_back_to_the_byte(value: bytes | None, offset: int, reason: Reason) -> None:
    letter = DeadLetter(SOURCE, offset, reason, "pm25: expected a number", value)
    line = to_line(letter)
    assert line.count(b"\n") == 1
    assert from_line(line) == letter


def test_text_stays_readable_and_other_bytes_are_base64() -> None:
    assert json.loads(to_line(DeadLetter(SOURCE, 7, Reason.DECODE_ERROR, "d", b'{"a'))) == {
        "topic": "in.jsonl",
        "partition": 2,
        "offset": 7,
        "reason": "decode_error",
        "detail": "d",
        "value": '{"a',
    }
    assert json.loads(to_line(DeadLetter(SOURCE, 7, Reason.DECODE_ERROR, "d", b"\xff")))["value_base64"] == "/w=="


@pytest.mark.parametrize("length", [None, 3_000_000])
def test_of_an_oversize_record_the_beginning_is_kept_and_its_length_told(length: int | None) -> None:
    letter = dead_letter(SOURCE, 1, Reject(0, Reason.TOO_LARGE, "expected at most 9 bytes"), b"x" * 100_000, length)
    assert letter.value == b"x" * KEPT_BYTES
    assert letter.detail == f"expected at most 9 bytes, got {length or 100_000}; the first 65536 are kept"


def test_other_records_are_kept_whole() -> None:
    letter = dead_letter(SOURCE, 1, Reject(0, Reason.DECODE_ERROR, "d"), b"x" * 100_000)
    assert (letter.value, letter.detail) == (b"x" * 100_000, "d")
