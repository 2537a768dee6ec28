import pytest

from lepton_stream.chunk import Values
from lepton_stream.columns import to_list
from lepton_stream.errors import PlanError
from lepton_stream.formats.csv_header import layout, parse_header
from lepton_stream.formats.csv_records import CsvDecoder
from lepton_stream.pipeline.plan import Field, FileForm, FileTime, Source

FORM = FileForm(format="csv")


def test_header_is_read_by_the_rules_of_the_records_without_byte_order_mark() -> None:
    assert parse_header(b'\xef\xbb\xbf"a,b",c\r\n', FORM) == ("a,b", "c")
    assert parse_header(b"a;b", FileForm(format="csv", delimiter=";")) == ("a", "b")


@pytest.mark.parametrize("line", [b"", b"\n", b'"a,b', b"\xff,b"])
def test_a_first_line_that_is_no_header_is_refused(line: bytes) -> None:
    with pytest.raises(PlanError, match="first line is no header"):
        parse_header(line, FORM)


def test_all_problems_are_told_at_once_with_the_column_that_was_meant() -> None:
    form = FileForm(format="csv", time=FileTime(("year", "month", "day")))
    fields = (Field("pm25", "float"), Field("wind", "str"), Field("rain", "float", required=False))
    with pytest.raises(PlanError) as error:
        layout(("Year", "month", "day", "PM2.5", "no", "no"), fields, form, "ts")
    text = str(error.value)
    assert error.value.exit_code == 3
    assert (
        'fields.pm25: expects a column of this name in the file, or `rename` to give it one (did you mean "PM2.5"?)'
        in text
    )
    assert "fields.wind: " in text
    assert "rain" not in text
    assert 'source.file.time.columns is "year": expects columns that the file has (did you mean "Year"?)' in text
    assert 'source.file.columns is "no": expects each column name once' in text


def test_renaming_two_columns_to_one_name_is_refused() -> None:
    form = FileForm(format="csv", rename=(("x", "y"),))
    with pytest.raises(PlanError, match="each column name once"):
        layout(("x", "y"), (Field("y", "int"),), form, "t")


def test_without_a_header_the_plan_names_the_columns() -> None:
    form = FileForm(format="csv", header=False, columns=("a", "b"))
    decoder = CsvDecoder(Source("t", time="a"), (Field("b", "int"),), form)
    assert to_list(decoder.decode(Values.from_list([b"1,2"])).columns["b"]) == [2]
