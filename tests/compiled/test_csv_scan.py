"""The compiled CSV scanner says what the portable decoder says, of every field of every record, whatever the bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.formats.csv_records import CsvDecoder
from lepton_stream.pipeline.plan import Default, Field, FieldType, FileForm, FileTime, Source
from tests.compiled.both_ways import both, compiled, functions, spans_of, told

HEADER = ("id", "No", "f", "g", "flag", "o", "note", "unused", "y", "m", "d", "h", "min", "s")
FIELDS = (
    Field("id", "str"),
    Field("n", "int"),
    Field("f", "float", required=False),
    Field("g", "float", on_bad="null"),
    Field("flag", "bool", required=False),
    Field("o", "bool", on_bad=Default(value=True)),
    Field("note", "str", on_bad=Default("mended é")),
    Field("s", "float"),
    Field("gone", "str", required=False),
    Field("y", "int", on_bad=Default(7)),
    Field("t", "float"),
)
NULLS = ("", "NA", "-999", "a long word for nothing")
TIME = FileTime(("y", "m", "d", "h", "min", "s"), "Europe/Berlin")
GOOD = ["x", "1", "2.5", "-0.5", "true", "FALSE", "words", "z", "2021", "3", "28", "1", "30", "59.25"]


def decoder(delimiter: str = ",", time: FileTime | None = TIME, fields: tuple[Field, ...] = FIELDS) -> CsvDecoder:
    form = FileForm("csv", delimiter, null=NULLS, rename=(("No", "n"),), time=time)
    return CsvDecoder(Source("t", time="t", max_record_bytes=300), fields, form, HEADER)


DECODERS = {d: decoder(d) for d in (",", ";", "\t", "é")}


def same(records: Sequence[bytes | None], by: CsvDecoder) -> None:
    portable, fast = both(lambda: told(by.decode(spans_of(list(records)))))
    assert fast["rows"] == portable["rows"]
    assert fast["rejects"] == portable["rejects"]
    assert fast["columns"] == portable["columns"]
    assert fast["mended"] == portable["mended"]


def taken(kind: FieldType, cell: bytes) -> bool:
    """Whether the scanner is sure of a line with just this cell."""
    table = functions.csv_table([(0, kind, True)], 1, b",", [word.encode() for word in NULLS])
    assert table is not None
    return bool(functions.scan_csv(*spans_of([cell]).spans(), table, 1 << 20).taken[0])


numbers = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.integers(0, 3000).map(str),
    st.floats(allow_nan=False).map(repr),
    st.floats(-99, 99).map(lambda f: f"{f:.2f}"),
    st.from_regex(r"\A[+-]?[0-9]{0,24}[.]?[0-9]{0,24}([eE][+-]?[0-9]{0,5})?\Z"),
)
cells = st.one_of(
    numbers,
    st.sampled_from(
        [*NULLS, "NAN", "nan", "inf", "True", "tRUE", "1", "0", "2", "-0", "--1", "1e5", " 1", "٣", "\x14rue"]
    ),
    st.text(max_size=9),
    st.text('a",;\t"\r é\x00', max_size=6),
)


@st.composite
def lines(draw: st.DrawFn) -> bytes | None:
    """A good line with a few cells changed, written with one of several kinds of quotes, then perhaps damaged."""
    row = list(GOOD)
    for place in draw(st.lists(st.integers(0, len(row) - 1), max_size=4)):
        row[place] = draw(cells)
    delimiter = draw(st.sampled_from([",", ",", ",", ";", "\t", "é"]))
    quoting = draw(st.sampled_from(["none", "all", "needed", "sloppy"]))
    written = [_quoted(cell, quoting, delimiter) for cell in row]
    if draw(st.integers(0, 9)) == 0:
        written = written[: draw(st.integers(0, len(written)))] + draw(st.lists(cells, max_size=2))
    line = bytearray(delimiter.join(written).encode("utf-8", "surrogatepass"))
    line += draw(st.sampled_from([b"", b"", b"\n", b"\r\n", b"\r", b"\r\r", b"\n\n"]))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        if line:
            line[draw(st.integers(0, len(line) - 1))] = draw(st.sampled_from([0, 10, 13, 34, 44, 59, 0x80, 0xC3, 0xFF]))
    return draw(st.sampled_from([bytes(line)] * 9 + [None]))


def _quoted(cell: str, quoting: str, delimiter: str) -> str:
    doubled = '"' + cell.replace('"', '""') + '"'
    if quoting == "needed":
        return doubled if '"' in cell or delimiter in cell else cell
    return {"none": cell, "all": doubled, "sloppy": f'"{cell}"'}[quoting]


@settings(max_examples=400)
@given(st.sampled_from(sorted(DECODERS)), st.lists(lines() | st.binary(max_size=40), max_size=6))
def test_same_for_valid_dirty_and_hostile_lines(delimiter: str, records: list[bytes | None]) -> None:
    same(records, DECODERS[delimiter])


@settings(max_examples=300)
@given(st.sampled_from(["int", "float", "bool", "str"]), st.lists(cells, min_size=1, max_size=20))
def test_same_for_every_cell_of_every_type(kind: FieldType, column: list[str]) -> None:
    by = CsvDecoder(Source("t", time="x"), (Field("x", kind, required=False),), FileForm("csv", null=NULLS), ("x",))
    same([cell.encode("utf-8", "surrogatepass") for cell in column], by)


def test_same_for_floats_of_all_sizes() -> None:
    draw = random.Random(2)
    values = [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(20_000)]
    texts = [f"{v:.{draw.randrange(1, 25)}{draw.choice('eg')}}" for v in values] + [repr(v) for v in values]
    by = CsvDecoder(Source("t", time="x"), (Field("x", "float"),), FileForm("csv"), ("x",))
    same([text.encode() for text in texts], by)


@pytest.mark.parametrize(
    ("columns", "form"),
    [
        (("y", "m", "d"), None),
        (("y", "m", "d", "h"), None),
        (("note",), "%Y-%m-%d %H:%M:%S"),
        (("note",), "%Y-%m-%dT%H:%M:%S"),
        (("note",), "%Y-%m-%dT%H:%M:%S%z"),
        (("note", "id"), "%d.%m.%Y %H:%M"),
    ],
)
def test_same_for_event_times_of_several_columns(columns: tuple[str, ...], form: str | None) -> None:
    by = decoder(time=FileTime(columns, "America/New_York", form))
    notes = ["2021-03-28 01:30:00", "2021-03-28T01:30:00+02:00", "28.3.2021", "2021-11-07 01:30:00", "2021-3-1 1:2:3"]
    notes += ["2021-02-29 00:00:00", "2020-02-29 23:59:60", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "NA", "x", ""]
    rows = []
    for note in notes:
        for name in ("7:05", "01:30", "NA"):
            row = list(GOOD)
            row[0], row[6] = name, note
            rows.append(",".join(row).encode())
    same([*rows, b"\xff" + rows[0], b",".join([b"1"] * 14)], by)


def test_plain_and_simply_quoted_cells_are_taken() -> None:
    assert all(
        taken("float", cell) for cell in (b"1", b"-2.5", b"+.5", b"5.", b"1e5", b'"7.25"', b"NA", b'"NA"', b"1\r\n")
    )
    assert all(taken("str", cell) for cell in (b"x", b'"a,b"', "é€😀".encode(), b"a\x00b", b'a"b', b'""', b"x" * 99))
    assert all(taken("bool", cell) for cell in (b"true", b"FALSE", b"0", b"1"))
    assert all(taken("int", cell) for cell in (b"12", b"-9223372036854775808", b"007", b"-999"))


def test_doubtful_cells_are_left() -> None:
    left = [
        ("float", b"x"),
        ("float", b"1" * 20),
        ("float", b"1e400"),
        ("int", b"1.0"),
        ("int", b"9223372036854775808"),
    ]
    left += [("str", b'"a""b"'), ("str", b'"a'), ("str", b"a\rb"), ("str", b"\xff"), ("str", b"a,b"), ("str", b"")]
    assert not any(taken(kind, cell) for kind, cell in left)  # type: ignore[arg-type]


def test_a_record_never_reads_its_neighbours() -> None:
    """The same line between other lines: the buffer goes on behind it, with what would fit."""
    by = CsvDecoder(Source("t", time="x"), (Field("x", "float"), Field("y", "str")), FileForm("csv"), ("x", "y"))
    for inside in (b"1", b"1,", b"1,a", b"tru", b'1,"a', b"1,\xc3", b""):
        for after in (b"2,b", b'"', b"\xa9,b", b",c", b"e5,c", b"\n"):
            with compiled():
                alone = told(by.decode(spans_of([inside])))
                among = told(by.decode(spans_of([b"3,z", inside, after])))
            assert [r[1:] for r in alone["rejects"]] == [r[1:] for r in among["rejects"] if r[0] == 1]


def test_a_plan_of_more_fields_than_bits_is_read_the_portable_way() -> None:
    names = tuple(f"c{i}" for i in range(80))
    fields = tuple(Field(name, "int", required=False) for name in names)
    by = CsvDecoder(Source("t", time="c0"), fields, FileForm("csv"), names)
    same([b",".join(b"%d" % i for i in range(80)), b",".join([b""] * 80)], by)
