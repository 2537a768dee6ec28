"""An expression's text as tokens."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lepton_stream.expression.tree import LONGEST, LONGEST_WORD, ExpressionError, Scalar

TokenKind: TypeAlias = Literal["value", "name", "word", "mark", "end"]

WORDS = ("and", "or", "not", "in", "is", "null", "true", "false")
"""Names that mean something; a field of such a name is written in backticks."""

_TOKEN = re.compile(
    r"""(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | `(?P<field>(?:[^`]|``)+)`
      | "(?P<double>(?:[^"]|"")*)"(?!") | '(?P<single>(?:[^']|'')*)'(?!')
      | (?P<mark>//|<=|>=|==|!=|[-+*/%<>(),\[\]])
      | (?P<end>\Z)""",
    re.VERBOSE,
)
_BLANK = re.compile(r"\s*")
_MEANT = {
    "=": ("expects ==", ""),
    "<>": ("expects !=", ""),
    "!": ("expects not, or != between two values", ""),
    "&&": ("expects and", ""),
    "||": ("expects or; texts are joined by concat(a, b)", ""),
    "**": ("expects pow(a, b)", ""),
    "^": ("expects pow(a, b)", ""),
    "&": ("expects and", ""),
    "|": ("expects or", ""),
    "'": ("this quote is never closed", ""),
    '"': ("this quote is never closed", ""),
    "`": ("this quote is never closed", ""),
}


@dataclass(frozen=True, slots=True)
class Token:
    """The characters [at, end). `text`: a name, word or mark; `value`: of a literal."""

    kind: TokenKind
    text: str
    at: int
    end: int
    value: Scalar = 0


def tokens(text: str) -> list[Token]:
    """All tokens, one of kind "end" last. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(LONGEST, LONGEST, f"expects at most {LONGEST:,} characters")
    out: list[Token] = []
    at = 0
    while not out or out[-1].kind != "end":
        match = _BLANK.match(text, at)
        at = match.end() if match else at
        found = _TOKEN.match(text, at)
        if found is None or text.startswith(("**", "<>"), at):
            raise _unexpected(text, at)
        out.append(_token(found, at))
        at = found.end()
    return out


def _unexpected(text: str, at: int) -> ExpressionError:
    for length in (2, 1):
        meant = _MEANT.get(text[at : at + length])
        if meant is not None:
            return ExpressionError(at, at + length, *meant)
    if text[at].isdigit():
        end = at + len(re.match(r"[\w.]*", text[at:])[0])  # type: ignore[index]
        return ExpressionError(at, end, "expects a number such as 12, 0.5 or 1e-3")
    return ExpressionError(at, at + 1, f"did not expect {text[at]!r}")


def _token(match: re.Match[str], at: int) -> Token:
    kind, end = str(match.lastgroup), match.end()
    text = match[kind]
    if kind == "number":
        return Token("value", text, at, end, _number(text, at, end))
    if kind in ("double", "single"):
        quote = '"' if kind == "double" else "'"
        word = text.replace(quote * 2, quote)
        if len(word) > LONGEST_WORD:
            raise ExpressionError(at, end, f"expects a text of at most {LONGEST_WORD} characters")
        if any("\ud800" <= c <= "\udfff" for c in word):
            raise ExpressionError(at, end, "expects text that UTF-8 can hold")
        return Token("value", text, at, end, word)
    if kind == "field":
        return Token("name", text.replace("``", "`"), at, end)
    if kind == "name" and text in WORDS:
        if text in ("true", "false"):
            return Token("value", text, at, end, text == "true")
        return Token("word", text, at, end)
    return Token("mark" if kind == "mark" else "end" if kind == "end" else "name", text, at, end)


def _number(text: str, at: int, end: int) -> int | float:
    """An int without a point or an exponent. 2**63 is let through for the sake of its negative; `parse` judges it."""
    if not re.search("[.eE]", text):
        if len(text) > 30 or int(text) > 2**63:
            raise ExpressionError(at, end, "expects an integer of 64 bits, or a float such as 1e30")
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ExpressionError(at, end, "expects a finite number")
    return value
