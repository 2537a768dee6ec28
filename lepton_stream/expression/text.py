"""A tree as the text that is read into it: `parse(text_of(node)) == node`. Blanks and needless brackets are gone."""

from __future__ import annotations

import re

from lepton_stream.expression.parse import BINDS, COMPARE, MINUS, NOT, PRODUCT
from lepton_stream.expression.tokens import WORDS
from lepton_stream.expression.tree import Among, Binary, Called, Listed, Name, Node, Unary, Value

_PLAIN = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_ATOM = MINUS + 1


def text_of(node: Node) -> str:
    """The text."""
    return _text(node)[0]


def _text(node: Node) -> tuple[str, int]:
    """(text, how tightly its outermost operator binds)."""
    match node:
        case Value():
            return _literal(node), _ATOM
        case Name():
            plain = _PLAIN.fullmatch(node.name) and node.name not in WORDS
            return (node.name if plain else f"`{node.name.replace('`', '``')}`"), _ATOM
        case Called():
            return f"{node.function}({', '.join(text_of(a) for a in node.args)})", _ATOM
        case Listed():
            return f"[{', '.join(_literal(v) for v in node.items)}]", _ATOM
        case Among():
            word = "not in" if node.negated else "in"
            return f"{_inside(node.value, COMPARE)} {word} {text_of(node.items)}", COMPARE
        case Unary():
            return _unary(node)
        case Binary():
            binds = BINDS[node.op]
            left = _inside(node.left, binds if binds == COMPARE else binds - 1)
            return f"{left} {node.op} {_inside(node.right, binds)}", binds


def _unary(node: Unary) -> tuple[str, int]:
    if node.op == "not":
        return f"not {_inside(node.operand, NOT - 1)}", NOT
    if node.op != "-":
        return f"{_inside(node.operand, COMPARE)} {node.op}", COMPARE
    inside = _inside(node.operand, PRODUCT)
    number = isinstance(node.operand, Value)  # -5 would be a literal
    return (f"-({inside})" if number else f"-{inside}"), MINUS


def _inside(node: Node, loosest: int) -> str:
    text, binds = _text(node)
    return text if binds > loosest else f"({text})"


def _literal(node: Value) -> str:
    value = node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, float):
        shown = repr(value)
        return shown if "." in shown or "e" in shown else f"{shown}.0"
    return str(value)
