"""Kinds that must fit each other: literals, numbers, values of one kind."""

from __future__ import annotations

from collections.abc import Sequence

from lepton_stream.expression.tree import ExpressionError, Kind, Node, Value
from lepton_stream.expression.typed import Typed

_SHOWN: dict[Kind, str] = {"str": "text (str)", "int": "an int", "float": "a float", "bool": "true or false (bool)"}
_NUMBERS = ("int", "float")


def describe(kind: Kind) -> str:
    """A kind in a sentence."""
    return _SHOWN[kind]


def kind_of(value: str | float) -> Kind:
    """The kind of a literal."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "str"


def typed_literal(node: Value) -> Typed:
    """A literal as a step."""
    return Typed("value", kind_of(node.value), False, (), (node.value,))


def numbers(node: Node, operand: Typed, what: str, hint: str = "") -> None:
    """Raises ExpressionError where the operand is no number."""
    if operand.kind not in _NUMBERS:
        raise ExpressionError(node.at, node.end, f"{what} takes numbers; this is {describe(operand.kind)}{hint}")


def as_float(typed: Typed) -> Typed:
    """A number as a float."""
    return typed if typed.kind == "float" else Typed("float", "float", typed.nullable, (typed,))


def common(nodes: Sequence[Node], operands: Sequence[Typed], wish: str) -> list[Typed]:
    """The operands in one kind: ints beside floats become floats. Raises ExpressionError for the first that differs."""
    kinds = {operand.kind for operand in operands}
    if len(kinds) == 1:
        return list(operands)
    if kinds <= set(_NUMBERS):
        return [as_float(operand) for operand in operands]
    first = operands[0].kind
    for node, operand in zip(nodes, operands, strict=True):
        if operand.kind != first and not {operand.kind, first} <= set(_NUMBERS):
            raise ExpressionError(
                node.at, node.end, f"{wish}; this is {describe(operand.kind)}, before it is {describe(first)}"
            )
    return list(operands)
