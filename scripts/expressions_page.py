"""docs/expressions.md: what `[derive]`, `[window.derive]` and `where` may say."""

# ruff: noqa: E501  (the lines of a page)

from __future__ import annotations

from lepton_stream.expression.calls import MOST_PIECES
from lepton_stream.expression.catalogue import FUNCTIONS
from lepton_stream.expression.tokens import WORDS
from lepton_stream.expression.tree import DEEPEST, LONGEST, LONGEST_WORD, MOST_ITEMS
from lepton_stream.pipeline.derived import MOST_DERIVED

START = """\
# Expressions

Columns that are computed, and filters. An expression is checked with the plan, and computed for all records of a chunk at
once; it never runs code.

```toml
name = "sales"

[source]
topic = "sales.v1"
time = "ts"
key = "country"
where = "price > 0"                   # other records are accepted, and enter no window

[fields]
quantity = "int"
price = "float"
invoice = "str"

[derive]                              # later columns may use earlier ones
revenue = "quantity * price"
is_return = 'quantity < 0 or starts_with(invoice, "C")'
size = 'bucket(quantity, [10, 100], ["small", "medium", "large"])'
hour = 'hour("Europe/London")'

[[window]]
name = "day"
size = "24h"
group_by = ["country", "size"]
where = "not is_return"               # rows that enter this window
[window.results]
n = "count()"
revenue = "sum(revenue)"
[window.derive]                       # of a window's results, when they are published
per_sale = "revenue / n"
good_day = "revenue >= 10000"
```

In Python: `.derive("revenue", "quantity * price")`, `.where("price > 0")`, and `where=` and `derive={...}` in `.window(...)`.

A derived column stands wherever a field does: in calls of results, in other expressions, and in `group_by` if it is str,
int or bool and never null. It is no field of the record: `key`, `id` and `time` cannot be derived.

A mistake is told with its place:

```
$ lepton-stream check sales.toml
sales.toml: the pipeline is not usable
  - sales.toml:15:23: derive.revenue: column 12: no field or derived column prize (did you mean price?)
      quantity * prize
                 ^^^^^
```

## Columns of results

`[window.derive]` computes more columns of what a window publishes: of its results, of the fields of `group_by`, and of the
columns above. They stand behind the results of each row, whenever one is published: final ones, updates and revisions.

- They are computed of the values as they are published, each with the type of its function: counts are int and never
  null, `sum`, `min`, `max`, `first`, `last` and `range` have the type of their field, all others are float. What a group may
  lack is null. `ohlc`, `top` and `histogram` are lists and cannot be named.
- `hour()` and its like tell of the start of the window.
- An integer sum that 64 bits cannot hold is published as a float and has no value here.
- They cost something when a result is published, and take no state.

## What becomes of filtered records

A filter keeps the records for which it is true; those for which it is false or null are kept out. They are still
*accepted*, remembered as ids, and move time on. Every accepted record is, for each window section, in one of four places:
kept out by the source's `where` (`filtered` in `--stats`), kept out by the section's own (`filtered_by_window`), late for
it (`late_by_window`), or in it. Verdicts come first: a record that is late for every section is late, whatever filters
say. What is filtered is not counted as late for a window. The figures are there where they are not 0; metrics:
`lepton_filtered_total`, `lepton_filtered_by_window_total`.

## Values and operators

Values have the types of fields: str, int, float, bool. Literals: `12`, `0.5`, `1e-3`, `"text"` or `'text'` (a quote within
is doubled), `true`, `false`. A name is a field or a derived column; one with blanks or other signs, or one of WORDS,
stands in backticks: `` `PM 2.5` ``.

| From loose to tight | Takes | Gives |
| --- | --- | --- |
| `or` | conditions | bool |
| `and` | conditions | bool |
| `not` | a condition | bool |
| `==` `!=` | two values of one type | bool |
| `<` `<=` `>` `>=` | two numbers | bool |
| `in [..]` `not in [..]` | a value and a list of literals | bool |
| `is null` `is not null` | any value | bool, never null |
| `+` `-` | two numbers | int of two ints, else float |
| `*` `//` `%` | two numbers | int of two ints, else float |
| `/` | two numbers | float |
| `-x` | a number | its type |

Comparisons are not chained: write `0 < x and x < 1`.

## Null, and what has no value

- Arithmetic, comparisons and functions of a null are null. `and`, `or` and `not` know three values, as in SQL: `false and
  null` is false, `true or null` is true, other mixtures are null. `in` of a null is null.
- Division by zero, an integer that 64 bits cannot hold and a float that is not finite are null, never an error, and never
  a dead letter. `coalesce(x, 0)` gives them a value.
- Integers are exact. An int beside a float becomes a float (beyond 2^53 the nearest one), and so do the ints of `/`.
  `//` rounds down, `%` has the sign of its divisor, as in Python.
- `log`, `exp` and `pow` are within 2 units in the last place, and may differ in the last one between kinds of processor;
  all else gives the same bytes everywhere.

## Functions

"""


def expressions_page(note: str) -> str:
    """docs/expressions.md. `note`: the comment that says where it comes from."""
    rows = [f"| `{f.shown}` | {_takes(f.takes)} | {_gives(f.gives)} | {f.help} |" for f in FUNCTIONS.values()]
    words = ", ".join(f"`{w}`" for w in WORDS)
    return (
        note
        + START.replace("WORDS", words)
        + "| Call | Takes | Gives | Value |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n\n"
        + "\n".join(f"- {line}" for line in NOTES)
        + "\n"
    )


TAKES = {
    "number": "numbers",
    "float": "numbers",
    "text": "texts",
    "word": "a quoted text",
    "any": "values of one type",
    "condition": "conditions",
    "zone": "a zone or nothing",
    "edges": "a list of numbers",
    "labels": "a list of literals",
}


def _takes(takes: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(TAKES[t] for t in takes))


def _gives(gives: str) -> str:
    return "the same type" if gives == "same" else gives


NOTES = (
    "A condition of `when` that is null counts as not true. Of several values an int beside floats becomes a float.",
    """Texts are compared by their bytes; `lower` and `upper` follow Unicode. Texts that are not ASCII cost those two a
  dictionary look-up each; all else costs a few nanoseconds a row or byte.""",
    f"""Limits: {LONGEST:,} characters an expression, {DEEPEST} levels, {MOST_ITEMS:,} values a list, {LONGEST_WORD}
  characters a quoted text, {MOST_DERIVED} derived columns, and texts put together from at most {MOST_PIECES} others.""",
)
