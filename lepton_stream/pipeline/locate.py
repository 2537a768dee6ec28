"""Where in a TOML text each key stands: tomllib tells values, not places.

The text is known to be valid TOML (tomllib has read it), so that this reader only finds its way past values.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from lepton_stream.pipeline.findings import Path
from lepton_stream.pipeline.inside import position_inside

_DEEPEST = 16
"""Deeper keys than this are told by their ancestor: the plan has none, and a hostile text may have thousands."""

_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SCALAR = re.compile(r"[^,\]}\n#]*")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\n]*)'")
_LONG = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


@dataclass(slots=True)
class Places:
    """Positions of keys in a text. `places`: path to position in characters; `starts`: where each line begins.

    `texts`: where the value at a path begins with its quote, if it is a text.
    """

    text: str
    places: dict[Path, int]
    texts: dict[Path, int]
    starts: list[int]

    def line_column(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of the key at `path`, or of the nearest table around it that is written down."""
        while path and path not in self.places:
            path = path[:-1]
        return self._line_column(self.places.get(path, 0))

    def line_column_inside(self, path: Path, index: int) -> tuple[int, int]:
        """Line and column of a character of the text that is the value at `path`; of the key if it is no text."""
        at = self.texts.get(path)
        return self.line_column(path) if at is None else self._line_column(position_inside(self.text, at, index))

    def _line_column(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.starts, at)
        return line, at - self.starts[line - 1] + 1


def locate(text: str) -> Places:
    """The places of all keys of a valid TOML text whose lines end in line feeds."""
    reader = _Reader(text)
    reader.read()
    return Places(text, reader.places, reader.texts, [0, *(m.end() for m in re.finditer("\n", text))])


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, int] = {}
        self.texts: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # tables of each [[array]] so far

    def read(self) -> None:
        section: Path = ()
        self.skip(_SPACE)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                section = self.header()
            else:
                self.pair(section)
            self.skip(_SPACE)

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def header(self) -> Path:
        start = self.at
        array = self.text.startswith("[[", start)
        self.at += 2 if array else 1
        names = self.dotted()
        self.at += 2 if array else 1
        path: Path = ()
        for i, (name, _) in enumerate(names):
            path = self.note((*path, name), start)
            last = i == len(names) - 1
            if path in self.counts or (array and last):
                self.counts[path] = self.counts.get(path, 0) + (array and last)
                path = self.note((*path, self.counts[path] - 1), start)
        if len(path) <= _DEEPEST:
            self.places[path] = start  # a header of its own says more than one that only passed through
        return path

    def pair(self, section: Path) -> None:
        path = section
        for name, at in self.dotted():
            path = self.note((*path, name), at)
        self.at += 1  # =
        self.skip(_BLANK)
        self.value(path)

    def note(self, path: Path, at: int) -> Path:
        if len(path) > _DEEPEST:
            return path[: _DEEPEST + 1]
        self.places.setdefault(path, at)
        return path

    def dotted(self) -> list[tuple[str, int]]:
        """The names of a dotted key and their places; ends at what follows it."""
        names = []
        while True:
            self.skip(_BLANK)
            start = self.at
            names.append((self.name(), start))
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def name(self) -> str:
        for pattern in (_BARE, _BASIC, _LITERAL):
            match = pattern.match(self.text, self.at)
            if match:
                self.at = match.end()
                return _unescaped(match[1]) if pattern is _BASIC else match[match.lastindex or 0]
        raise ValueError(f"no key at position {self.at}")

    def value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif opening in "\"'":
            self.texts.setdefault(path, self.at)
            long = _LONG.match(self.text, self.at)
            self.skip(_LONG if long else _BASIC if opening == '"' else _LITERAL)
        else:
            self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        self.at += 1
        self.skip(_SPACE)
        i = 0
        while self.text[self.at] != "]":
            inside = self.note((*path, i), self.at)
            self.value(inside)
            i += 1
            self.skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_SPACE)
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip(_SPACE)
        while self.text[self.at] != "}":
            self.pair(path)
            self.skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_SPACE)
        self.at += 1


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _ESCAPED.get(match[3], match[3])

    return _ESCAPE.sub(one, text)
