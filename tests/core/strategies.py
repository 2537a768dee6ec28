"""Hypothesis strategies for whole source partitions: good records, wild numbers, ties, repeats, and anything else."""

from __future__ import annotations

import orjson
from hypothesis import strategies as st

DEVICES = ("a", "b", "ß", "", "x" * 300, '"', "\x00")
WILD = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 1e-300, 1.5, 0.1]),
    st.integers(-5, 5).map(float),
)
TAME = st.one_of(st.floats(-1e9, 1e9), st.integers(-3, 3).map(float))
TIMES = st.one_of(st.integers(-20, 120).map(lambda n: n / 4), st.sampled_from([10.0, 9.999999, 1e9, -62e9, 1e300]))
INTEGERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 2))


def good(values: st.SearchStrategy[float]) -> st.SearchStrategy[bytes]:
    """Records that decode; few ids and times, so that duplicates, ties and late ones are common."""
    fields = {
        "t": TIMES,
        "device": st.sampled_from(DEVICES),
        "id": st.integers(0, 6),
        "value": st.none() | values,
        "seq": st.none() | INTEGERS,
        "ok": st.booleans(),
    }
    return st.fixed_dictionaries(fields).map(orjson.dumps)


def _spliced(parts: tuple[bytes, int, int, bytes]) -> bytes:
    text, at, upto, piece = parts
    a, b = sorted((at % (len(text) + 1), upto % (len(text) + 1)))
    return text[:a] + piece + text[b:]


_SHORT = (b"\n", b"\r\n", b"{}", b"}{", b'"', b",", b"\xff", b"\xed\xa0\x80", b"\xe2\x82", b"\x82", b"\x00", b" " * 9)
_WORDS = (
    b"\\ud800",
    b"\\u0000",
    b"[" * 40,
    b"NaN",
    b"1e999",
    b"null",
    b"9223372036854775808",
    b"-0.0",
    b"1_0",
    b"True",
)
PIECES = st.one_of(st.binary(max_size=6), st.sampled_from(_SHORT + _WORDS))
SPOILED = st.tuples(good(WILD), st.integers(0, 200), st.integers(0, 200), PIECES).map(_spliced)
ANYTHING: st.SearchStrategy[bytes | None] = st.one_of(
    good(WILD), SPOILED, st.binary(max_size=40), st.sampled_from([None, b"", b"null", b"17", b"[]", b"{}", b" "])
)


def partitions(
    records: st.SearchStrategy[bytes] | st.SearchStrategy[bytes | None], most: int = 30
) -> st.SearchStrategy[list[list[bytes | None]]]:
    """One to three source partitions."""
    return st.lists(st.lists(records, max_size=most), min_size=1, max_size=3)
