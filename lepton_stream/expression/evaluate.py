"""Typed expressions over the columns of a chunk: one NumPy step for each part, whatever the number of rows.

A row whose result is no number (division by zero, an integer beyond 64 bits, an infinite float) is null and
never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lepton_stream.columns import Column, Columns, Index, Mask, Numbers, Text, is_valid
from lepton_stream.expression import arithmetic, choices, logic, moments, texts
from lepton_stream.expression.made import constant, settled
from lepton_stream.expression.typed import Expression, Typed


def derive(derived: Sequence[tuple[str, Expression]], columns: Columns, time: Index) -> Columns:
    """The columns with the derived ones, in their order, beside them. `time`: event time, int64 µs, one a row."""
    if not derived:
        return columns
    wider = dict(columns)
    for name, expression in derived:
        wider[name] = evaluate(expression, wider, time)
    return wider


def holds(condition: Expression, columns: Columns, time: Index) -> Mask:
    """bool[n]: where the condition is true; not where it is null."""
    column = evaluate(condition, columns, time)
    assert isinstance(column, Numbers)
    return column.values.astype(np.bool_, copy=False) & is_valid(column)


def evaluate(expression: Expression, columns: Columns, time: Index) -> Column:
    """One value a row, in a column of its own."""
    with np.errstate(all="ignore"):
        return settled(_Rows(columns, time).step(expression.root))


class _Rows:
    def __init__(self, columns: Mapping[str, Column], time: Index) -> None:
        self.columns, self.time = columns, time

    def step(self, node: Typed) -> Column:
        if node.op == "field":
            return self.columns[str(node.constant[0])]
        if node.op == "value":
            return constant(node.constant[0], node.kind, len(self.time))
        if node.op in moments.STEPS:
            return moments.STEPS[node.op](self.time, str(node.constant[0]))
        args = [self.step(arg) for arg in node.args]
        if node.op == "in":
            return self.among(args[0], node)
        if node.op == "bucket":
            return choices.bucket(args[0], node.constant, args[1:])
        if node.op in texts.WITH_WORD:
            return texts.WITH_WORD[node.op](_text(args[0]), str(node.constant[0]).encode())
        if node.op in texts.STEPS:
            return texts.STEPS[node.op]([_text(arg) for arg in args])
        if node.op in choices.STEPS:
            return choices.STEPS[node.op](args)
        if node.op == "==" and isinstance(args[0], Text):
            return texts.equal(args[0], _text(args[1]))
        numbers = [_number(arg) for arg in args] if node.op != "is null" else []
        return logic.is_null(args[0]) if node.op == "is null" else self.plain(node.op, numbers)

    def plain(self, op: str, numbers: list[Numbers]) -> Column:
        return logic.STEPS[op](numbers) if op in logic.STEPS else arithmetic.STEPS[op](numbers)

    @staticmethod
    def among(value: Column, node: Typed) -> Column:
        if isinstance(value, Text):
            return texts.among(value, [str(v).encode() for v in node.constant])
        return logic.among(value, node.constant)


def _number(column: Column) -> Numbers:
    assert isinstance(column, Numbers), "the check of the plan let text through"
    return column


def _text(column: Column) -> Text:
    assert isinstance(column, Text), "the check of the plan let a number through"
    return column
