"""CSV lines against the csv module, bad lines between good neighbours, typed cells, assembled event times."""

import contextlib
import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lepton_stream.chunk import Values
from lepton_stream.columns import to_list
from lepton_stream.formats.csv_lines import MalformedLine, split_line, without_line_end
from lepton_stream.formats.csv_records import CsvDecoder
from lepton_stream.formats.csv_table import split_table
from lepton_stream.formats.decoder import Decoded, Reason
from lepton_stream.formats.event_time import event_times
from lepton_stream.pipeline.plan import Default, Field, FieldType, FileForm, FileTime, Source, TimeUnit

FIELDS = (Field("id", "str"), Field("n", "int"), Field("note", "str", required=False), Field("v", "float"))
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  local time of any zone
FORM = FileForm(format="csv", null=("", "NA"), rename=(("Value", "v"),))
HEADER = ("id", "n", "note", "Value")


def decoder(fields: tuple[Field, ...] = FIELDS, form: FileForm = FORM, header: tuple[str, ...] = HEADER) -> CsvDecoder:
    return CsvDecoder(Source("t", time="v", max_record_bytes=2000), fields, form, header)


def rows_of(decoded: Decoded) -> dict[int, tuple[object, ...]]:
    columns = [to_list(c) for c in decoded.columns.values()]
    return dict(zip(decoded.rows.tolist(), zip(*columns, strict=True), strict=True))


BAD: list[tuple[str, bytes | None, Reason, str]] = [
    ("tombstone", None, Reason.NULL_VALUE, ""),
    ("empty", b"", Reason.DECODE_ERROR, "empty"),
    ("empty with CR", b"\r", Reason.DECODE_ERROR, "empty"),
    ("too few", b"x,1,2.0", Reason.DECODE_ERROR, "expected 4 columns, got 3"),
    ("too many", b"x,1,,2.0,", Reason.DECODE_ERROR, "expected 4 columns, got 5"),
    ("unclosed quote", b'x,1,"open,2.0', Reason.DECODE_ERROR, "quoted cell does not end"),
    ("text behind a quote", b'x,1,"a"b,2.0', Reason.DECODE_ERROR, "quoted cell does not end"),
    ("line break in quotes", b'x,1,"a\nb",2.0', Reason.DECODE_ERROR, "line break"),
    ("two lines", b"x,1,,2.0\ny,2,,3.0", Reason.DECODE_ERROR, "line break"),
    ("CR inside", b"x,1,a\rb,2.0", Reason.DECODE_ERROR, "line break"),
    ("bad UTF-8", b"\xff,1,,2.0", Reason.DECODE_ERROR, "UTF-8"),
    ("too large", b"x" * 2001, Reason.TOO_LARGE, "at most 2000 bytes"),
    ("missing text", b",1,,2.0", Reason.MISSING_FIELD, "id: expected a string, got nothing"),
    ("missing number", b"x,NA,,2.0", Reason.MISSING_FIELD, "n: expected an integer, got nothing"),
    ("text as number", b"x,1,,much", Reason.WRONG_TYPE, "v: expected a number, got other text"),
    ("nan", b"x,1,,nan", Reason.WRONG_TYPE, "v: "),
    ("inf", b"x,1,,inf", Reason.WRONG_TYPE, "v: "),
    ("1e999", b"x,1,,1e999", Reason.WRONG_TYPE, "v: "),
    ("underscore", b"x,1_0,,1", Reason.WRONG_TYPE, "n: "),
    ("hexadecimal", b"x,0x10,,1", Reason.WRONG_TYPE, "n: "),
    ("blanks", b"x,1,, 1", Reason.WRONG_TYPE, "v: "),
    ("fraction", b"x,1.0,,1", Reason.WRONG_TYPE, "n: "),
    ("other digits", b"x,\xd9\xa1,,1", Reason.WRONG_TYPE, "n: "),
    ("2^63", b"x,9223372036854775808,,1", Reason.INT_OUT_OF_RANGE, "n: "),
    ("many digits", b"x,-" + b"9" * 900 + b",,1", Reason.INT_OUT_OF_RANGE, "n: "),
]


@pytest.mark.parametrize(("record", "reason", "detail"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_line_is_refused_and_its_neighbours_are_untouched(
    record: bytes | None, reason: Reason, detail: str
) -> None:
    got = decoder().decode(Values.from_list([b"left,1,,1.5", record, b'"ri""ght",2,"a,b",2.5\r\n']))
    assert [(r.row, r.reason) for r in got.rejects] == [(1, reason)]
    assert detail in got.rejects[0].detail
    assert rows_of(got) == {0: ("left", 1, None, 1.5), 2: ('ri"ght', 2, "a,b", 2.5)}


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("float", b".5", 0.5),
        ("float", b"5.", 5.0),
        ("float", b"+3", 3.0),
        ("float", b"-1.5E-3", -0.0015),
        ("float", b"0071", 71.0),
        ("int", b"-9223372036854775808", -(2**63)),
        ("int", b"+007", 7),
        ("int", b"0" * 50 + b"9223372036854775807", 2**63 - 1),
        ("int", b"-" + b"0" * 50 + b"1", -1),
        ("bool", b"TRUE", True),
        ("bool", b"0", False),
        ("str", b" a ", " a "),
        ("str", "Ωκ".encode(), "Ωκ"),
    ],
)
def test_cells_are_read_as_their_type(kind: FieldType, cell: bytes, value: object) -> None:
    got = decoder((Field("x", kind),), header=("x",)).decode(Values.from_list([cell]))
    assert got.rejects == []
    assert rows_of(got) == {0: (value,)}


@pytest.mark.parametrize("cell", [b".", b"e5", b"1e", b"--1", b"1.5.", b"Infinity", b"0x1p3", b"1\xc2\xa0"])
def test_what_is_no_plain_decimal_is_no_number(cell: bytes) -> None:
    got = decoder((Field("x", "float"),), header=("x",)).decode(Values.from_list([cell]))
    assert [r.reason for r in got.rejects] == [Reason.WRONG_TYPE]


def test_on_bad_mends_and_counts_only_in_records_that_stay() -> None:
    fields = (
        Field("a", "int", on_bad=Default(9)),
        Field("b", "float", on_bad="null"),
        Field("c", "str", on_bad=Default("?")),
        Field("d", "int"),
    )
    lines = [b"1,1.5,x,1", b"u,u,,1", b",,y,1", b"99999999999999999999,2,z,1", b"u,u,,u"]
    got = decoder(fields, header=("a", "b", "c", "d")).decode(Values.from_list(list(lines)))
    assert rows_of(got) == {0: (1, 1.5, "x", 1), 1: (9, None, "?", 1), 2: (9, None, "y", 1), 3: (9, 2.0, "z", 1)}
    assert got.mended == {"a.type": 2, "a.missing": 1, "b.type": 1, "b.missing": 1, "c.missing": 1}
    assert [(r.row, r.detail) for r in got.rejects] == [(4, "d: expected an integer, got other text")]


def test_an_optional_field_without_a_column_is_missing_everywhere() -> None:
    got = decoder((Field("n", "int"), Field("gone", "str", required=False)), header=("n",)).decode(
        Values.from_list([b"1"])
    )
    assert rows_of(got) == {0: (1, None)}


cells = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ['"', ",", '""', '","']
)
quoting = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])


@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|", "²"]),
    quoting,
)
def test_lines_written_by_the_csv_module_come_back(rows: list[tuple[str, str, str]], delimiter: str, how: int) -> None:
    lines = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, quoting=how).writerow(row)  # type: ignore[arg-type]
        lines.append(text.getvalue().encode())
    form = FileForm(format="csv", delimiter=delimiter, null=())
    fields = tuple(Field(n, "str") for n in "abc")
    got = decoder(fields, form, ("a", "b", "c")).decode(Values.from_list(list(lines)))
    assert list(rows_of(got).values()) == rows


lines_of_any_kind = st.text(st.sampled_from('",ab"\r\n;'), max_size=12).map(str.encode)


@given(lines_of_any_kind)
def test_any_line_is_split_or_refused_as_the_strict_csv_module_does(line: bytes) -> None:
    line = without_line_end(line)
    try:
        got: list[str] | None = [c.decode() for c in split_line(line, b",")]
    except MalformedLine:
        got = None
    expected: list[str] | None = None
    if line and not any(c in line for c in (b"\r", b"\n")):
        try:
            expected = next(csv.reader([line.decode()], strict=True))
        except csv.Error:
            expected = None
    assert got == expected


@given(st.lists(lines_of_any_kind.map(without_line_end), max_size=8), st.integers(1, 4))
def test_many_lines_are_judged_as_each_alone(lines: list[bytes], width: int) -> None:
    fits, columns, errors = split_table(lines, b",", width)
    rows = iter(zip(*columns, strict=True))
    for at, line in enumerate(lines):
        try:
            alone: list[bytes] | None = split_line(line, b",")
        except MalformedLine:
            alone = None
        if alone is not None and len(alone) == width:
            assert fits[at]
            assert list(next(rows)) == alone
        else:
            assert not fits[at]
            assert at in errors
    assert next(rows, None) is None


@given(
    st.lists(st.none() | st.binary(max_size=20) | lines_of_any_kind | st.sampled_from([b[1] for b in BAD]), max_size=10)
)
@example([b"\n\x00", b'"\r"'])
def test_each_line_is_judged_as_if_it_were_alone(lines: list[bytes | None]) -> None:
    together = decoder().decode(Values.from_list(lines))
    good, bad = rows_of(together), {r.row: (r.reason, r.detail) for r in together.rejects}
    assert sorted([*good, *bad]) == list(range(len(lines)))
    for row, line in enumerate(lines):
        alone = decoder().decode(Values.from_list([line]))
        assert rows_of(alone).get(0) == good.get(row)
        assert [(r.reason, r.detail) for r in alone.rejects] == ([bad[row]] if row in bad else [])


def timed(form: FileTime, kind: FieldType, unit: TimeUnit, header: tuple[str, ...], lines: list[bytes]) -> Decoded:
    source = Source("t", time="ts", time_unit=unit)
    file_form = FileForm(format="csv", time=form)
    return CsvDecoder(source, (Field("ts", kind),), file_form, header).decode(Values.from_list(list(lines)))


PARTS = ("year", "month", "day", "hour", "minute", "second")
UNITS: list[tuple[FieldType, TimeUnit]] = [
    ("float", "s"),
    ("int", "ms"),
    ("int", "us"),
    ("int", "ns"),
    ("str", "iso8601"),
]


@pytest.mark.parametrize(("kind", "unit"), UNITS)
def test_assembled_time_reads_back_as_the_same_moment_in_every_unit(kind: FieldType, unit: TimeUnit) -> None:
    got = timed(FileTime(PARTS, "Asia/Shanghai"), kind, unit, PARTS, [b"2013,3,1,8,30,15.25"])
    times, bad = event_times(got.columns["ts"], unit)
    moment = datetime(2013, 3, 1, 8, 30, 15, 250_000, ZoneInfo("Asia/Shanghai"))
    assert not bad.any()
    assert times.tolist() == [round(moment.timestamp() * 1_000_000)]


@pytest.mark.parametrize(
    "line",
    [
        b"2013,2,29,0",
        b"2013,13,1,0",
        b"2013,0,1,0",
        b"0,1,1,0",
        b"10000,1,1,0",
        b"2013,1,1,24",
        b"2013,1,1,-1",
        b"x,1,1,1",
        b",1,1,1",
        b"9" * 30 + b",1,1,1",
    ],
)
def test_impossible_dates_are_refused(line: bytes) -> None:
    got = timed(FileTime(PARTS[:4]), "int", "ms", PARTS[:4], [b"2012,2,29,23", line, b"1970,1,1,0"])
    assert [(r.row, r.reason) for r in got.rejects] == [(1, Reason.TIMESTAMP_INVALID)]
    assert to_list(got.columns["ts"]) == [datetime(2012, 2, 29, 23, tzinfo=UTC).timestamp() * 1000, 0]


@given(st.datetimes(), st.timezones().filter(lambda z: z is not None))
def test_assembled_time_equals_datetime(moment: datetime, zone: ZoneInfo) -> None:
    moment = moment.replace(microsecond=0)
    line = ",".join(str(getattr(moment, p)) for p in PARTS).encode()
    offset = moment.replace(tzinfo=zone, fold=0).utcoffset()
    assert offset is not None
    try:
        expected: list[object] = [((moment - offset) - EPOCH) // datetime.resolution]
    except OverflowError:
        expected = []
    assert to_list(timed(FileTime(PARTS, zone.key), "int", "us", PARTS, [line]).columns["ts"]) == expected


def test_strptime_columns_are_joined_by_one_blank_and_refused_where_they_do_not_fit() -> None:
    form = FileTime(("Date", "Time"), "Europe/London", "%d-%m-%Y %H:%M:%S")
    got = timed(form, "float", "s", ("Time", "Date"), [b"01:00:00,14-07-2021", b"25:00:00,14-07-2021", b"01:00:00,"])
    assert to_list(got.columns["ts"]) == [datetime(2021, 7, 14, 0, tzinfo=UTC).timestamp()]
    assert [(r.row, r.reason) for r in got.rejects] == [(1, Reason.TIMESTAMP_INVALID), (2, Reason.TIMESTAMP_INVALID)]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"])
def test_usual_formats_are_read_as_strptime_reads_them(form: str) -> None:
    texts = [
        "2021-03-28 01:30:00",
        "2021-03-28T01:30:00",
        "2021-03-28 01:30:00Z",
        "2021-3-8 1:2:3",
        "2021-02-29 00:00:00",
    ]
    texts += ["2020-02-29 23:59:59", "2020-02-29 23:59:60", "2020-02-29 24:00:00", "0000-01-01 00:00:00", "x", ""]
    texts += ["2021-03-28 01:30:0a", "2021/03/28 01:30:00", "2021-03-28 01:30:00.5", "2021-03-28-01:30:00"]
    source = Source("t", time="t")
    by = CsvDecoder(source, (Field("t", "float"),), FileForm("csv", time=FileTime(("at",), "UTC", form)), ("n", "at"))
    got = by.decode(Values.from_list([f"1,{text}".encode() for text in texts]))
    expected = {}
    for row, text in enumerate(texts):
        with contextlib.suppress(ValueError):
            expected[row] = (datetime.strptime(text, form).replace(tzinfo=UTC).timestamp(),)
    assert rows_of(got) == expected
