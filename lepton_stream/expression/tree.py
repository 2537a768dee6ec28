"""What an expression's text is read into: nodes that know where they stand, and the error that points there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["str", "int", "float", "bool"]
Scalar: TypeAlias = str | int | float | bool

LONGEST = 4_000
"""Characters of an expression."""
DEEPEST = 100
"""Levels of an expression: what is nested deeper could exhaust the stack."""
LONGEST_WORD = 200
"""Characters of a quoted text."""
MOST_ITEMS = 1_000
"""Values of a list."""


class ExpressionError(ValueError):
    """An expression that cannot be read or does not fit: `wish` about the characters [at, end) of its text."""

    def __init__(self, at: int, end: int, wish: str, hint: str = "") -> None:
        super().__init__(f"column {at + 1}: {wish}")
        self.at, self.end, self.wish, self.hint = at, max(end, at + 1), wish, hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The characters [at, end) that a node was read from, and how many levels it has; none of it tells nodes apart."""

    at: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value(Placed):
    """A number, a quoted text, true or false."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Name(Placed):
    """A field or an earlier derived column."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Placed):
    """`op`: "-", "not", "is null" or "is not null"."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Placed):
    """`op`: an operator between two values."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Listed(Placed):
    """A list of literals; it stands behind `in` and in calls only."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Among(Placed):
    """`value in [..]`; `negated`: `value not in [..]`."""

    value: Node
    items: Listed
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Called(Placed):
    """A call of a function of `catalogue`."""

    function: str
    args: tuple[Node, ...]


Node: TypeAlias = Value | Name | Unary | Binary | Listed | Among | Called
