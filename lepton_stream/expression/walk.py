"""Going through a tree."""

from __future__ import annotations

from collections.abc import Iterator

from lepton_stream.expression.tree import Among, Binary, Called, Name, Node, Unary


def names_in(node: Node) -> Iterator[str]:
    """The names that an expression uses, in the order of the text."""
    match node:
        case Name():
            yield node.name
        case Unary():
            yield from names_in(node.operand)
        case Binary():
            yield from names_in(node.left)
            yield from names_in(node.right)
        case Among():
            yield from names_in(node.value)
        case Called():
            for arg in node.args:
                yield from names_in(arg)
