from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.pipeline.findings import Path
from lepton_stream.pipeline.locate import locate
from tests.pipeline.plans import EXAMPLE

TEXT = '''\
# a comment with [brackets] = "and # more"
name = "a # b"     # after
dotted.one . "two x" = 1
"quo\\"ted\\u00e9" = 'lit # eral'
inline = { a = 1, b = { c = [1, { d = 2 }] }, "e f" = """x""" }

[section]
   indented = """
fake = 1
[fake] \\"""
""""
lines = [
  "one, ]", # ]
  [2, 3],
]
[section.sub."p.q"]
x = 2026-01-02T03:04:05Z
[[window]]
name = 'first'
[window.results]
n = "count()"
[[window]]
[window.results]
mean = "mean(x)"
[[window.parts]]
a = 1
[[window.parts]]
b = -inf
[after.all]
'''


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (2, 1)),
        (("dotted", "one"), (3, 8)),
        (("dotted", "one", "two x"), (3, 14)),
        (('quo"tedé',), (4, 1)),
        (("inline", "a"), (5, 12)),
        (("inline", "b", "c"), (5, 25)),
        (("inline", "b", "c", 1, "d"), (5, 35)),
        (("inline", "e f"), (5, 47)),
        (("section",), (7, 1)),
        (("section", "indented"), (8, 4)),
        (("section", "fake"), (7, 1)),
        (("section", "lines", 0), (13, 3)),
        (("section", "lines", 1, 1), (14, 7)),
        (("section", "sub", "p.q", "x"), (17, 1)),
        (("window", 0), (18, 1)),
        (("window", 0, "name"), (19, 1)),
        (("window", 0, "results"), (20, 1)),
        (("window", 0, "results", "n"), (21, 1)),
        (("window", 1, "size"), (22, 1)),
        (("window", 1, "results", "mean"), (24, 1)),
        (("window", 1, "parts", 0, "a"), (26, 1)),
        (("window", 1, "parts", 1, "b"), (28, 1)),
        (("after", "all", "nothing"), (29, 1)),
        (("nowhere",), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_key_is_found_and_a_missing_one_is_told_by_its_section(path: Path, place: tuple[int, int]) -> None:
    tomllib.loads(TEXT)
    assert locate(TEXT).line_column(path) == place


def paths(value: Any, path: Path = ()) -> set[Path]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths(v, (*path, k)) for k, v in inside)) if inside else {path}


@pytest.mark.parametrize("text", [TEXT, EXAMPLE], ids=["odd", "example"])
def test_every_key_that_tomllib_reads_has_a_place_and_no_other(text: str) -> None:
    assert set(locate(text).places) | {()} == paths(tomllib.loads(text))


KEYS = st.text("ab-_", min_size=1, max_size=3) | st.sampled_from(['"x.y"', "'#'", '"="', '"\\t"'])
VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", "-1.5e3", '"a,]}#"', "'\"'", '"""a\n"b""""', "'''\n]'''", "1979-05-27 07:32:00", "07:32:00"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: "[" + ", # ]\n".join(v) + "]")
        | st.dictionaries(KEYS, inner.filter(lambda v: "\n" not in v), max_size=3).map(
            lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=5,
)
LINES = st.one_of(
    st.tuples(st.lists(KEYS, min_size=1, max_size=3).map(".".join), VALUES).map(" = ".join),
    st.lists(KEYS, min_size=1, max_size=3).map(lambda k: f"[{' . '.join(k)}] # x"),
    st.lists(KEYS, min_size=1, max_size=2).map(lambda k: f"[[ {'.'.join(k)} ]]"),
    st.just("# [x]"),
)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_any_valid_toml_is_walked_without_losing_a_key(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(locate(text).places) | {()} == paths(data)


def test_a_key_of_very_many_parts_costs_little() -> None:
    places = locate(".".join("a" * 20_000) + " = 1")
    assert len(places.places) == 16
