from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.errors import PlanError, UsageError
from lepton_stream.pipeline.catalogue import SIGNATURES
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import load, parse
from tests.pipeline.plans import EXAMPLE, example, toml_lines

PLACE = re.compile(r"air\.toml:[1-9][0-9]*:[1-9][0-9]*")
SHIPPED = (Path(__file__).parents[2] / "lepton_stream/pipelines/iot/air_quality.toml").read_text("utf-8")


def test_problems_carry_file_line_and_column_in_the_order_of_the_text() -> None:
    text = EXAMPLE.replace('size = "1h"', 'siez = "24h"').replace("max = 1000", "mox = 1000").replace("mean(", "maen(")
    assert toml_lines(text) == [
        "air.toml: the pipeline is not usable",
        "  - air.toml:14:35: fields.pm25.mox is 1000: unknown key (did you mean max?)",
        '  - air.toml:24:1: window[0].size is missing: expects a duration such as "10s" or "1h"',
        '  - air.toml:27:1: window[0].siez is "24h": unknown key (did you mean size?)',
        '  - air.toml:33:1: window[0].results.mean is "maen(pm25)": column 1: unknown function; there are '  # noqa: ISC004
        f"{', '.join(sorted(SIGNATURES))} (did you mean mean?)",
    ]


def test_missing_section_is_told_at_the_top() -> None:
    assert "  - air.toml:1:1: source is missing: expects a table [source]" in toml_lines('name = "x"')


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name = ", "  - air.toml:1:7: the TOML: invalid value"),
        ("a = 1\nb = 2\na = 3", "  - air.toml:3:6: the TOML: cannot overwrite a value"),
        ('a = "x', "  - air.toml:1:7: the TOML: unterminated string"),
        ("x = " + "[" * 5000, "  - air.toml:1:1: the TOML: is nested too deeply"),
    ],
)
def test_syntax_errors_carry_their_place_too(text: str, line: str) -> None:
    assert toml_lines(text)[1] == line


def test_later_sections_are_told_from_misspelt_ones() -> None:
    lines = toml_lines(EXAMPLE + '[[alert]]\nname = "spike"\n')
    assert lines[1:] == ['  - air.toml:34:1: alert is [{ name = "spike" }]: not in this version']


def test_windows_line_ends_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "air.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert load(path) == example()


def test_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.toml: cannot be read: No such file"):
        load(tmp_path / "no.toml")


def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "air.toml"
    path.write_bytes(b'name = "x"\n# \xff\n')
    with pytest.raises(PlanError, match=r"air\.toml:2:1: the TOML: expects UTF-8 text"):
        load(path)


def outcome(text: str) -> str:
    """What parse gave: a plan, or a PlanError with a place in every problem. Anything else goes through."""
    try:
        return type(parse(text, "air.toml")).__name__
    except PlanError as e:
        problems, told = e.problems, str(e)
    assert problems
    assert all(PLACE.fullmatch(p.where) for p in problems)
    return told


ODD = [
    "[",
    "]",
    "{",
    "}",
    '"',
    "=",
    ".",
    ",",
    "#",
    "0x1",
    "nan",
    "-inf",
    "true",
    "1e999",
    "2026-01-01",
    "99:99:99",
    "[]",
    "{}",
    '"auto"',
    '"all"',
    '"x"',
    '"""',
    "'",
    "[[window]]",
]
PIECES = st.sampled_from(
    [*ODD, "\n", "\r", "\x00", "0x" + "f" * 5000, "9" * 5000, *EXAMPLE.split("\n"), *EXAMPLE.split()]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good text with a few stretches taken out, and odd pieces put in their place."""
    text = draw(st.sampled_from([EXAMPLE, SHIPPED]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(PIECES | st.text(max_size=3)) + text[at + draw(st.integers(0, 12)) :]
    return text


@settings(max_examples=300)
@given(mutated())
def test_mutated_text_gives_a_plan_or_a_plan_error_and_nothing_else(text: str) -> None:
    assert outcome(text)


@settings(max_examples=200)
@given(st.sampled_from(EXAMPLE.split("\n")), PIECES)
def test_any_value_of_any_key_gives_a_plan_or_a_plan_error(line: str, value: str) -> None:
    key = line.partition(" = ")[0]
    assert outcome(EXAMPLE.replace(line, f"{key} = {value}"))


def test_deep_dotted_keys_and_tables_are_refused_quickly() -> None:
    assert "unknown key" in outcome(EXAMPLE + "\n[" + ".".join("a" * 20_000) + "]\nx = 1")
    assert "nested too deeply" in outcome("x = " + "{a = " * 3000)


def test_thousands_of_problems_are_each_told_with_their_place() -> None:
    keys = "".join(f"x{i} = {i}\n" for i in range(3_000))
    lines = toml_lines(keys + EXAMPLE)
    assert lines[-1] == "  - air.toml:3000:1: x2999 is 2999: unknown key"
    assert len(lines) == 3_001


def test_shipped_text_is_a_plan_of_at_most_45_lines() -> None:
    assert isinstance(parse(SHIPPED, "x"), Plan)
    assert len(SHIPPED.splitlines()) <= 45
