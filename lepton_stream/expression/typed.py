"""A checked expression: every part has its kind, casts are written out, and whether it may be null is known."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.expression.tree import Kind, Scalar


@dataclass(frozen=True, slots=True)
class Typed:
    """One step over columns.

    `op`: an operator or function, or "value", "field" and "float" (an int that becomes a float). `nullable`: whether a
    row may lack it. `constant`: the value, the field's name, the list or the zone. `pieces`: how many texts of a record
    or of the plan its text is put together from, at most.
    """

    op: str
    kind: Kind
    nullable: bool
    args: tuple[Typed, ...] = ()
    constant: tuple[Scalar, ...] = ()
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Expression:
    """`text`: the canonical text, the same for all spellings; it tells expressions apart in a plan's hash."""

    text: str
    root: Typed


@dataclass(frozen=True, slots=True)
class Known:
    """What an expression may name: a field or an earlier column. `pieces`: as in `Typed`."""

    kind: Kind
    nullable: bool
    pieces: int = 1
