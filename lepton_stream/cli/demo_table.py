"""Results as a table that fits a terminal of 80 characters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from lepton_stream.printable import printable

_HIDDEN = frozenset({"window", "window_end", "final", "version"})


def table_of(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """The rows of one window section, one below the other."""
    table = Table(title=title, box=SIMPLE, show_edge=False, pad_edge=False, collapse_padding=True)
    names = [name for name in (rows[0] if rows else {}) if name not in _HIDDEN]
    for name in names:
        if name == "window_start":
            table.add_column("from (UTC)", no_wrap=True)
        else:
            number = isinstance(rows[0][name], int | float)
            words = name.replace("_", "\n")  # rich, left to wrap a heading itself, cuts words at 80 characters
            table.add_column(words, justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        table.add_row(*(_cell(name, row.get(name)) for name in names))
    return table


def _cell(name: str, value: object) -> str:
    if name == "window_start" and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:,.1f}"
    return "-" if value is None else escape(printable(str(value)))
