"""Tokens to a tree, by precedence (Pratt).

From loose to tight: or, and, not, comparisons with in and is null (not chained), + -, * / // %, unary -.
"""

from __future__ import annotations

from lepton_stream.expression.tokens import Token, tokens
from lepton_stream.expression.tree import (
    DEEPEST,
    MOST_ITEMS,
    Among,
    Binary,
    Called,
    ExpressionError,
    Listed,
    Name,
    Node,
    Unary,
    Value,
)

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
OR, AND, NOT, COMPARE, SUM, PRODUCT, MINUS = range(1, 8)
BINDS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys((*COMPARISONS, "in", "not", "is"), COMPARE),
    "+": SUM,
    "-": SUM,
    **dict.fromkeys(("*", "/", "//", "%"), PRODUCT),
}
"""How tightly an operator behind a value binds; `not` there is that of `not in`."""


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError and nothing else."""
    parser = _Parser(tokens(text))
    if parser.now.kind == "end":
        raise ExpressionError(0, 0, "expects an expression such as (bid + ask) / 2")
    node = parser.expression(0, 1)
    parser.at_end()
    return node


class _Parser:
    def __init__(self, listed: list[Token]) -> None:
        self.tokens, self.place = listed, 0

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def at_end(self) -> None:
        """Raises ExpressionError where something is left."""
        if self.now.kind != "end":
            raise self.refuse("expects an operator or the end")

    def step(self) -> Token:
        token = self.now
        self.place += token.kind != "end"
        return token

    def refuse(self, wish: str) -> ExpressionError:
        return ExpressionError(self.now.at, self.now.end, wish)

    def expect(self, mark: str, wish: str) -> Token:
        if self.now.kind == "mark" and self.now.text == mark:
            return self.step()
        raise self.refuse(wish)

    def expression(self, loosest: int, level: int) -> Node:
        """As much as binds tighter than `loosest`. `level`: how deep we are."""
        if level > DEEPEST:
            raise self.refuse(f"is nested too deeply: more than {DEEPEST} levels")
        left = self.first(level)
        while (binds := self.binding()) > loosest:
            operator = self.step()
            left = self.behind(left, operator, binds, level)
            if left.depth > DEEPEST:
                raise ExpressionError(operator.at, operator.end, f"has more than {DEEPEST} levels here: derive a part")
            if binds == COMPARE and self.binding() == COMPARE:
                raise self.refuse("comparisons are not chained: write a < b and b < c")
        return left

    def binding(self) -> int:
        return BINDS.get(self.now.text, 0) if self.now.kind in ("mark", "word") else 0

    def first(self, level: int) -> Node:
        """What may stand where a value begins."""
        token = self.step()
        match token.kind, token.text:
            case "value", _:
                return self.literal(token, token.value)
            case "name", _:
                called = self.now.kind == "mark" and self.now.text == "("
                return self.call(token, level) if called else Name(token.text, at=token.at, end=token.end)
            case "mark", "-":
                return self.negative(token, level)
            case "word", "not":
                operand = self.expression(NOT - 1, level + 1)
                return Unary("not", operand, at=token.at, end=operand.end, depth=operand.depth + 1)
            case "mark", "(":
                inside = self.expression(0, level + 1)
                self.expect(")", 'expects ")" or an operator')
                return inside
            case "mark", "[":
                return self.listed(token)
            case "word", "null":
                raise ExpressionError(token.at, token.end, "null stands behind is or is not only")
        raise ExpressionError(token.at, token.end, "expects a value: a field, a number, a text or a call")

    def negative(self, minus: Token, level: int) -> Node:
        after = self.now
        if after.kind == "value" and isinstance(after.value, int | float) and not isinstance(after.value, bool):
            self.step()
            return Value(-after.value, at=minus.at, end=after.end)
        operand = self.expression(PRODUCT, level + 1)
        return Unary("-", operand, at=minus.at, end=operand.end, depth=operand.depth + 1)

    def literal(self, token: Token, value: object) -> Value:
        if value == 2**63 and isinstance(value, int):
            raise ExpressionError(token.at, token.end, "expects an integer of 64 bits, or a float such as 1e30")
        return Value(token.value, at=token.at, end=token.end)

    def call(self, name: Token, level: int) -> Node:
        self.step()
        args: list[Node] = []
        while not (self.now.kind == "mark" and self.now.text == ")"):
            if args:
                self.expect(",", 'expects "," or ")"')
            args.append(self.expression(0, level + 1))
        end = self.step().end
        depth = 1 + max((a.depth for a in args), default=0)
        return Called(name.text, tuple(args), at=name.at, end=end, depth=depth)

    def listed(self, opening: Token) -> Listed:
        items: list[Value] = []
        while not (self.now.kind == "mark" and self.now.text == "]"):
            if items:
                self.expect(",", 'expects "," or "]"')
            items.append(self.item())
        end = self.step().end
        if len(items) > MOST_ITEMS:
            raise ExpressionError(opening.at, end, f"expects at most {MOST_ITEMS:,} values")
        return Listed(tuple(items), at=opening.at, end=end)

    def item(self) -> Value:
        minus = self.step() if self.now.kind == "mark" and self.now.text == "-" else None
        token = self.now
        if token.kind != "value" or (minus and isinstance(token.value, str | bool)):
            raise self.refuse("expects a number, a quoted text, true or false: lists hold literals only")
        self.step()
        if minus is None:
            return self.literal(token, token.value)
        assert not isinstance(token.value, str)
        return Value(-token.value, at=minus.at, end=token.end)

    def behind(self, left: Node, operator: Token, binds: int, level: int) -> Node:
        """A node of what is on the left and of the operator that was just taken."""
        if operator.text == "is":
            return self.is_null(left)
        if operator.text in ("in", "not"):
            return self.among(left, operator)
        right = self.expression(binds, level + 1)
        depth = 1 + max(left.depth, right.depth)
        return Binary(operator.text, left, right, at=left.at, end=right.end, depth=depth)

    def is_null(self, left: Node) -> Node:
        negated = self.now.kind == "word" and self.now.text == "not"
        if negated:
            self.step()
        if self.now.kind != "word" or self.now.text != "null":
            raise self.refuse("expects null or not null behind is")
        op = "is not null" if negated else "is null"
        return Unary(op, left, at=left.at, end=self.step().end, depth=left.depth + 1)

    def among(self, left: Node, operator: Token) -> Node:
        negated = operator.text == "not"
        if negated:
            if self.now.kind != "word" or self.now.text != "in":
                raise self.refuse("expects in behind not")
            self.step()
        items = self.listed(self.expect("[", 'expects a list such as ["a", "b"]'))
        return Among(left, items, negated, at=left.at, end=items.end, depth=left.depth + 1)
