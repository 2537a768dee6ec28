"""The compiled JSON scanner says what the portable decoder says, of every field of every record, whatever the bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import to_list
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.formats.mending import mends
from lepton_stream.pipeline.plan import Default, Field, Source
from tests.compiled.both_ways import both, compiled, functions, spans_of, told

FIELDS = (
    Field("id", "str"),
    Field("a b", "int"),
    Field("f", "float", required=False),
    Field("g", "float", on_bad="null"),
    Field("o", "bool", on_bad=Default(value=True)),
    Field("flag", "bool", required=False),
    Field("s", "str", required=False),
    Field("long name é", "str", on_bad=Default("mended")),
)
DECODER_SOURCE = Source("t", time="f", max_record_bytes=400)
DECODER = JsonDecoder(DECODER_SOURCE, FIELDS)
GOOD = b'{"id": "x", "a b": 1, "g": 2.5, "o": false, "long name \xc3\xa9": "y"}'
TAIL = b', "a b": 1, "g": 2.5, "o": false, "long name \xc3\xa9": "y"}'


def same(records: Sequence[bytes | None], decoder: JsonDecoder = DECODER) -> None:
    portable, fast = both(lambda: told(decoder.decode(spans_of(list(records)))))
    assert fast["rows"] == portable["rows"]
    assert fast["rejects"] == portable["rejects"]
    assert fast["columns"] == portable["columns"]
    assert fast["mended"] == portable["mended"]


def taken(record: bytes, fields: Sequence[Field] = FIELDS) -> bool:
    """Whether the scanner is sure of the record."""
    sought = functions.json_fields([(f.name, f.type, not f.required, mends(f)) for f in fields])
    assert sought is not None
    return bool(functions.scan_json(*spans_of([record]).spans(), sought, 1 << 20, 32).taken[0])


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.integers(-9, 9),
    st.floats(allow_nan=False),
    st.text(max_size=8),
)
things = st.recursive(
    scalars,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=3), t, max_size=3),
    max_leaves=6,
)
documents = st.fixed_dictionaries(
    {"id": st.text(max_size=9), "a b": st.integers(-(2**63), 2**63 - 1) | things},
    optional={
        "f": st.floats(allow_nan=False) | things,
        "g": st.floats(-1, 1) | things,
        "o": st.booleans() | things,
        "flag": st.booleans() | things,
        "s": st.text(max_size=20) | things,
        "long name é": st.text(max_size=5) | things,
        "ignored": things,
        "": things,
    },
)
encoded = st.builds(
    lambda d, ascii_, blanks: json.dumps(d, ensure_ascii=ascii_, separators=blanks).encode("utf-8", "surrogatepass"),
    documents,
    st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":"), (" ,\n", "\t:\r")]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    text = draw(encoded)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]


@settings(max_examples=200)
@given(st.lists(st.one_of(st.none(), st.just(GOOD), st.binary(max_size=30), encoded, damaged()), max_size=10))
def test_any_records_are_judged_alike(records: list[bytes | None]) -> None:
    same(records)


PIECES = [
    b'"', b"\\", b"\\u0041", b"\\ud800", b"\\udc00", b"\\n", b"\\x", b"\x00", b"\x1f", b"\x7f", b"\xff", b"\xc3\xa9",
    b"\xed\xa0\x80", b"\xf0\x9d\x84\x9e", b"\xe2\x82", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"fals",
    b"-0", b"-", b"1e400", b"1e-400", b"0.1", b"01", b"1.", b".5", b"9" * 19, b"9" * 20, b"1e5", b"NaN", b" ", b"\n",
    b"\xef\xbb\xbf", b'"id":"again",', b'{"a":[1,{"b":null}]}', b"[" * 40, b"", b"a",
]  # fmt: skip


LONG = b'"long name \xc3\xa9": "zz",'


def mutated(seed: int, n: int) -> list[bytes]:
    """Records with pieces put in, cut out, doubled or overwritten; most of them broken, many just so."""
    dice = random.Random(seed)
    bases = [
        GOOD,
        b'{"id":"\xc3\xa4","a b":-9223372036854775808,"f":1.5e-7,"g":0.1,"o":true,"s":null,%s"z":[]}' % LONG,
        b'{"z":{"k":[1,"\\"",{"q":null}],"id":3},%s"o":true,"g":17,"a b":0,"id":"","flag":false}' % LONG,
        b' {"id" : "a\\u00e9" , "a b" : 5, "f": null, %s "g": 1e3 , "o":false, "s" : "\xf0\x9d\x84\x9e"} ' % LONG,
    ]
    out = []
    for _ in range(n):
        text = dice.choice(bases)
        for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
            at = dice.randrange(len(text) + 1)
            cut = dice.choice((0, 0, 1, 1, 2, 5))
            piece = dice.choice(PIECES) if dice.random() < 0.7 else bytes((dice.randrange(256),))
            text = text[:at] + piece + text[at + cut :]
        out.append(text)
    return out


@pytest.mark.parametrize("n", [40_000, pytest.param(500_000, marks=pytest.mark.slow)])
def test_mutated_records_are_judged_alike(n: int) -> None:
    records = mutated(n, n)
    same(records)
    with compiled():
        assert 0.2 * n < len(DECODER.decode(spans_of(list(records))).rows) < 0.8 * n


STRICT = tuple(Field(f.name, f.type, f.required) for f in FIELDS)
KINDS = [
    '"t"',
    '"\\n"',
    "1",
    "1.5",
    "-0",
    "1e999",
    "true",
    "null",
    "[1]",
    "{}",
    '{"a":[]}',
    "nul",
    "-",
    "[" * 9 + "]" * 9,
]


def one_wrong(seed: int, n: int) -> list[bytes]:
    """Objects of the plan's fields in any order, some left out, each value of a kind drawn at random now and then."""
    dice = random.Random(seed)
    right = {"str": '"v"', "int": "7", "float": "0.5", "bool": "true"}
    out = []
    for _ in range(n):
        fields = [f for f in dice.sample(STRICT, len(STRICT)) if dice.random() < 0.9]
        members = [f'"{f.name}": {dice.choice(KINDS) if dice.random() < 0.2 else right[f.type]}' for f in fields]
        out.append(("{" + ", ".join(members) + "}").encode())
    return out


@pytest.mark.parametrize("fields", [STRICT, FIELDS])
def test_a_good_object_with_a_bad_field_is_judged_alike(fields: tuple[Field, ...]) -> None:
    same(one_wrong(1, 20_000), JsonDecoder(DECODER_SOURCE, fields))


def test_missing_and_wrong_fields_need_no_second_look() -> None:
    sought = functions.json_fields([(f.name, f.type, not f.required, False) for f in STRICT])
    records = [r for r in one_wrong(2, 5000) if not any(odd in r for odd in (b"\\", b"1e999", b"nul,", b"nul}", b"-"))]
    assert sought is not None
    found = functions.scan_json(*spans_of(list(records)).spans(), sought, 1 << 20, 32)
    sure = found.taken | (found.faults != 0)
    assert 0.1 < found.taken.mean() < 0.5
    assert sure.mean() > 0.9  # the rest: an integer that was written as a float


def test_a_record_that_goes_the_slow_way_leaves_its_neighbours_where_they_were() -> None:
    slow = GOOD.replace(b'"x"', b'"\\u0041"')
    bad = GOOD[:-1]
    same([GOOD, slow, bad, None, GOOD, slow, b"", GOOD])
    with compiled():
        got = DECODER.decode(spans_of([GOOD, slow, bad, GOOD, slow]))
    assert got.rows.tolist() == [0, 1, 3, 4]
    assert to_list(got.columns["id"]) == ["x", "A", "x", "A"]


@pytest.mark.parametrize(
    "record",
    [
        GOOD,
        GOOD.replace(b'"x"', '"Ωκ 𝄞 é"'.encode()),
        b'{"z": {"deep": [[], {}, {"a": [1, 2.5e3, "\\u00e9\\n", null, true]}]}, "id": "x"' + TAIL,
        b'{"z": "escaped \\" and \\\\", "id": "x"' + TAIL,
        b'{"f": null, "s": null, "flag": true, "id": "x"' + TAIL,
        b'{ "id"\n:\t"x" ' + TAIL + b" \n",
        b'{"id": "\x7f"' + TAIL,
    ],
)
def test_usual_records_never_leave_the_fast_path(record: bytes) -> None:
    assert taken(record)
    same([record])


@pytest.mark.parametrize("levels", range(28, 36))
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"k":', b"}")])
def test_nesting_ends_at_the_same_level(levels: int, brackets: tuple[bytes, bytes]) -> None:
    inner = brackets[0] * (levels - 1) + b"1" + brackets[1] * (levels - 1)
    record = b'{"z": ' + inner + b', "id": "x"' + TAIL
    assert taken(record) == (levels <= 32)
    same([GOOD, record, GOOD])


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_records_of_the_most_bytes_are_taken_and_larger_ones_refused(more: int) -> None:
    record = b'{"id": "' + b"x" * (400 + more - len(TAIL) - 9) + b'"' + TAIL
    assert len(record) == 400 + more
    same([GOOD, record, GOOD])


def test_integers_at_the_edges_of_int64_are_exact_or_refused() -> None:
    edges = [s * (2**b) + d for b in (31, 32, 53, 63, 64) for s in (1, -1) for d in (-2, -1, 0, 1, 2)]
    edges += [10**18, 10**19 - 1, 10**19, -(10**19), 0]
    texts = [str(n) for n in edges] + ["-0", "00", "-01", "+1", "1.0", "1e3", "0" * 20, "1" + "0" * 300]
    same([b'{"id": "x", "a b": ' + t.encode() + TAIL.replace(b'"a b": 1, ', b"") for t in texts])


NUMBER = JsonDecoder(Source("t", time="f"), (Field("f", "float"),))


def test_hard_floats_are_the_nearest_ones() -> None:
    dice = random.Random(5)
    bits = np.random.default_rng(5).integers(0, 2**64, 60_000, np.uint64).view(np.float64)
    texts = [repr(x) for x in bits[np.isfinite(bits)].tolist()]
    texts += [
        f"{dice.randrange(10**k)}e{dice.randrange(-330, 310)}" for k in (1, 5, 15, 16, 17, 18, 19) for _ in range(9000)
    ]
    texts += [f"{dice.uniform(-1e3, 1e3):.{k}f}" for k in range(1, 18) for _ in range(1000)]
    for low in (2**53, 2**54, 2**60, 2**63):  # half way between two floats, and next to it
        texts += [str(low + k) for k in range(-70, 70)] + [f"{low + k}.5" for k in range(-70, 70)]
    texts += ["0", "0.0", "-0.0", "-0", "0e0", "0e999", "5e-324", "2.5e-324", "2.4e-324", "2.2250738585072011e-308"]
    texts += ["1.7976931348623157e308", "1.7976931348623159e308", "1e400", "-1e400", "1e-400", "9007199254740993"]
    records = [b'{"f": ' + t.encode() + b"}" for t in texts]
    portable, fast = both(lambda: told(NUMBER.decode(spans_of(list(records)))))
    assert fast == portable
    expected = np.array([float(texts[row]) for row in fast["rows"]])
    assert (fast["columns"]["f"][1] == expected.tobytes()) or _only_zero_signs_differ(fast["columns"]["f"][1], expected)
    assert len(expected) > 100_000


def _only_zero_signs_differ(got: bytes, expected: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    """`-0` without a fraction is an integer, and that has no sign."""
    return bool((np.frombuffer(got) == expected).all())


def test_most_floats_stay_on_the_fast_path() -> None:
    dice = random.Random(7)
    records = [b'{"f": %r}' % dice.uniform(-1e6, 1e6) for _ in range(1000)]
    sought = functions.json_fields([("f", "float", False, False)])
    assert sought is not None
    assert functions.scan_json(*spans_of(list(records)).spans(), sought, 1 << 20, 32).taken.mean() > 0.99


def characters() -> list[bytes]:
    """Every pair of lead and second byte, with right and wrong bytes behind; and cut ones."""
    ends = (
        b"",
        b"\x80",
        b"\xbf",
        b"\x7f",
        b"\xc0",
        b"\x80\x80",
        b"\xbf\xbf",
        b"\x80\x7f",
        b"\x80\xc0",
        b"\x80\x80\x80",
    )
    return [
        bytes((a, b)) + end
        for a in range(0x80, 0x100)
        for b in (0x20, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xBF, 0xC0, 0xC2, 0xFF)
        for end in ends
    ]


@pytest.mark.parametrize("where", [b'{"f": 1, "z": "%s"}', b'{"f": 1, "%s": 2}', b'{"f": 1, "z": ["aaaaaa%s"]}'])
def test_every_beginning_of_a_character_is_judged_as_utf8_says(where: bytes) -> None:
    records = [where.replace(b"%s", c) for c in characters()]
    portable, fast = both(lambda: told(NUMBER.decode(spans_of(list(records)))))
    assert fast == portable
    assert len(fast["rows"]) == sum(is_utf8(r) for r in records)


def is_utf8(record: bytes) -> bool:
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_character_cut_by_the_end_of_its_record_is_not_completed_by_the_next() -> None:
    same([b'{"f": 1, "z": "\xf0\x9d', b'\x84\x9e"}', b'{"f": 1}'], NUMBER)


@pytest.mark.parametrize("names", [[f"f{i}" for i in range(70)], [f"f{i}" for i in range(63)], [""], ["é" * 20]])
def test_unusual_names_and_many_fields_are_decoded_alike(names: list[str]) -> None:
    fields = tuple(Field(name, "int") for name in names)
    decoder = JsonDecoder(Source("t", time="f"), fields)
    records = [json.dumps({n: i for i, n in enumerate(names)}, ensure_ascii=a).encode() for a in (True, False)]
    raw = b"{" + b",".join(b'"' + n.encode() + b'":1' for n in names) + b"}"
    same([*records, raw], decoder)


@pytest.mark.parametrize("name", ['a"b', "back\\slash", "tab\t", "half \ud800"])
def test_names_that_json_must_escape_are_not_sought(name: str) -> None:
    assert functions.json_fields([(name, "int", False, False)]) is None


def test_fields_in_any_order_and_changing_order_are_found() -> None:
    dice = random.Random(3)
    members = [b'"id":"x"', b'"a b":1', b'"g":2.5', b'"o":false', b'"long name \xc3\xa9":"y"', b'"u":0', b'"f":1']
    records = [b"{" + b",".join(dice.sample(members, len(members))) + b"}" for _ in range(500)]
    assert all(map(taken, records[:50]))
    same(records)
