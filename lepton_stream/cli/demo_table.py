"""Results as tables that fit the terminal: one for each window section, no cell cut off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from lepton_stream.printable import printable

_HIDDEN = frozenset({"window", "window_end", "final", "version"})
_START = "window_start"
_PLAIN, _TINY = 10.0, 0.1
_DIGITS, _DIGITS_OF_TINY = 6, 3
"""Significant digits of columns whose values are below 10, such as rates of currencies, and of those below 0.1."""
Show = Callable[[Any], str]


def newest(rows: Iterable[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The last `count` rows of each window section, in the order of `rows`."""
    kept: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for at, row in enumerate(rows):
        kept.setdefault(row["window"], []).append((at, row))
    last = sorted((at for section in kept.values() for at, _ in section[-count:]))
    chosen = {at: row for section in kept.values() for at, row in section}
    return [chosen[at] for at in last]


def tables_of(title: str, rows: Sequence[dict[str, Any]], console: Console) -> Group:
    """The rows as one table a window section."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        sections.setdefault(row["window"], []).append(row)
    if len(sections) <= 1:
        return Group(table_of(title, rows, console.width))
    tables = (table_of(f"window {name}", part, console.width) for name, part in sections.items())
    return Group(title, *(part for table in tables for part in ("", table)))


def table_of(title: str, rows: Sequence[dict[str, Any]], width: int) -> Table:
    """The rows of one section, one below the other; columns that do not fit into `width` are left out, and told."""
    names = [name for name in (rows[0] if rows else {}) if name not in _HIDDEN]
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    fit = len(columns)
    while fit > 2 and _width(columns[:fit]) > width:
        fit -= 1
    left = [name for name in names[fit:] if printable(name) == name]
    caption = f"a wider terminal has {', '.join(left)} too" if left else None
    table = Table(title=title, box=SIMPLE, show_edge=False, pad_edge=False, collapse_padding=True, caption=caption)
    for heading, number, _ in columns[:fit]:
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for cells in zip(*(column[2] for column in columns[:fit]), strict=True):
        table.add_row(*map(escape, cells))
    return table


def _width(columns: Sequence[tuple[str, bool, list[str]]]) -> int:
    """Of the table, with two blanks between columns."""
    words = [[line for text in (heading, *cells) for line in text.split("\n")] for heading, _, cells in columns]
    return sum(max(map(len, each)) for each in words) + 2 * (len(columns) - 1)


def _column(name: str, values: list[Any]) -> tuple[str, bool, list[str]]:
    """(heading, whether it holds numbers, cells)."""
    if name == _START:
        heading, show = _starts([value for value in values if isinstance(value, int)])
        return heading, False, [show(value) for value in values]
    words = escape(printable(name)).replace("_", "\n")  # rich, left to wrap a heading itself, cuts words
    percent = name.endswith("_pct")
    show = _decimals([] if percent else [value for value in values if isinstance(value, float)])
    number = any(isinstance(value, int | float) for value in values)
    return words, number, [_cell(value, show) for value in values]


def _starts(starts: Sequence[int]) -> tuple[str, Show]:
    """Heading, and how a start is shown: the day stands above where many starts share it; seconds where one needs them.

    `starts`: milliseconds since 1970.
    """
    moments = [datetime.fromtimestamp(start / 1000, UTC) for start in starts]
    clock = "%H:%M:%S" if any(moment.second for moment in moments) else "%H:%M"
    days = {moment.date() for moment in moments}
    if len(days) == 1 and len(set(starts)) > 1:
        return f"from (UTC)\n{days.pop()}", lambda start: datetime.fromtimestamp(start / 1000, UTC).strftime(clock)
    return "from (UTC)", lambda start: datetime.fromtimestamp(start / 1000, UTC).strftime(f"%Y-%m-%d {clock}")


def _decimals(values: Sequence[float]) -> Show:
    """One decimal, or where all values are small as many as give the largest one its significant digits."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0 or largest >= _PLAIN:
        return lambda value: f"{value:,.1f}"
    digits = _DIGITS if largest >= _TINY else _DIGITS_OF_TINY
    places = min(digits - 1 - math.floor(math.log10(largest)), 12)
    return lambda value: f"{value:,.{places}f}"


def _cell(value: object, show: Show) -> str:
    if isinstance(value, float):
        return show(value)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "count" in value[0]:  # of `top`
        return "\n".join(printable(f"{one['value']} {one['count']:,}") for one in value)
    return "-" if value is None else printable(str(value))
