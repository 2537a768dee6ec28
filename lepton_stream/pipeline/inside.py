"""Where a character of a text's value stands in the TOML that writes it: quotes, escapes and line ends counted."""

from __future__ import annotations

import re

_UNIT = re.compile(r"\\[ \t]*\n\s*|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|[\s\S]")


def position_inside(text: str, at: int, index: int) -> int:
    """The position of character `index` of the value whose opening quote is at `at`; past its end: that of the end.

    The text is known to be valid TOML whose lines end in line feeds.
    """
    quote = text[at]
    long = text.startswith(quote * 3, at)
    place = at + (3 if long else 1)
    if long and text.startswith("\n", place):
        place += 1  # a line end behind the quotes is not part of the value
    if quote == "'":
        return min(place + index, len(text))
    seen = 0
    while place < len(text) and seen < index:
        unit = _UNIT.match(text, place)
        assert unit is not None
        seen += not _is_joint(unit[0])
        place = unit.end()
    while long and (joint := _UNIT.match(text, place)) and _is_joint(joint[0]):
        place = joint.end()
    return place


def _is_joint(unit: str) -> bool:
    """Whether it is a backslash at the end of a line, which swallows what is blank behind it."""
    return unit[0] == "\\" and unit[1:].isspace()
