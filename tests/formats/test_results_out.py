import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.formats.results_out import Row, open_output

ROWS: list[Row] = [
    {"g": 'a,"b"', "n": 1, "mean": 0.1, "final": True, "none": None},
    {"g": "Ω", "n": 2, "mean": 1e-300, "final": False, "none": None},
]


def unpacked(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data).decode()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data).decode()
    return data.decode()


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_json_lines_come_back(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"out.jsonl{packing}"
    with open_output(path) as output:
        output.write(ROWS[:1])
        output.write([])
        output.write(ROWS[1:])
    assert [json.loads(line) for line in unpacked(path).splitlines()] == ROWS


def test_lists_and_objects_are_json_in_a_cell_of_csv_and_their_numbers_are_finite(tmp_path: Path) -> None:
    row: Row = {"bins": [0, 3, 1], "top": [{"value": "é,", "count": 2}], "none": None}
    with open_output(tmp_path / "out.csv") as output:
        output.write([row])
        with pytest.raises(LeptonError, match="result column bins is inf"):
            output.write([{**row, "bins": [0.5, float("inf")]}])
    (found,) = csv.DictReader(io.StringIO(unpacked(tmp_path / "out.csv")))
    assert [json.loads(found["bins"]), json.loads(found["top"])] == [row["bins"], row["top"]]


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_csv_comes_back_with_one_header(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"out.csv{packing}"
    with open_output(path) as output:
        output.write(ROWS[:1])
        output.write(ROWS[1:])
    rows = list(csv.reader(io.StringIO(unpacked(path))))
    assert rows == [list(ROWS[0]), ['a,"b"', "1", "0.1", "true", ""], ["Ω", "2", "1e-300", "false", ""]]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.zst", "out.csv"])
def test_rows_can_be_read_before_the_output_is_closed(tmp_path: Path, name: str) -> None:
    output = open_output(tmp_path / name)
    output.write(ROWS)
    assert "Ω" in unpacked(tmp_path / name)
    output.close()


def test_equal_results_make_equal_files(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        with open_output(tmp_path / name) as output:
            output.write(ROWS)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_standard_output_stays_open() -> None:
    stream = io.BytesIO()
    with open_output("-", stream) as output:
        output.write(ROWS)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == ROWS


def test_a_number_that_is_not_finite_is_never_written_as_null(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.jsonl") as output, pytest.raises(LeptonError, match="mean is nan"):
        output.write([{"mean": float("nan")}])


def test_csv_refuses_rows_with_other_columns(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.csv") as output:
        output.write([{"a": 1}])
        with pytest.raises(UsageError, match=r"write \.jsonl"):
            output.write([{"b": 1}])


def test_outputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for suffix in (".xz", ".parquet", ".jsonl.bz2"):
        with pytest.raises(UsageError, match="results are written as"):
            open_output(tmp_path / f"out{suffix}")
        assert not (tmp_path / f"out{suffix}").exists()
    with pytest.raises(UsageError, match="cannot be written"):
        open_output(tmp_path / "no" / "out.jsonl")
    with pytest.raises(UsageError, match="no standard output"):
        open_output("-")


VALUES = st.one_of(
    st.lists(st.text(st.characters(codec="utf-8")), min_size=3, max_size=3),
    st.lists(st.integers(-(1 << 63), (1 << 63) - 1) | st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.text('",\\a', max_size=3),
        min_size=3,
        max_size=3,
    ),
    st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=3, max_size=3),
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, min_size=1, max_size=4),
    st.sampled_from(["jsonl", "csv"]),
)
def test_columns_are_written_as_their_rows_are(columns: dict[str, list[object]], form: str) -> None:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        by_column, by_row = Path(folder) / f"c.{form}", Path(folder) / f"r.{form}"
        with open_output(by_column) as output:
            output.write_columns({name: [] for name in columns})
            output.write_columns(columns)
        with open_output(by_row) as output:
            output.write(rows)
        assert by_column.read_bytes() == by_row.read_bytes()


@pytest.mark.parametrize("values", [[1.0, float("nan")], [None, "a", float("-inf")], [[1], [0.5, float("inf")]]])
def test_a_column_with_a_number_that_is_not_finite_is_refused_by_name(tmp_path: Path, values: list[object]) -> None:
    with open_output(tmp_path / "out.jsonl") as output, pytest.raises(LeptonError, match="result column x is"):
        output.write_columns({"g": ["a"] * len(values), "x": values})
    assert (tmp_path / "out.jsonl").read_bytes() == b""
