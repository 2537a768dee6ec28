"""A slow second opinion: the value of an expression for one row, by walking its tree with Python's own arithmetic.

It shares nothing with the code under test but the tree. None is null. Written after docs/expressions.md.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lepton_stream.expression.tree import Among, Binary, Called, Listed, Name, Node, Unary, Value

Any = str | int | float | bool | None
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def value_of(node: Node, row: Mapping[str, Any], time_us: int, kinds: Mapping[str, str]) -> Any:
    """The value for a row of fields. `kinds`: type of each field by name."""
    return Row(row, time_us, kinds).value(node)


def number(value: Any) -> Any:
    """An integer outside 64 bits and a float that is not finite are null; minus zero is zero."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if math.isfinite(value) else None


class Row:
    """One record."""

    def __init__(self, row: Mapping[str, Any], time_us: int, kinds: Mapping[str, str]) -> None:
        self.row, self.time, self.kinds = row, time_us, kinds

    def kind(self, node: Node) -> str:
        """What a value of the node is, where it is there: needed because an int beside a float is a float."""
        match node:
            case Value():
                return type(node.value).__name__
            case Name():
                return self.kinds[node.name]
            case Unary():
                return self.kind(node.operand) if node.op == "-" else "bool"
            case Binary():
                if node.op == "/":
                    return "float"
                if node.op in ("+", "-", "*", "//", "%"):
                    return "float" if "float" in (self.kind(node.left), self.kind(node.right)) else "int"
                return "bool"
            case Called():
                return self.kind_of_call(node)
            case _:
                return "bool"

    def kind_of_call(self, node: Called) -> str:
        """The same of a call."""
        name, args = node.function, node.args
        if name in ("sqrt", "log", "exp", "pow"):
            return "float"
        if name in ("floor", "ceil", "round", "length", "hour", "minute", "weekday"):
            return "int"
        if name in ("starts_with", "ends_with", "contains"):
            return "bool"
        if name in ("lower", "upper", "concat"):
            return "str"
        if name == "when":
            args = (*args[1 : len(args) // 2 * 2 : 2], *(args[-1:] if len(args) % 2 else ()))
        if name == "bucket":
            assert isinstance(args[2], Listed)
            args = args[2].items
        kinds = {self.kind(a) for a in args}
        return "float" if kinds == {"int", "float"} else kinds.pop()

    def value(self, node: Node) -> Any:
        """The value of a node, in its own kind."""
        made = number(self.plain(node))
        return float(made) if made is not None and self.kind(node) == "float" else made

    def plain(self, node: Node) -> Any:
        match node:
            case Value():
                return node.value
            case Name():
                return self.row[node.name]
            case Unary():
                return self.unary(node.op, self.value(node.operand))
            case Binary():
                return self.binary(node)
            case Among():
                return self.among(node)
            case Called():
                return self.call(node)
            case _:
                raise AssertionError(node)

    @staticmethod
    def unary(op: str, value: Any) -> Any:
        if op in ("is null", "is not null"):
            return (value is None) == (op == "is null")
        if value is None:
            return None
        assert not isinstance(value, str)
        return not value if op == "not" else -value

    def binary(self, node: Binary) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if node.op in ("and", "or"):
            decides = node.op == "or"
            if left is decides or right is decides:
                return decides
            return None if left is None or right is None else not decides
        if left is None or right is None:
            return None
        if "float" in (self.kind(node.left), self.kind(node.right)) or node.op == "/":
            left, right = float(left), float(right)
        return self.operate(node.op, left, right)

    @staticmethod
    def operate(op: str, a: Any, b: Any) -> Any:
        if op in ("==", "!="):
            return (a == b) == (op == "==")
        assert not isinstance(a, str | None)
        assert not isinstance(b, str | None)
        if op in ("<", "<=", ">", ">="):
            return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
        steps: dict[str, Callable[[], typing.Any]] = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / b,
            "//": lambda: a // b,
            "%": lambda: a % b,
        }
        try:
            return number(steps[op]())
        except ZeroDivisionError:
            return None

    def among(self, node: Among) -> Any:
        value = self.value(node.value)
        if value is None:
            return None
        items = [item.value for item in node.items.items]
        if any(isinstance(v, float) for v in (*items, value)):
            items, value = [float(v) for v in items], float(value)
        return (value in items) != node.negated

    def call(self, node: Called) -> Any:
        name, args = node.function, node.args
        if name == "when":
            for i in range(0, len(args) // 2 * 2, 2):
                if self.value(args[i]) is True:
                    return self.value(args[i + 1])
            return self.value(args[-1]) if len(args) % 2 else None
        if name == "coalesce":
            return next((v for v in map(self.value, args) if v is not None), None)
        if name in ("hour", "minute", "weekday"):
            return self.moment(name, args)
        values = [self.value(a) for a in args if not isinstance(a, Listed)]
        if None in values:
            return None
        if name == "bucket":
            return self.bucket(values[0], *args[1:])
        try:
            return FUNCTIONS[name](*values)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    def moment(self, name: str, args: tuple[Node, ...]) -> int:
        zone = args[0].value if args and isinstance(args[0], Value) else "UTC"
        local = (EPOCH + timedelta(microseconds=self.time)).astimezone(ZoneInfo(str(zone)))
        return {"hour": local.hour, "minute": local.minute, "weekday": local.weekday()}[name]

    @staticmethod
    def bucket(x: Any, edges: Node, labels: Node) -> Any:
        assert isinstance(edges, Listed)
        assert isinstance(labels, Listed)
        assert isinstance(x, int | float)
        steps: list[typing.Any] = [e.value for e in edges.items]
        if any(isinstance(e, float) for e in (*steps, x)):
            x, steps = float(x), [float(e) for e in steps]
        place = sum(1 for e in steps if x >= e)
        return labels.items[place].value


def _pow(x: float, y: float) -> float | None:
    made = float(x) ** float(y)
    return made if isinstance(made, float) else None


FUNCTIONS: dict[str, Callable[..., typing.Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "pow": _pow,
    "length": len,
    "lower": str.lower,
    "upper": str.upper,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
    "concat": lambda *s: "".join(s),
}
