"""JSON of text that others chose, as it may go to a terminal."""

from __future__ import annotations

import re
from typing import Any

import orjson

_C1 = re.compile("[\x7f-\x9f]")
"""Control characters that JSON takes as they are; \\x9b begins an escape sequence as ESC [ does."""


def json_line(value: Any) -> str:
    """One line of JSON that reads the same for programs and cannot steer a terminal. `value`: as orjson takes it."""
    text = orjson.dumps(value).decode()
    return _C1.sub(lambda c: f"\\u{ord(c.group()):04x}", text) + "\n"
