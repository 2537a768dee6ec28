"""Every kind of bad JSON record, each between good neighbours that must come out untouched."""

import sys
import threading
import traceback

import pytest

from lepton_stream.chunk import Values
from lepton_stream.columns import to_list
from lepton_stream.formats.decoder import Reason
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import Default, Field, OnBad, Source

pytestmark = pytest.mark.usefixtures("path")

FIELDS = (Field("id", "str"), Field("n", "int"), Field("note", "str", required=False), Field("v", "float"))
LEFT = b'{"id": "left", "n": 1, "v": 1.5}'
RIGHT = b'{"id": "right", "n": 2, "v": 2.5}'


def decoder(max_bytes: int = 2000, fields: tuple[Field, ...] = FIELDS) -> JsonDecoder:
    return JsonDecoder(Source("t", time="v", max_record_bytes=max_bytes), fields)


def nested(depth: int, *, opening: str = "[", closing: str = "]") -> bytes:
    inner = (
        opening * (depth - 1) + closing * (depth - 1)
        if opening == "["
        else '{"k":' * (depth - 1) + "1" + "}" * (depth - 1)
    )
    return f'{{"id": "x", "n": 1, "v": 1.0, "ignored": {inner}}}'.encode()


BAD: list[tuple[str, bytes | None, Reason, str]] = [
    ("tombstone", None, Reason.NULL_VALUE, "no value"),
    ("empty", b"", Reason.DECODE_ERROR, "empty"),
    ("blank", b"  ", Reason.DECODE_ERROR, "truncated"),
    ("truncated", b'{"id": "x", "n": 1', Reason.DECODE_ERROR, "truncated"),
    ("trailing bytes", b'{"id": "x", "n": 1, "v": 1} x', Reason.DECODE_ERROR, "trailing"),
    ("two documents on two lines", LEFT + b"\n" + RIGHT, Reason.DECODE_ERROR, "trailing"),
    ("two documents with a comma", LEFT + b"," + RIGHT, Reason.DECODE_ERROR, "trailing"),
    ("two documents glued", LEFT + RIGHT, Reason.DECODE_ERROR, "trailing"),
    ("first half of a document", b'{"id": "x", "n": 1,', Reason.DECODE_ERROR, ""),
    ("second half of a document", b' "v": 1.0}', Reason.DECODE_ERROR, "trailing"),
    ("BOM", b"\xef\xbb\xbf" + LEFT, Reason.DECODE_ERROR, ""),
    ("bad UTF-8 in a field", b'{"id": "\xff", "n": 1, "v": 1.0}', Reason.DECODE_ERROR, "UTF-8"),
    ("bad UTF-8 in an ignored field", b'{"id": "x", "n": 1, "v": 1.0, "z": "\xff"}', Reason.DECODE_ERROR, "UTF-8"),
    ("bad UTF-8 in a key", b'{"\xff": 1, "id": "x", "n": 1, "v": 1.0}', Reason.DECODE_ERROR, "UTF-8"),
    ("half a character", b'{"id": "\xc3', Reason.DECODE_ERROR, "UTF-8"),
    ("other half of it", b'\xa9", "n": 1, "v": 1.0}', Reason.DECODE_ERROR, "UTF-8"),
    ("raw control character", b'{"id": "\x00", "n": 1, "v": 1.0}', Reason.DECODE_ERROR, ""),
    ("lone surrogate", b'{"id": "\\ud800", "n": 1, "v": 1.0}', Reason.DECODE_ERROR, ""),
    ("lone surrogate in an ignored field", b'{"id": "x", "n": 1, "v": 1.0, "z": "\\ud800"}', Reason.DECODE_ERROR, ""),
    ("NaN", b'{"id": "x", "n": 1, "v": NaN}', Reason.DECODE_ERROR, ""),
    ("Infinity", b'{"id": "x", "n": 1, "v": Infinity}', Reason.DECODE_ERROR, ""),
    ("NaN in an ignored field", b'{"id": "x", "n": 1, "v": 1.0, "z": NaN}', Reason.DECODE_ERROR, ""),
    ("1e999", b'{"id": "x", "n": 1, "v": 1e999}', Reason.DECODE_ERROR, "v: expected a number that a float can hold"),
    ("null document", b"null", Reason.NOT_AN_OBJECT, "got null"),
    ("number document", b"12", Reason.NOT_AN_OBJECT, "got a number"),
    ("text document", b'"x"', Reason.NOT_AN_OBJECT, "got a string"),
    ("list document", b"[" + LEFT + b"]", Reason.NOT_AN_OBJECT, "got a list"),
    ("broken list document", b"[1,", Reason.DECODE_ERROR, "truncated"),
    ("too large", b'{"id": "' + b"x" * 2000 + b'", "n": 1, "v": 1.0}', Reason.TOO_LARGE, "at most 2000 bytes"),
    ("33 levels of lists", nested(33), Reason.TOO_DEEP, "at most 32"),
    ("33 levels of objects", nested(33, opening="{"), Reason.TOO_DEEP, "at most 32"),
    ("deep and not closed", b"[" * 900, Reason.TOO_DEEP, "at most 32"),
    ("missing", b'{"id": "x", "n": 1}', Reason.MISSING_FIELD, "v: expected a number, got nothing"),
    ("null", b'{"id": "x", "n": 1, "v": null}', Reason.MISSING_FIELD, "v: expected a number, got nothing"),
    ("number as text", b'{"id": "x", "n": 1, "v": "7"}', Reason.WRONG_TYPE, "v: expected a number, got a string"),
    ("text as number", b'{"id": 7, "n": 1, "v": 1.0}', Reason.WRONG_TYPE, "id: expected a string, got a number"),
    ("boolean as int", b'{"id": "x", "n": true, "v": 1.0}', Reason.WRONG_TYPE, "n: expected an integer, got a boolean"),
    ("list as number", b'{"id": "x", "n": 1, "v": [1]}', Reason.WRONG_TYPE, "v: expected a number, got a list"),
    ("object as text", b'{"id": {}, "n": 1, "v": 1.0}', Reason.WRONG_TYPE, "id: expected a string, got an object"),
    (
        "fraction as int",
        b'{"id": "x", "n": 1.0, "v": 1.0}',
        Reason.WRONG_TYPE,
        "n: expected an integer, got a number with",
    ),
    (
        "optional of wrong type",
        b'{"id": "x", "n": 1, "note": 1, "v": 1.0}',
        Reason.WRONG_TYPE,
        "note: expected a string",
    ),
    (
        "2^63",
        b'{"id": "x", "n": 9223372036854775808, "v": 1.0}',
        Reason.INT_OUT_OF_RANGE,
        "n: expected an integer from",
    ),
    ("-2^63-1", b'{"id": "x", "n": -9223372036854775809, "v": 1.0}', Reason.INT_OUT_OF_RANGE, "n: "),
    ("2^64", b'{"id": "x", "n": 18446744073709551616, "v": 1.0}', Reason.INT_OUT_OF_RANGE, "n: "),
    ("1800 digits", b'{"id": "x", "n": 1' + b"0" * 1800 + b', "v": 1.0}', Reason.INT_OUT_OF_RANGE, "n: "),
    (
        "last of equal keys is bad",
        b'{"id": "x", "n": 1, "v": 1.0, "v": "x"}',
        Reason.WRONG_TYPE,
        "v: expected a number",
    ),
]


@pytest.mark.parametrize(("record", "reason", "detail"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_record_is_refused_and_its_neighbours_are_untouched(
    record: bytes | None, reason: Reason, detail: str
) -> None:
    got = decoder().decode(Values.from_list([LEFT, record, RIGHT]))
    assert [(r.row, r.reason) for r in got.rejects] == [(1, reason)]
    assert detail in got.rejects[0].detail
    assert got.rows.tolist() == [0, 2]
    assert to_list(got.columns["id"]) == ["left", "right"]
    assert to_list(got.columns["n"]) == [1, 2]
    assert to_list(got.columns["v"]) == [1.5, 2.5]


def test_all_bad_records_in_one_chunk_get_the_verdicts_they_get_alone() -> None:
    got = decoder().decode(Values.from_list([b[1] for b in BAD]))
    assert [r.row for r in got.rejects] == list(range(len(BAD)))
    assert [r.reason for r in got.rejects] == [b[2] for b in BAD]
    assert len(got.rows) == 0
    assert [len(c) for c in got.columns.values()] == [0, 0, 0, 0]


def test_details_never_quote_the_data() -> None:
    secret = b'{"id": "s3cret", "n": "s3cret", "v": 1.0, "s3cret": "s3cret"}'
    got = decoder().decode(Values.from_list([secret, b"s3cret", b'{"s3cret', b'"s3cret"']))
    assert len(got.rejects) == 4
    assert not any("s3cret" in r.detail for r in got.rejects)


@pytest.mark.parametrize("record", [nested(32), nested(32, opening="{")], ids=["lists", "objects"])
def test_32_levels_are_taken(record: bytes) -> None:
    assert decoder().decode(Values.from_list([record])).rejects == []


def test_brackets_inside_strings_are_no_levels() -> None:
    record = b'{"id": "' + b'[{\\"' * 100 + b'", "n": 1, "v": 1.0}'
    assert to_list(decoder().decode(Values.from_list([record])).columns["id"]) == ['[{"' * 100]


def test_many_brackets_side_by_side_are_no_depth() -> None:
    record = b'{"id": "x", "n": 1, "v": 1.0, "z": [' + b"[]," * 200 + b"[]]}"
    assert decoder().decode(Values.from_list([record])).rejects == []


def test_one_deep_record_is_found_among_records_without_brackets() -> None:
    got = decoder().decode(Values.from_list([b"1"] * 100 + [nested(33)] + [b"2"] * 100))
    assert got.rejects[100].reason is Reason.TOO_DEEP


def verdicts(records: list[bytes]) -> list[tuple[int, Reason, str]]:
    return [(r.row, r.reason, r.detail) for r in decoder().decode(Values.from_list(list(records))).rejects]


def at_depth(frames: int, records: list[bytes]) -> list[tuple[int, Reason, str]]:
    return at_depth(frames - 1, records) if frames else verdicts(records)


def test_verdicts_do_not_depend_on_the_depth_of_the_python_stack() -> None:
    records = [nested(n) for n in (31, 32, 33, 34, 200)] + [b"[" * n for n in (32, 33, 1900)]
    shallow = verdicts(records)
    assert [row for row, reason, _ in shallow if reason is Reason.TOO_DEEP] == [2, 3, 4, 6, 7]
    used = len(traceback.extract_stack())
    assert at_depth(sys.getrecursionlimit() - used - 120, records) == shallow


def test_verdicts_are_the_same_in_a_fresh_thread() -> None:
    records = [nested(n) for n in (32, 33)]
    found: list[list[tuple[int, Reason, str]]] = []
    thread = threading.Thread(target=lambda: found.append(verdicts(records)))
    thread.start()
    thread.join()
    assert found == [verdicts(records)]


def test_a_megabyte_line_is_taken_where_the_plan_allows_it_and_refused_where_not() -> None:
    record = b'{"id": "' + b"x" * 1_000_000 + b'", "n": 1, "v": 1.0}'
    values = Values.from_list([LEFT, record, RIGHT])
    assert decoder(2_000_000).decode(values).rejects == []
    assert [r.reason for r in decoder(1_000_000).decode(values).rejects] == [Reason.TOO_LARGE]


@pytest.mark.parametrize(
    ("on_bad", "v", "mended"),
    [
        ("null", [1.5, None, None, 2.5], {"v.type": 1, "v.missing": 1}),
        (Default(7), [1.5, 7.0, 7.0, 2.5], {"v.type": 1, "v.missing": 1}),
    ],
)
def test_on_bad_mends_and_counts(on_bad: OnBad, v: list[float | None], mended: dict[str, int]) -> None:
    fields = (*FIELDS[:3], Field("v", "float", on_bad=on_bad))
    records = [LEFT, b'{"id": "x", "n": 1, "v": "bad"}', b'{"id": "x", "n": 1}', RIGHT]
    got = decoder(fields=fields).decode(Values.from_list(list(records)))
    assert got.rejects == []
    assert to_list(got.columns["v"]) == v
    assert got.mended == mended


def test_a_value_mended_in_a_refused_record_is_not_counted() -> None:
    fields = (Field("a", "float", on_bad="null"), Field("b", "float"))
    got = decoder(fields=fields).decode(Values.from_list([b'{"a": "x", "b": "x"}']))
    assert [r.detail for r in got.rejects] == ["b: expected a number, got a string"]
    assert got.mended == {}


def test_clip_mends_no_type() -> None:
    fields = (Field("a", "float", min=0, on_bad="clip"),)
    got = decoder(fields=fields).decode(Values.from_list([b'{"a": "x"}', b"{}"]))
    assert [r.reason for r in got.rejects] == [Reason.WRONG_TYPE, Reason.MISSING_FIELD]
