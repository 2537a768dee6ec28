"""A line of a text with a caret below the part that is meant."""

from __future__ import annotations

_WIDEST = 100
_BEFORE = 60


def pointed(text: str, span: tuple[int, int]) -> str:
    """The line of `text` where the characters [at, end) begin, cut where it is long, and carets below them."""
    at, end = min(span[0], len(text)), span[1]
    first = text.rfind("\n", 0, at) + 1
    last = text.find("\n", at)
    line = text[first : len(text) if last < 0 else last]
    at, end = at - first, end - first
    cut = max(0, at - _BEFORE)
    shown = "".join(c if c.isprintable() else " " for c in line[cut : cut + _WIDEST])
    width = max(1, min(end - cut, len(shown)) - (at - cut))
    return f"{shown}\n{' ' * (at - cut)}{'^' * width}"
