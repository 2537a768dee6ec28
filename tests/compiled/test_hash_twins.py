"""Compiled fingerprints, keys and cells against their portable twins, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Column, Numbers, text_from_bytes
from lepton_stream.dedup.fingerprint import LONG, Key, fingerprints
from lepton_stream.shuffle.murmur2 import murmur2
from lepton_stream.shuffle.routing import cells
from tests.compiled.twins import both

KEY = Key(0x0706050403020100, 0x0F0E0D0C0B0A0908)
lengths = st.sampled_from((0, 1, 7, 8, 9, 15, 16, LONG, LONG + 1, 1500))
texts = st.none() | st.binary(max_size=20) | lengths.map(bytes)
floats = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from((0.0, -0.0, 5e-324))
integers = st.integers(-(2**63), 2**63 - 1)


@st.composite
def column_sets(draw: st.DrawFn) -> list[Column]:
    """One to four columns of one length, some with missing rows."""
    n = draw(st.integers(0, 12))
    columns: list[Column] = []
    for kind in draw(st.lists(st.sampled_from("tfib"), min_size=1, max_size=4)):
        if kind == "t":
            columns.append(text_from_bytes(draw(st.lists(texts, min_size=n, max_size=n))))
            continue
        drawn, dtype = {"f": (floats, np.float64), "i": (integers, np.int64), "b": (st.booleans(), np.bool_)}[kind]
        values: Any = np.array(draw(st.lists(drawn, min_size=n, max_size=n)), dtype)
        valid = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
        values[~valid] = 0
        columns.append(Numbers(values, None if valid.all() else valid))
    return columns


@settings(max_examples=200)
@given(column_sets())
@example([text_from_bytes([b"a", b"b" * LONG, b"c" * (LONG + 1)])])
def test_fingerprints_are_the_same_on_both_paths(columns: list[Column]) -> None:
    portable, compiled = both(lambda: fingerprints(columns, KEY))
    assert portable.high.tolist() == compiled.high.tolist()
    assert portable.low.tolist() == compiled.low.tolist()


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=40) | lengths.map(lambda n: b"\xff" * n), max_size=12))
def test_hashes_of_keys_are_the_same_on_both_paths(keys: list[bytes]) -> None:
    portable, compiled = both(lambda: murmur2(text_from_bytes(keys)))
    assert portable.tolist() == compiled.tolist()
    assert compiled.dtype == np.uint32


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from((b"a", b"b", b"")), st.integers(-3, 3)), max_size=60), st.booleans())
def test_cells_have_the_same_numbers_on_both_paths(rows: list[tuple[bytes, int]], grouped: bool) -> None:
    group = [text_from_bytes([key for key, _ in rows])] if grouped else []
    window = np.array([number for _, number in rows], np.int64)
    portable, compiled = both(lambda: cells(group, window, KEY))
    for name in ("code", "first", "window"):
        assert getattr(portable, name).tolist() == getattr(compiled, name).tolist()
    assert portable.prints.low.tolist() == compiled.prints.low.tolist()
    assert portable.prints.high.tolist() == compiled.prints.high.tolist()


@pytest.mark.parametrize("n", [0, 1, 1000, 20_000])
def test_many_cells_have_the_same_numbers_on_both_paths(n: int) -> None:
    draw = np.random.default_rng(n)
    group = [Numbers(draw.integers(0, max(n // 3, 1), n))]
    window = draw.integers(-5, 5, n)
    portable, compiled = both(lambda: cells(group, window, KEY))
    assert np.array_equal(portable.code, compiled.code)
    assert np.array_equal(portable.first, compiled.first)
