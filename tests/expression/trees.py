"""Random trees of a wished kind over a few fields, and random rows for them."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from lepton_stream.expression.tree import Among, Binary, Called, Kind, Listed, Name, Node, Unary, Value
from lepton_stream.expression.typed import Known

FIELDS: dict[str, tuple[Kind, bool]] = {
    "x": ("float", False),
    "y": ("float", True),
    "i": ("int", False),
    "j": ("int", True),
    "s": ("str", False),
    "t u": ("str", True),
    "b": ("bool", False),
    "c": ("bool", True),
}
KNOWN = {name: Known(kind, nullable) for name, (kind, nullable) in FIELDS.items()}
KINDS = {name: kind for name, (kind, _) in FIELDS.items()}

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 0.5, 1.5, 2.5, -0.5, 1e308, -1e308, 5e-324, 9.3e18, -(2.0**63), 2.0**63]),
    st.integers(-4, 4).map(float),
)
INTS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-4, 4), st.sampled_from([-(2**63), 2**63 - 1, 2**32]))
TEXTS = st.one_of(
    st.sampled_from(["", "a", "C1", "c", "ab", "aab", "ß", "Äa", "\u017f", "日本", "\x00", "a\x00", '"', "'"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
LITERALS: dict[Kind, st.SearchStrategy[object]] = {
    "float": FLOATS,
    "int": INTS,
    "str": TEXTS,
    "bool": st.booleans(),
}


def literals(kind: Kind) -> st.SearchStrategy[Value]:
    return LITERALS[kind].map(Value)  # type: ignore[arg-type]


def rows() -> st.SearchStrategy[dict[str, object]]:
    """One record; about a third of what may be null is."""
    return st.fixed_dictionaries(
        {name: LITERALS[kind] | st.none() if nullable else LITERALS[kind] for name, (kind, nullable) in FIELDS.items()}
    )


def lists(kind: Kind, least: int = 1, most: int = 3) -> st.SearchStrategy[Listed]:
    return st.lists(literals(kind), min_size=least, max_size=most).map(lambda v: Listed(tuple(v)))


@st.composite
def buckets(draw: st.DrawFn, kind: Kind, depth: int) -> Node:
    number = draw(st.sampled_from(("float", "int")))
    steps = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3, unique=True).map(sorted))
    edges = Listed(tuple(Value(float(v) if number == "float" else v) for v in steps))
    labels = draw(lists(kind, len(steps) + 1, len(steps) + 1))
    return Called("bucket", (draw(trees(number, depth)), edges, labels))


@st.composite
def whens(draw: st.DrawFn, kind: Kind, depth: int) -> Node:
    args: list[Node] = []
    for _ in range(draw(st.integers(1, 2))):
        args += [draw(trees("bool", depth)), draw(trees(kind, depth))]
    if draw(st.booleans()):
        args.append(draw(trees(kind, depth)))
    return Called("when", tuple(args))


def calls(function: str, *args: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.tuples(*args).map(lambda a: Called(function, a))


def several(function: str, kind: Kind, depth: int, least: int) -> st.SearchStrategy[Node]:
    return st.lists(trees(kind, depth), min_size=least, max_size=3).map(lambda a: Called(function, tuple(a)))


def binaries(ops: tuple[str, ...], left: Kind, right: Kind, depth: int) -> st.SearchStrategy[Node]:
    return st.builds(Binary, st.sampled_from(ops), trees(left, depth), trees(right, depth))


def unaries(op: str, kind: Kind, depth: int) -> st.SearchStrategy[Node]:
    """A minus before a literal is read as part of it."""
    return trees(kind, depth).map(lambda o: Unary(op, o))


@cache
def trees(kind: Kind, depth: int = 3) -> st.SearchStrategy[Node]:
    """Trees of that kind."""
    named = [Name(name) for name, (of, _) in FIELDS.items() if of == kind]
    leaves: list[st.SearchStrategy[Node]] = [st.sampled_from(named), literals(kind)]
    if depth == 0:
        return st.one_of(leaves)
    d = depth - 1
    both = [whens(kind, d), several("coalesce", kind, d, 2), buckets(kind, d)]
    return st.deferred(lambda: st.one_of([*leaves, *both, *OF_KIND[kind](d)]))


def _floats(d: int) -> list[st.SearchStrategy[Node]]:
    arithmetic = ("+", "-", "*", "/", "//", "%")
    return [
        binaries(arithmetic, "float", "float", d),
        binaries(arithmetic, "float", "int", d),
        binaries(arithmetic, "int", "float", d),
        binaries(("/",), "int", "int", d),
        unaries("-", "float", d),
        calls("abs", trees("float", d)),
        several("min", "float", d, 2),
        several("max", "float", d, 2),
        calls("sqrt", trees("float", d)),
        calls("coalesce", trees("int", d), trees("float", d)),
    ]


def _ints(d: int) -> list[st.SearchStrategy[Node]]:
    zones = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]).map(Value)
    return [
        binaries(("+", "-", "*", "//", "%"), "int", "int", d),
        unaries("-", "int", d),
        calls("abs", trees("int", d)),
        several("min", "int", d, 2),
        *(calls(name, trees(kind, d)) for name in ("floor", "ceil", "round") for kind in ("float", "int")),
        calls("length", trees("str", d)),
        *(calls(name, zones) for name in ("hour", "minute", "weekday")),
        calls("hour"),
    ]


def _texts(d: int) -> list[st.SearchStrategy[Node]]:
    return [calls("lower", trees("str", d)), calls("upper", trees("str", d)), several("concat", "str", d, 1)]


def _bools(d: int) -> list[st.SearchStrategy[Node]]:
    kinds: tuple[Kind, ...] = ("float", "int", "str", "bool")
    order = ("<", "<=", ">", ">=", "==", "!=")
    words = ("starts_with", "ends_with", "contains")
    return [
        binaries(("and", "or"), "bool", "bool", d),
        binaries(("and", "or"), "bool", "bool", d),
        unaries("not", "bool", d),
        *(binaries(order, a, b, d) for a in ("float", "int") for b in ("float", "int")),
        binaries(("==", "!="), "str", "str", d),
        binaries(("==", "!="), "bool", "bool", d),
        *(unaries(op, kind, d) for op in ("is null", "is not null") for kind in kinds),
        *(st.builds(Among, trees(kind, d), lists(kind), st.booleans()) for kind in kinds),
        st.builds(Among, trees("int", d), lists("float"), st.booleans()),
        *(calls(name, trees("str", d), literals("str")) for name in words),
    ]


OF_KIND = {"float": _floats, "int": _ints, "str": _texts, "bool": _bools}
