"""The JSON decoder against a slow reader of one record at a time, on any bytes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import Values
from lepton_stream.columns import to_list
from lepton_stream.formats.decoder import Decoded, Reason
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.plan import Default, Field, Source

FIELDS = (
    Field("a b", "int"),
    Field("f", "float", required=False),
    Field("g", "float", on_bad="null"),
    Field("o", "bool", on_bad=Default(value=True)),
    Field("s", "str"),
)
DECODER = JsonDecoder(Source("t", time="f", max_record_bytes=300), FIELDS)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
things = st.one_of(
    scalars, scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text(max_size=2), scalars, max_size=2)
)
documents = st.fixed_dictionaries(
    {"a b": st.integers(-(2**63), 2**63 - 1) | things, "s": st.text(max_size=5) | things},
    optional={"f": st.floats(-1, 1) | things, "g": things, "o": st.booleans() | things, "ignored": things},
)
encoded = st.builds(
    lambda d, ascii_: json.dumps(d, ensure_ascii=ascii_).encode("utf-8", "surrogatepass"), documents, st.booleans()
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    text = draw(encoded)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]


any_bytes = st.one_of(st.none(), st.binary(max_size=30), encoded, damaged())


def rows_of(decoded: Decoded) -> dict[int, tuple[object, ...]]:
    columns = [to_list(decoded.columns[f.name]) for f in FIELDS]
    return dict(zip(decoded.rows.tolist(), zip(*columns, strict=True), strict=True))


@given(st.lists(any_bytes, max_size=12))
def test_each_record_is_judged_as_if_it_were_alone(records: list[bytes | None]) -> None:
    together = DECODER.decode(Values.from_list(records))
    good, bad = rows_of(together), {r.row: (r.reason, r.detail) for r in together.rejects}
    assert sorted([*good, *bad]) == list(range(len(records)))
    assert [r.row for r in together.rejects] == sorted(bad)
    for row, record in enumerate(records):
        alone = DECODER.decode(Values.from_list([record]))
        assert repr(rows_of(alone).get(0)) == repr(good.get(row))
        assert [(r.reason, r.detail) for r in alone.rejects] == ([bad[row]] if row in bad else [])


def oracle(record: bytes) -> tuple[object, ...] | Reason:
    """The same rules, one record and one field at a time, with the standard library's decoder."""
    document = json.loads(record)
    values: list[object] = []
    for field in FIELDS:
        value = document.get(field.name)
        kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
        right = isinstance(value, kinds[field.type]) and (field.type == "bool" or not isinstance(value, bool))
        if right and field.type == "int" and not -(2**63) <= value < 2**63:
            return Reason.INT_OUT_OF_RANGE
        if not right:
            if value is None and not field.required:
                value = None
            elif isinstance(field.on_bad, Default):
                value = field.on_bad.value
            elif field.on_bad == "null":
                value = None
            else:
                return Reason.MISSING_FIELD if value is None else Reason.WRONG_TYPE
        values.append(float(value) if field.type == "float" and value is not None else value)
    return tuple(values)


def has_lone_surrogate(text: bytes) -> bool:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeError:
        return True
    return False


@given(st.lists(encoded.filter(lambda e: len(e) <= 300 and not has_lone_surrogate(e)), min_size=1, max_size=10))
def test_valid_documents_give_what_the_slow_oracle_gives(records: list[bytes]) -> None:
    got = DECODER.decode(Values.from_list(list(records)))
    good, bad = rows_of(got), {r.row: r.reason for r in got.rejects}
    for row, record in enumerate(records):
        expected = oracle(record)
        assert repr(bad[row] if row in bad else good[row]) == repr(expected)


@given(st.lists(encoded, max_size=6))
def test_spans_and_byte_strings_decode_alike(records: list[bytes]) -> None:
    data, start, length = Values.from_list(list(records)).spans()
    got = DECODER.decode(Values(data, start, length))
    assert repr(rows_of(got)) == repr(rows_of(DECODER.decode(Values.from_list(list(records)))))


def values_of(record: bytes) -> tuple[object, ...]:
    got = DECODER.decode(Values.from_list([record]))
    assert got.rejects == []
    return rows_of(got)[0]


def test_integers_are_exact_to_the_last_digit_of_int64() -> None:
    for n in (2**63 - 1, -(2**63), 2**53 + 1):
        assert values_of(json.dumps({"a b": n, "s": ""}).encode())[0] == n


@pytest.mark.parametrize("text", ["18446744073709551616", "1" + "0" * 250, "-0.0", "5e-324", "0.1"])
def test_numbers_in_float_fields_are_the_nearest_floats(text: str) -> None:
    got = values_of(f'{{"a b": 1, "s": "", "f": {text}}}'.encode())[1]
    assert isinstance(got, float)
    assert got == float(text)
    assert math.copysign(1, got) == math.copysign(1, float(text))


def test_nul_characters_and_other_alphabets_are_legal_text() -> None:
    assert values_of(b'{"a b": 1, "s": "a\\u0000b"}')[4] == "a\0b"
    assert values_of('{"a b": 1, "s": "Ωκ 𝄞"}'.encode())[4] == "Ωκ 𝄞"


def test_the_last_of_equal_keys_wins_on_the_fast_and_the_slow_path() -> None:
    assert values_of(b'{"a b": 1, "a b": 2, "s": ""}')[0] == 2
    assert values_of(b'{"a b": "wrong", "a b": 2, "s": ""}')[0] == 2


def test_columns_come_in_the_order_of_the_fields_even_for_no_records() -> None:
    got = DECODER.decode(Values.from_list([]))
    assert list(got.columns) == [f.name for f in FIELDS]
    assert len(got.rows) == 0
