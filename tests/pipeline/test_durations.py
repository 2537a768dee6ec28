from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.pipeline import durations as d


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("10s", 10_000_000),
        ("1h", 3_600_000_000),
        ("500ms", 500_000),
        ("7d", 604_800_000_000),
        ("1w", 604_800_000_000),
        ("1.5h", 5_400_000_000),
        ("0s", 0),
        ("0.000001s", 1),
        ("3us", 3),
        ("90m", 5_400_000_000),
        (" 2m ", 120_000_000),
    ],
)
def test_duration_is_read_to_whole_microseconds(text: str, us: int) -> None:
    assert d.parse_duration(text) == us


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-1s", "1 s", "1x", "1h30m", "1e3s", "\u0661s", "1.s", ".5s", "1S", "9" * 5000]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expects a duration such as"):
        d.parse_duration(text)


def test_parts_of_a_microsecond_are_refused() -> None:
    with pytest.raises(ValueError, match="whole number of microseconds"):
        d.parse_duration("1.5us")


def test_durations_end_at_a_hundred_years() -> None:
    assert d.parse_duration("36525d") == d.MAX_US
    with pytest.raises(ValueError, match="at most 100 years"):
        d.parse_duration("36526d")


@given(st.integers(0, d.MAX_US))
def test_duration_text_reads_back(us: int) -> None:
    assert d.parse_duration(d.duration_text(us)) == us
    assert re.search(d.DURATION_PATTERN, d.duration_text(us))


def test_duration_text_takes_the_largest_unit_that_divides() -> None:
    assert [d.duration_text(us) for us in (0, 1, 1_500, 5_400_000_000, 604_800_000_000)] == [
        "0s",
        "1us",
        "1500us",
        "90m",
        "7d",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [("64MiB", 67_108_864), ("512KiB", 524_288), ("1MB", 1_000_000), ("2kB", 2_000), ("10B", 10), ("1.5KiB", 1536)],
)
def test_size_is_read_to_whole_bytes(text: str, count: int) -> None:
    assert d.parse_size(text) == count


@pytest.mark.parametrize(
    ("text", "wish"), [("5", "a size such as"), ("1mib", "a size such as"), ("0.3B", "whole number")]
)
def test_what_is_no_size_is_refused(text: str, wish: str) -> None:
    with pytest.raises(ValueError, match=wish):
        d.parse_size(text)


@given(st.integers(0, 2**50))
def test_size_text_reads_back(count: int) -> None:
    assert d.parse_size(d.size_text(count)) == count


@pytest.mark.parametrize("tell", [d.duration_text, d.size_text])
def test_negative_amounts_have_no_text(tell: object) -> None:
    with pytest.raises(ValueError, match="negative"):
        tell(-1)  # type: ignore[operator]
