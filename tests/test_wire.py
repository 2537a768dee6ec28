"""The bytes of frames and state: read back exactly, refused when damaged, never a crash."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream import wire
from lepton_stream.columns import Columns, Numbers, Text, take, text_from_strings, to_list
from lepton_stream.errors import IntegrityError

DTYPES = ("<f8", "<i8", "<u8", "|b1", "|u1", "<i4", "<u4")
META = {"n": 2**64 - 1, "low": -(2**63), "words": ["", "é"], "none": None, "deep": {"x": [1.5, True]}}


@st.composite
def arrays_drawn(draw: st.DrawFn) -> wire.Arrays:
    names = draw(st.lists(st.text(max_size=5), unique=True, max_size=5))
    arrays: wire.Arrays = {}
    for name in names:
        dtype, size = np.dtype(draw(st.sampled_from(DTYPES))), draw(st.integers(0, 9))
        raw = draw(st.binary(min_size=size * dtype.itemsize, max_size=size * dtype.itemsize))
        arrays[name] = np.frombuffer(raw, np.uint8) > 127 if dtype == np.bool_ else np.frombuffer(raw, dtype)
    return arrays


def told(arrays: wire.Arrays) -> dict[str, tuple[str, bytes]]:
    return {name: (a.dtype.str, a.tobytes()) for name, a in arrays.items()}


def framed(header: bytes, rest: bytes = b"") -> bytes:
    """A header of our own making in a well-formed shell."""
    return b"LS\x01\x00" + len(header).to_bytes(4, "little") + header + bytes(-len(header) % 8) + rest


def described(*arrays: tuple[Any, Any, Any]) -> bytes:
    return framed(msgspec.msgpack.encode([{}, arrays]), bytes(64))


@settings(max_examples=150)
@given(arrays_drawn())
def test_what_was_dumped_is_loaded_bit_for_bit(arrays: wire.Arrays) -> None:
    meta, found = wire.load(wire.dump(META, arrays))
    assert meta == META
    assert list(found) == list(arrays)
    assert told(found) == told(arrays)


def test_equal_content_makes_equal_bytes_whatever_the_memory_layout() -> None:
    strided = np.arange(20)[::2]
    assert wire.dump({}, {"a": strided}) == wire.dump({}, {"a": strided.copy()})


def test_loaded_arrays_are_aligned_and_cannot_be_written() -> None:
    _, found = wire.load(wire.dump(META, {"a": np.ones(3, np.uint8), "b": np.arange(4)}))
    assert found["b"].flags.aligned
    with pytest.raises(ValueError, match="read-only"):
        found["b"][0] = 1


@pytest.mark.parametrize("length", [9, 2**32, 2**60, 2**61, 2**63, 2**64 - 1, -1])
def test_a_length_beyond_the_bytes_is_refused_without_allocating(length: int) -> None:
    with pytest.raises(IntegrityError, match="damaged"):
        wire.load(described(("a", "<f8", length)))


@pytest.mark.parametrize(
    "array", [("a", "|O8", 1), ("a", "<U4", 1), ("a", ">i8", 1), ("a", "", 1), ("a", 3, 1), (b"a", "<i8", 1), (1, 2, 3)]
)
def test_an_array_of_an_unknown_kind_is_refused(array: tuple[Any, Any, Any]) -> None:
    with pytest.raises(IntegrityError, match="damaged"):
        wire.load(described(array))


def test_deep_nesting_is_refused_not_followed() -> None:
    with pytest.raises(IntegrityError, match="damaged"):
        wire.load(framed(b"\x92\x81\xa1a" + b"\x91" * 100_000))


@pytest.mark.parametrize(
    "claim", [b"\x92\xdf\xff\xff\xff\xff", b"\x92\x80\xdd\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff"]
)
def test_a_header_that_claims_billions_of_entries_is_refused(claim: bytes) -> None:
    with pytest.raises(IntegrityError, match="damaged"):
        wire.load(framed(claim + bytes(40)))


def test_bytes_that_are_no_truth_values_are_refused() -> None:
    data = wire.dump({}, {"a": np.array([False, True])})
    at = data.rindex(b"\x00\x01")
    with pytest.raises(IntegrityError, match="truth"):
        wire.load(data[:at] + b"\x00\x02" + data[at + 2 :])


def test_another_version_says_which_build_to_use() -> None:
    data = wire.dump({}, {})
    with pytest.raises(IntegrityError, match="version 2: this build reads version 1"):
        wire.load(data[:2] + b"\x02" + data[3:])


@pytest.mark.parametrize("data", [b"", b"L", b"LS", b"LS\x01", b"LS\x01\x00\x00\x00\x00", b"\x00" * 40, b"{}"])
def test_bytes_of_others_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        wire.load(data)


@settings(max_examples=300)
@given(st.data(), arrays_drawn())
def test_damaged_bytes_are_refused_or_load(data: st.DataObject, arrays: wire.Arrays) -> None:
    good = bytearray(wire.dump(META, arrays))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(good)))
    try:
        _, found = wire.load(bytes(good[:end]))
    except IntegrityError:
        return
    assert sum(a.nbytes for a in found.values()) <= len(good)


class Shape(TypedDict):
    n: int
    words: list[str]


def test_a_header_can_be_held_to_a_type() -> None:
    meta, _ = wire.load(wire.dump({"n": 1, "words": ["a"]}, {}), Shape)
    assert meta == {"n": 1, "words": ["a"]}
    for wrong in ({"n": "1", "words": []}, {"n": 1}, {"n": 1, "words": [1]}):
        with pytest.raises(IntegrityError, match="damaged"):
            wire.load(wire.dump(wrong, {}), Shape)


COLUMNS: Columns = {
    "text": text_from_strings(["a", "", None, "é\x00", "tail"]),
    "text/length": take(text_from_strings(["a", "b", "c", "d", "e"]), np.array([4, 3, 2, 1, 0])),
    "float": Numbers(np.array([0.5, -0.0, 5e-324, 0, 1e308]), np.array([True, True, True, False, True])),
    "int": Numbers(np.array([1, 2**63 - 1, -(2**63), 0, 5])),
    "bool": Numbers(np.array([True, False, True, True, False])),
}


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0), slice(None, None, -2)])
def test_columns_travel_with_their_nulls(rows: slice) -> None:
    arrays: wire.Arrays = {}
    wire.put_columns(arrays, "c", {name: take(c, rows) for name, c in COLUMNS.items()})
    _, loaded = wire.load(wire.dump({}, arrays))
    found = wire.get_columns(loaded, "c", tuple(COLUMNS))
    assert {n: repr(to_list(c)) for n, c in found.items()} == {
        n: repr(to_list(take(c, rows))) for n, c in COLUMNS.items()
    }
    assert [type(c) for c in found.values()] == [type(c) for c in COLUMNS.values()]


def test_a_column_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        wire.get_column({}, "x")


I8, U1 = np.int64, np.uint8


@pytest.mark.parametrize(
    "arrays",
    [
        {"x/text": np.zeros(3, U1), "x/length": np.array([1, 1])},
        {"x/text": np.zeros(3, U1), "x/length": np.array([-1, 4])},
        {"x/text": np.zeros(3, U1), "x/length": np.array([2**62, 2**62, 2**62, 2**62, 3])},
        {"x/text": np.zeros(3, U1), "x/length": np.array([1.0, 2.0])},
        {"x/text": np.zeros(3, I8), "x/length": np.array([3])},
        {"x/text": np.zeros(3, U1), "x/length": np.array([3]), "x/valid": np.array([True, True])},
        {"x/values": np.zeros(2), "x/valid": np.array([True])},
        {"x/values": np.zeros(2), "x/valid": np.array([1, 1])},
        {"x/values": np.zeros(2, U1)},
    ],
)
def test_columns_whose_arrays_do_not_agree_are_refused(arrays: wire.Arrays) -> None:
    with pytest.raises(ValueError, match="column 'x'"):
        wire.get_column(arrays, "x")


def test_text_is_loaded_with_its_padding() -> None:
    arrays: wire.Arrays = {}
    wire.put_column(arrays, "x", text_from_strings(["abc"]))
    found = wire.get_column(wire.load(wire.dump({}, arrays))[1], "x")
    assert isinstance(found, Text)
    assert found.data.tobytes() == b"abc" + bytes(8)
