"""Reports come back as they were written, whatever else comes is no report, and none grows without bound."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.autopilot.placing import Report, decide
from lepton_stream.autopilot.reporting import MOST_BYTES, Word, report_of, report_to_bytes, word_of, word_to_bytes
from lepton_stream.chunk import SourcePartition

CORES = st.none() | st.floats(0, 1000)
OWNED = st.lists(
    st.tuples(st.builds(SourcePartition, st.text(max_size=8), st.integers(0, 5000)), CORES),
    max_size=20,
    unique_by=lambda pair: pair[0],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("vngcoma"), inner, max_size=7),
    max_leaves=20,
)


def report(pairs: list[tuple[SourcePartition, float | None]], name: str = "w", generation: int = 3) -> Report:
    return Report(name, generation, tuple(tp for tp, _ in pairs), tuple(load for _, load in pairs), 0.5)


@given(OWNED, st.text(max_size=120), st.integers(-1, 1 << 30))
def test_a_report_comes_back_as_it_was_written_to_four_places(
    pairs: list[tuple[SourcePartition, float | None]], name: str, generation: int
) -> None:
    told = report(pairs, name, generation)
    read = report_of(report_to_bytes(told))
    assert read is not None
    assert (read.name, read.generation, read.capacity) == (name, generation, 0.5)
    by_partition = dict(zip(read.owned, read.loads, strict=True))
    assert by_partition == {tp: None if load is None else pytest.approx(load, abs=1e-4) for tp, load in pairs}


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    assert report_of(data) is None
    assert word_of(data) is None


@given(st.dictionaries(st.sampled_from("ngcoma"), JSON))
def test_json_of_any_shape_is_a_sound_report_or_none(told: dict[str, object]) -> None:
    for data in (json.dumps(told), json.dumps({"v": 1, **told}), json.dumps({"v": 1, "n": "", "g": 1, "c": 1, **told})):
        read = report_of(data.encode())
        if read is not None:
            assert report_of(report_to_bytes(read)) == replace(
                read, loads=tuple(None if load is None else round(load, 4) for load in read.loads),
                capacity=None if read.capacity is None else round(read.capacity, 4),
            )  # fmt: skip
            decide({"m": read}, read.owned or [SourcePartition("t", 0)])
        word_of(data.encode())


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"[" * 100_000,
        b'{"v":2,"n":"w","g":1,"c":1,"o":[]}',
        b'{"v":1,"n":"w","g":1,"c":NaN,"o":[]}',
        b'{"v":1,"n":"w","g":1,"c":-1,"o":[]}',
        b'{"v":1,"n":"w","g":1,"c":1e999,"o":[]}',
        b'{"v":1,"n":"w","g":1,"c":1,"o":[["t",[0,1],[0.5]]]}',
        b'{"v":1,"n":"w","g":1,"c":1,"o":[["t",[-1],[0.5]]]}',
        b'{"v":1,"n":"w","g":1,"o":[]}',
    ],
)
def test_damaged_reports_and_those_of_other_versions_are_none(data: bytes | None) -> None:
    assert report_of(data) is None


def test_fields_of_a_later_version_of_this_format_are_passed_over() -> None:
    read = report_of(b'{"v":1,"n":"w","g":1,"c":0.5,"o":[["t",[3],[0.25]]],"later":{}}')
    assert read == Report("w", 1, (SourcePartition("t", 3),), (0.25,), 0.5)


def test_of_a_report_with_very_many_partitions_the_first_ones_are_told() -> None:
    owned: list[tuple[SourcePartition, float | None]] = [
        (SourcePartition(f"topic-{t}", p), 0.1234) for t in range(3) for p in range(5000)
    ]
    data = report_to_bytes(report(owned, name="w" * 10_000))
    assert len(data) <= MOST_BYTES
    read = report_of(data)
    assert read is not None
    assert 1000 < len(read.owned) < len(owned)
    assert read.owned == tuple(tp for tp, _ in owned[: len(read.owned)])


def test_the_leaders_word_comes_back() -> None:
    assert word_of(word_to_bytes(Word(3, asked=True))) == Word(3, asked=True)
    assert word_of(word_to_bytes(Word(1, asked=False))) == Word(1, asked=False)
    assert word_of(report_to_bytes(report([]))) is None
