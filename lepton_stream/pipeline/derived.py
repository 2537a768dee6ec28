"""`[derive]`, `[window.derive]` and `where`: expressions held against what they may name and the columns above them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from lepton_stream.expression.check import COLUMN_NOUN, check, check_condition
from lepton_stream.expression.parse import parse
from lepton_stream.expression.tree import ExpressionError, Node
from lepton_stream.expression.typed import Expression, Known
from lepton_stream.expression.walk import names_in
from lepton_stream.pipeline.fields import Known as KnownFields
from lepton_stream.pipeline.findings import Findings, MisfitError, Missing, Path
from lepton_stream.pipeline.plan import Derived, Field

MOST_DERIVED = 200


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    """An expression that was read, and its text as it was written."""

    text: str
    node: Node

    def __str__(self) -> str:
        return self.text


def parse_expression(text: str) -> ParsedExpression:
    """Raises MisfitError that points into the text."""
    try:
        return ParsedExpression(text, parse(text))
    except ExpressionError as e:
        raise _misfit(e) from None


def _misfit(error: ExpressionError) -> MisfitError:
    return MisfitError(f"column {error.at + 1}: {error.wish}", error.hint, (error.at, error.end))


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions may name; `broken`: names that are there but have a problem of their own."""

    known: dict[str, Known]
    broken: frozenset[str]
    derived: tuple[Derived, ...]

    @property
    def types(self) -> dict[str, str]:
        """Name to type."""
        return {name: known.kind for name, known in self.known.items()}


def derive(raw: Mapping[str, Any], declared: Any, fields: KnownFields, found: Findings) -> Scope:
    """The derived columns of `raw` (what could be read of `declared`), each checked against what is above it."""
    known = {name: Known(f.type, may_be_null(f)) for name, f in fields.fields.items()}
    unread = set(declared) - set(raw) if isinstance(declared, Mapping) else set()
    wrong = set(fields.broken) | {str(name) for name in unread}
    taken = dict.fromkeys((*fields.fields, *fields.broken), "a field")
    return derive_columns(raw, ("derive",), Names(known, wrong, taken), found)


@dataclass(frozen=True, slots=True)
class Names:
    """What derived columns may name (`known`), what has a problem of its own (`wrong`), and names that are `taken`.

    `taken`: name to what it is, in words. `noun`: what a name is, in the message about one that is none.
    """

    known: dict[str, Known]
    wrong: set[str]
    taken: Mapping[str, str]
    noun: str = COLUMN_NOUN


def derive_columns(raw: Mapping[str, ParsedExpression], path: Path, names: Names, found: Findings) -> Scope:
    """The columns of `raw`, which stands at `path`, each checked against `names` and what is above it."""
    known, wrong = dict(names.known), set(names.wrong)
    columns: list[Derived] = []
    later = {name: i for i, name in enumerate(raw)}
    if len(raw) > MOST_DERIVED:
        found.add(path, len(raw), f"expects at most {MOST_DERIVED} derived columns")
    for name, parsed in list(raw.items())[:MOST_DERIVED]:
        later.pop(name)
        at = (*path, name)
        if name in names.taken:
            found.add(at, parsed.text, f"expects a name of its own; {name} is {names.taken[name]} already")
            continue
        expression = _checked(parsed, at, names.noun, known, wrong, found, later)
        if expression is None:
            wrong.add(name)
            continue
        columns.append(Derived(name, expression))
        root = expression.root
        known[name] = Known(root.kind, root.nullable, root.pieces)
    return Scope(known, frozenset(wrong), tuple(columns))


def may_be_null(field: Field) -> bool:
    """Whether a record that was not dead-lettered may lack the field."""
    return not field.required or field.on_bad == "null"


def condition(parsed: Any, path: Path, scope: Scope, found: Findings) -> Expression | None:
    """The checked `where`, None where there is none or it is wrong."""
    if parsed is None or isinstance(parsed, Missing):
        return None
    return _checked(parsed, path, COLUMN_NOUN, scope.known, scope.broken, found)


def _checked(
    parsed: ParsedExpression,
    path: Path,
    noun: str,
    known: Mapping[str, Known],
    wrong: Container[str],
    found: Findings,
    later: Mapping[str, int] | None = None,
) -> Expression | None:
    if any(name in wrong for name in names_in(parsed.node)):
        return None  # what it names has a problem of its own, which says more
    try:
        if later is None:
            return check_condition(parsed.node, known)
        return check(parsed.node, known, later, noun)
    except ExpressionError as e:
        found.add(path, parsed.text, f"column {e.at + 1}: {e.wish}", e.hint, (e.at, e.end))
        return None
