"""Which metrics a PromQL expression reads, and by which labels. Enough of the language for our own queries.

Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SELECTOR = re.compile(r"\b(?P<name>(?:lepton_\w+|lepton:[\w:]+|up\b))\s*(?:\{(?P<labels>[^}]*)\})?")
MATCHER = re.compile(r'\s*(?P<label>\w+)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*(?:,|$)')
GROUPING = re.compile(r"\b(?:by|without)\s*\((?P<labels>[^)]*)\)\s*(?=\()")
LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Use:
    """A metric as it is written (with `_bucket`), and the labels that a query expects of it."""

    name: str
    labels: frozenset[str]


def uses(expr: str) -> list[Use]:
    """Every metric read, with the labels of its matchers and of each grouping around it."""
    groups = list(_groupings(expr))
    found = []
    for match in SELECTOR.finditer(expr):
        labels = {m["label"] for m in MATCHER.finditer(match["labels"] or "")}
        for begin, end, grouped in groups:
            labels |= grouped if begin <= match.start() < end else set()
        found.append(Use(match["name"], frozenset(labels)))
    return found


def kept(expr: str) -> set[str]:
    """The labels that groupings keep: those that a legend may name."""
    return {label for _, _, labels in _groupings(expr) for label in labels}


def named(legend: str) -> set[str]:
    """The labels that a legend, or the text of an alert, names."""
    return set(LEGEND.findall(legend))


def _groupings(expr: str) -> Iterator[tuple[int, int, set[str]]]:
    """(begin, end, labels) of what each `by (labels) (...)` groups."""
    for match in GROUPING.finditer(expr):
        labels = {label.strip() for label in match["labels"].split(",")} - {""}
        yield match.end(), _closing(expr, match.end()), labels


def _closing(expr: str, begin: int) -> int:
    """Where the parenthesis closes that opens at `begin`; none of our label values holds one."""
    depth = 0
    for at in range(begin, len(expr)):
        depth += (expr[at] == "(") - (expr[at] == ")")
        if depth == 0:
            return at
    return len(expr)
