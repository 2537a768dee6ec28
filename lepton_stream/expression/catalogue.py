"""The functions of expressions: what they take and give, one line of help. docs/expressions.md lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Takes: TypeAlias = Literal["number", "float", "text", "word", "any", "condition", "zone", "edges", "labels"]
"""What an argument is. float: a number, ints become floats; word: a quoted text; zone: the quoted name of a zone."""

Gives: TypeAlias = Literal["same", "float", "int", "bool", "str"]


@dataclass(frozen=True, slots=True)
class Function:
    """`takes`: its arguments; `more`: the last one may be repeated; `least`: how many there must be at least.

    `gives` "same": the kind of its arguments, which must have one kind. `may_fail`: null for some arguments that are
    not null themselves.
    """

    name: str
    takes: tuple[Takes, ...]
    shown: str
    gives: Gives
    help: str
    more: bool = False
    least: int | None = None
    may_fail: bool = False

    @property
    def fewest(self) -> int:
        """How many arguments there must be at least."""
        return len(self.takes) if self.least is None else self.least


_ALL = (
    Function("abs", ("number",), "abs(x)", "same", "x without its sign", may_fail=True),
    Function("min", ("number",), "min(x, y, ...)", "same", "the smallest; null if one is null", more=True, least=2),
    Function("max", ("number",), "max(x, y, ...)", "same", "the largest; null if one is null", more=True, least=2),
    Function("floor", ("number",), "floor(x)", "int", "the largest integer not above x", may_fail=True),
    Function("ceil", ("number",), "ceil(x)", "int", "the smallest integer not below x", may_fail=True),
    Function(
        "round", ("number",), "round(x)", "int", "the nearest integer; a half goes to the even one", may_fail=True
    ),
    Function("sqrt", ("float",), "sqrt(x)", "float", "square root; null below 0", may_fail=True),
    Function("log", ("float",), "log(x)", "float", "natural logarithm; null at 0 and below", may_fail=True),
    Function("exp", ("float",), "exp(x)", "float", "e to the power of x", may_fail=True),
    Function("pow", ("float", "float"), "pow(x, y)", "float", "x to the power of y", may_fail=True),
    Function(
        "when",
        ("condition", "any"),
        "when(condition, value, ..., otherwise)",
        "same",
        "value of the first condition that is true, else `otherwise`, which may be left out: null",
        more=True,
        least=2,
    ),
    Function("coalesce", ("any",), "coalesce(a, b, ...)", "same", "the first that is not null", more=True, least=2),
    Function(
        "bucket",
        ("number", "edges", "labels"),
        "bucket(x, [e1, e2, ...], [l0, l1, l2, ...])",
        "same",
        "l0 below e1, l1 from e1 on, l2 from e2 on: rising edges, one label more",
    ),
    Function("length", ("text",), "length(s)", "int", "how many characters (code points)"),
    Function("lower", ("text",), "lower(s)", "str", "in small letters"),
    Function("upper", ("text",), "upper(s)", "str", "in capital letters"),
    Function("starts_with", ("text", "word"), 'starts_with(s, "C")', "bool", "whether s begins with this text"),
    Function("ends_with", ("text", "word"), 'ends_with(s, "-X")', "bool", "whether s ends with this text"),
    Function("contains", ("text", "word"), 'contains(s, "err")', "bool", "whether this text occurs in s"),
    Function("concat", ("text",), "concat(s, t, ...)", "str", "one after the other; null if one is null", more=True),
    Function(
        "hour",
        ("zone",),
        'hour("Asia/Shanghai")',
        "int",
        "hour of the event time, 0 to 23; hour() is that of UTC",
        least=0,
    ),
    Function(
        "minute",
        ("zone",),
        'minute("Asia/Shanghai")',
        "int",
        "minute of the event time, 0 to 59; without a zone UTC",
        least=0,
    ),
    Function(
        "weekday",
        ("zone",),
        'weekday("Asia/Shanghai")',
        "int",
        "weekday of the event time, Monday is 0; without a zone UTC",
        least=0,
    ),
)
FUNCTIONS: dict[str, Function] = {f.name: f for f in _ALL}
