"""A tree and what it may name, to a typed expression. Every misfit is an error that points into the text."""

from __future__ import annotations

from collections.abc import Mapping

from lepton_stream.expression import calls
from lepton_stream.expression.fitting import as_float, common, describe, numbers, typed_literal
from lepton_stream.expression.parse import COMPARISONS
from lepton_stream.expression.text import text_of
from lepton_stream.expression.tree import (
    Among,
    Binary,
    Called,
    ExpressionError,
    Listed,
    Name,
    Node,
    Unary,
    Value,
)
from lepton_stream.expression.typed import Expression, Known, Typed
from lepton_stream.pipeline.near import nearest

COLUMN_NOUN = "field or derived column"
"""What a name of an expression over records stands for."""


def check(
    node: Node, known: Mapping[str, Known], later: Mapping[str, int] | None = None, noun: str = COLUMN_NOUN
) -> Expression:
    """The expression of a tree. `later`: names that are derived further down; `noun`: what a name stands for.

    Raises ExpressionError.
    """
    return Expression(text_of(node), _Checker(known, later or {}, noun).typed(node))


def check_condition(node: Node, known: Mapping[str, Known]) -> Expression:
    """The same for a filter, which is true or not."""
    expression = check(node, known)
    if expression.root.kind != "bool":
        wish = f"expects a condition such as price > 0; this is {describe(expression.root.kind)}"
        raise ExpressionError(node.at, node.end, wish)
    return expression


class _Checker:
    def __init__(self, known: Mapping[str, Known], later: Mapping[str, int], noun: str) -> None:
        self.known, self.later, self.noun = known, later, noun

    def typed(self, node: Node) -> Typed:
        match node:
            case Value():
                return typed_literal(node)
            case Name():
                return self.field(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Among():
                return self.among(node)
            case Called():
                return calls.check_call(node, self.typed)
            case Listed():
                raise ExpressionError(node.at, node.end, "a list stands behind in, and in bucket, only")

    def field(self, node: Name) -> Typed:
        known = self.known.get(node.name)
        if known is None:
            raise ExpressionError(node.at, node.end, *self.unknown(node.name))
        return Typed("field", known.kind, known.nullable, (), (node.name,), known.pieces)

    def unknown(self, name: str) -> tuple[str, str]:
        if name in self.later:
            return f"{name} is derived further down: an expression uses what stands above it", ""
        near = nearest(name, self.known)
        return f"no {self.noun} {name}", text_of(Name(near)) if near else ""

    def unary(self, node: Unary) -> Typed:
        operand = self.typed(node.operand)
        if node.op == "-":
            numbers(node.operand, operand, "-")
            return Typed("negative", operand.kind, operand.nullable or operand.kind == "int", (operand,))
        if node.op == "not":
            self.condition(node.operand, operand, "not")
            return Typed("not", "bool", operand.nullable, (operand,))
        null = Typed("is null", "bool", False, (operand,))
        return null if node.op == "is null" else Typed("not", "bool", False, (null,))

    def condition(self, node: Node, operand: Typed, op: str) -> None:
        if operand.kind != "bool":
            raise ExpressionError(node.at, node.end, f"{op} takes conditions; this is {describe(operand.kind)}")

    def binary(self, node: Binary) -> Typed:
        left, right = self.typed(node.left), self.typed(node.right)
        if node.op in ("and", "or"):
            self.condition(node.left, left, node.op)
            self.condition(node.right, right, node.op)
            return Typed(node.op, "bool", left.nullable or right.nullable, (left, right))
        if node.op in COMPARISONS:
            return self.comparison(node, left, right)
        return self.arithmetic(node, left, right)

    def arithmetic(self, node: Binary, left: Typed, right: Typed) -> Typed:
        for side, operand in ((node.left, left), (node.right, right)):
            hint = "; concat(a, b) joins texts" if node.op == "+" and operand.kind == "str" else ""
            numbers(side, operand, node.op, hint)
        if node.op == "/" or left.kind != right.kind:
            left, right = as_float(left), as_float(right)
        return Typed(node.op, left.kind, _may_fail(node.op, left, right), (left, right))

    def comparison(self, node: Binary, left: Typed, right: Typed) -> Typed:
        if node.op not in ("==", "!="):
            for side, operand in ((node.left, left), (node.right, right)):
                numbers(side, operand, node.op, "; texts and conditions are compared by == and !=")
        pair = common([node.left, node.right], [left, right], f"{node.op} compares values of one type")
        if node.op == "!=":
            return Typed("not", "bool", left.nullable or right.nullable, (self.equal(pair),))
        if node.op == "==":
            return self.equal(pair)
        return Typed(node.op, "bool", left.nullable or right.nullable, tuple(pair))

    @staticmethod
    def equal(pair: list[Typed]) -> Typed:
        return Typed("==", "bool", pair[0].nullable or pair[1].nullable, tuple(pair))

    def among(self, node: Among) -> Typed:
        value = self.typed(node.value)
        if not node.items.items:
            raise ExpressionError(node.items.at, node.items.end, "expects at least one value")
        items = [typed_literal(item) for item in node.items.items]
        first, *_ = common([node.value, *node.items.items], [value, *items], "in compares values of one type")
        kind = first.kind
        listed = tuple(float(item.value) if kind == "float" else item.value for item in node.items.items)
        found = Typed("in", "bool", value.nullable, (first,), listed)
        return Typed("not", "bool", value.nullable, (found,)) if node.negated else found


def _may_fail(op: str, left: Typed, right: Typed) -> bool:
    """All arithmetic may leave its range, save what is left over by a number that is written there, and not 0."""
    whole = op in ("//", "%") and left.kind == "int" and right.op == "value" and right.constant[0] not in (0, -1)
    return not whole or left.nullable
