"""One call on the portable path and once more on the compiled one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from lepton_stream.chunk import Values
from lepton_stream.columns import Column, Text, to_list
from lepton_stream.compiled import switch
from lepton_stream.formats.decoder import Decoded

pytest.importorskip("numba")

from lepton_stream.compiled import functions

__all__ = ["both", "compiled", "functions", "spans_of", "told"]

T = TypeVar("T")


@contextmanager
def compiled(*, on: bool = True) -> Iterator[None]:
    before = switch.current()
    switch.use(functions if on else None)
    try:
        yield
    finally:
        switch.use(before)


def both(call: Callable[[], T]) -> tuple[T, T]:
    """(portable, compiled)."""
    with compiled(on=False):
        portable = call()
    with compiled():
        return portable, call()


def told(decoded: Decoded) -> dict[str, Any]:
    """All that a decoder says, floats to the last bit."""
    columns = {name: told_column(column) for name, column in decoded.columns.items()}
    return {
        "rows": decoded.rows.tolist(),
        "columns": columns,
        "rejects": [(r.row, r.reason, r.detail) for r in decoded.rejects],
        "mended": decoded.mended,
    }


def told_column(column: Column) -> tuple[Any, ...]:
    valid = None if column.valid is None else column.valid.tolist()
    if isinstance(column, Text):
        return "text", to_list(column), column.length.tolist(), valid
    return str(column.values.dtype), column.values.tobytes(), valid


def spans_of(records: list[bytes | None]) -> Values:
    return Values(*Values.from_list(records).spans())
