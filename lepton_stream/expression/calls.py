"""Calls in expressions, held against the catalogue."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from itertools import pairwise

from lepton_stream.expression.catalogue import FUNCTIONS, Function
from lepton_stream.expression.fitting import as_float, common, describe, kind_of, numbers, typed_literal
from lepton_stream.expression.tree import Called, ExpressionError, Kind, Listed, Node, Value
from lepton_stream.expression.typed import Typed
from lepton_stream.pipeline.near import nearest

MOST_PIECES = 64
"""Texts that one text may be put together from, through derived columns too: more could fill the memory."""

_Type = Callable[[Node], Typed]


def check_call(node: Called, typed: _Type) -> Typed:
    """The step of a call. Raises ExpressionError."""
    function = FUNCTIONS.get(node.function)
    if function is None:
        known = ", ".join(sorted(FUNCTIONS))
        at, end = node.at, node.at + len(node.function)
        raise ExpressionError(at, end, f"unknown function; there are {known}", nearest(node.function, FUNCTIONS))
    _check_count(node, function)
    if function.takes == ("zone",):
        return _moment(node)
    special = {"when": _when, "coalesce": _coalesce, "bucket": _bucket, "concat": _concat}.get(function.name)
    return special(node, typed) if special else _plain(node, function, typed)


def _check_count(node: Called, function: Function) -> None:
    given, most = len(node.args), None if function.more else len(function.takes)
    if given >= function.fewest and (most is None or given <= most):
        return
    if function.takes == ("zone",):
        raise ExpressionError(node.args[1].at, node.args[1].end, f"{function.shown} takes a zone or nothing")
    last = node.args[most] if most is not None and given > most else None
    at, end = (last.at, last.end) if last else (node.end - 1, node.end)
    count = f"{function.fewest} argument{'' if function.fewest == 1 else 's'}"
    raise ExpressionError(at, end, f"{function.shown} takes {'at least ' if most is None else ''}{count}, not {given}")


def _plain(node: Called, function: Function, typed: _Type) -> Typed:
    """Functions of numbers and texts whose arguments are all of the kinds that the catalogue names."""
    takes = [function.takes[min(i, len(function.takes) - 1)] for i in range(len(node.args))]
    args = []
    words: tuple[str, ...] = ()
    for arg, kind in zip(node.args, takes, strict=True):
        if kind == "word":
            words = (_word(arg, function),)
            continue
        one = typed(arg)
        if kind == "text":
            _text(arg, one, function)
        else:
            numbers(arg, one, function.name)
        args.append(as_float(one) if kind == "float" else one)
    if function.gives == "same":
        args = common(node.args, args, function.shown)
    gives: Kind = args[0].kind if function.gives == "same" else function.gives
    nullable = any(a.nullable for a in args) or _may_fail(function, args[0].kind)
    return Typed(function.name, gives, nullable, tuple(args), words, max(a.pieces for a in args))


def _may_fail(function: Function, kind: Kind) -> bool:
    """Abs of an int may leave its range, floor of a float too; not the other way round."""
    if function.name == "abs":
        return kind == "int"
    if function.name in ("floor", "ceil", "round"):
        return kind == "float"
    return function.may_fail


def _text(node: Node, one: Typed, function: Function) -> None:
    if one.kind != "str":
        raise ExpressionError(node.at, node.end, f"{function.shown} takes text; this is {describe(one.kind)}")


def _word(node: Node, function: Function) -> str:
    if not isinstance(node, Value) or not isinstance(node.value, str):
        raise ExpressionError(node.at, node.end, f"{function.shown} expects a quoted text here")
    return node.value


def _when(node: Called, typed: _Type) -> Typed:
    args = [typed(arg) for arg in node.args]
    pairs = len(args) // 2
    for arg, one in zip(node.args[: 2 * pairs : 2], args[: 2 * pairs : 2], strict=True):
        if one.kind != "bool":
            raise ExpressionError(
                arg.at, arg.end, f"when expects a condition (bool) here; this is {describe(one.kind)}"
            )
    places = [*range(1, 2 * pairs, 2), *([2 * pairs] if len(args) % 2 else [])]
    values = common([node.args[i] for i in places], [args[i] for i in places], "when gives values of one type")
    for place, value in zip(places, values, strict=True):
        args[place] = value
    nullable = len(args) % 2 == 0 or any(v.nullable for v in values)
    return Typed("when", values[0].kind, nullable, tuple(args), (), max(v.pieces for v in values))


def _coalesce(node: Called, typed: _Type) -> Typed:
    args = common(node.args, [typed(arg) for arg in node.args], "coalesce takes values of one type")
    nullable = all(a.nullable for a in args)
    return Typed("coalesce", args[0].kind, nullable, tuple(args), (), max(a.pieces for a in args))


def _concat(node: Called, typed: _Type) -> Typed:
    args = [typed(arg) for arg in node.args]
    for arg, one in zip(node.args, args, strict=True):
        _text(arg, one, FUNCTIONS["concat"])
    pieces = sum(a.pieces for a in args)
    if pieces > MOST_PIECES:
        wish = f"puts {pieces} texts together, those of derived columns counted; at most {MOST_PIECES} may be"
        raise ExpressionError(node.at, node.end, wish)
    return Typed("concat", "str", any(a.nullable for a in args), tuple(args), (), pieces)


def _bucket(node: Called, typed: _Type) -> Typed:
    x = typed(node.args[0])
    numbers(node.args[0], x, "bucket")
    edges, labels = (_list(arg) for arg in node.args[1:])
    if len(labels.items) != len(edges.items) + 1:
        wish = f"expects one label more than there are edges, {len(edges.items) + 1}, not {len(labels.items)}"
        raise ExpressionError(labels.at, labels.end, wish)
    steps = _rising(edges)
    if x.kind == "float" or any(isinstance(e, float) for e in steps):
        x, steps = as_float(x), tuple(map(float, steps))
    named = common(labels.items, [typed_literal(v) for v in labels.items], "bucket gives values of one type")
    kind = named[0].kind
    told = (float(v.value) if kind == "float" else v.value for v in labels.items)
    values = tuple(Typed("value", kind, False, (), (v,)) for v in told)
    return Typed("bucket", kind, x.nullable, (x, *values), steps)


def _list(node: Node) -> Listed:
    if not isinstance(node, Listed) or not node.items:
        raise ExpressionError(node.at, node.end, "expects a list such as [10, 20]")
    return node


def _rising(edges: Listed) -> tuple[int | float, ...]:
    steps: list[int | float] = []
    for item in edges.items:
        if kind_of(item.value) not in ("int", "float"):
            raise ExpressionError(item.at, item.end, "expects a number")
        assert not isinstance(item.value, str)
        steps.append(item.value)
    for (low, high), item in zip(pairwise(steps), edges.items[1:], strict=True):
        if not float(low) < float(high):
            raise ExpressionError(item.at, item.end, f"expects more than the edge before it, {low}")
    return tuple(steps)


def _moment(node: Called) -> Typed:
    zone = "UTC"
    for arg in node.args:
        if not isinstance(arg, Value) or not isinstance(arg.value, str):
            wish = f'{node.function} reads the event time by itself: write {node.function}() or {node.function}("ZONE")'
            raise ExpressionError(arg.at, arg.end, wish)
        zone = _zone(arg, arg.value)
    return Typed(node.function, "int", False, (), (zone,))


def _zone(node: Node, name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a directory of zones, such as "Asia"
        wish = 'expects the IANA name of a time zone, such as "Asia/Shanghai"'
        raise ExpressionError(node.at, node.end, wish, nearest(name, zoneinfo.available_timezones())) from None
    return name
