"""Two fields together: what covariance, correlation and weighted mean are read off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from lepton_stream.columns import Index, Numbers, is_valid
from lepton_stream.kernels import exact
from lepton_stream.kernels.kernel import Rows, State, size
from lepton_stream.kernels.products import add_products

PARTS = ("x", "y", "xx", "yy", "xy")


@dataclass(frozen=True, slots=True)
class Pair:
    """The Gram matrix of (1, x, y) over the rows where both fields are there: their number and exact sums.

    Input   float64[n] finite or int64[n], units u, v.   State   8 bytes a group and 8 a touched limb of each of the
    Result  sums, sums of squares and of products.               five sums (176 at ordinary sizes).
    Error   none: what is read off it rounds at the end.  Source  see `exact`.

    All functions of the same two fields, in either order, read one state.
    """

    x: str
    y: str

    @property
    def key(self) -> str:
        """`pair.1(x,y)`."""
        return f"pair.1({self.x},{self.y})"

    def fill(self, name: str) -> int:
        """No rows, zero in every limb."""
        return 0

    def empty(self, groups: int) -> State:
        """State of groups without rows."""
        return {"rows": np.zeros(groups, np.int64)}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Add the rows where both are there."""
        both = [rows.columns[self.x], rows.columns[self.y]]
        keep = is_valid(both[0]) & is_valid(both[1])
        where = groups[keep]
        x, y = (c.values[keep] for c in both if isinstance(c, Numbers))
        count = size(state)
        state["rows"] += np.bincount(where, minlength=count)
        for part, factors in (("x", (x,)), ("y", (y,)), ("xx", (x, x)), ("yy", (y, y)), ("xy", (x, y))):
            added: State = {}
            _add(added, where, factors, count)
            exact.normalise(added)
            for name, limbs in added.items():
                into = f"{part}.{name}"
                state[into] = state[into] + limbs if into in state else limbs

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add sums."""
        for name, array in other.items():
            if name not in state:
                state[name] = np.zeros(size(state), np.int64)
            np.add.at(state[name], groups, array)


def _add(into: State, groups: Index, factors: tuple[Any, ...], count: int) -> None:
    if len(factors) == 2:
        add_products(into, groups, *factors, count)
    elif factors[0].dtype == np.float64:
        exact.add_floats(into, groups, factors[0], count)
    else:
        exact.add_integers(into, groups, factors[0], count)


@dataclass(frozen=True, slots=True)
class Moments:
    """One group's sums as integers: of x in units of 2**ex, of y in 2**ey, of products in the products of these."""

    n: int
    x: int
    y: int
    xx: int
    yy: int
    xy: int
    ex: int
    ey: int

    def turned(self) -> Moments:
        """With x for y."""
        return Moments(self.n, self.y, self.x, self.yy, self.xx, self.xy, self.ey, self.ex)


def moments(state: State) -> Iterable[Moments]:
    """The sums of each group."""
    counts = state["rows"].tolist()
    sums = {part: _integers(state, part, len(counts)) for part in PARTS}
    ex = min(sums["x"][1], sums["xx"][1] // 2, sums["xy"][1] // 2)
    ey = min(sums["y"][1], sums["yy"][1] // 2, sums["xy"][1] // 2)
    units = {"x": ex, "y": ey, "xx": 2 * ex, "yy": 2 * ey, "xy": ex + ey}
    lists = [[v << (sums[part][1] - units[part]) for v in sums[part][0]] for part in PARTS]
    return (Moments(*six, ex, ey) for six in zip(counts, *lists, strict=True))  # type: ignore[call-arg]


def _integers(state: State, part: str, groups: int) -> tuple[list[int], int]:
    prefix = f"{part}."
    own = {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
    return exact.to_integers(own, groups)


def covariance(m: Moments) -> float | None:
    """Sample covariance (n - 1), rounded once; None below two rows."""
    if m.n < 2:
        return None
    return _rounded(m.n * m.xy - m.x * m.y, m.n * (m.n - 1), m.ex + m.ey)


def correlation(m: Moments) -> float | None:
    """Pearson's, within 1e-15, from -1 to 1; None where either field is constant."""
    product, squares = m.n * m.xy - m.x * m.y, (m.n * m.xx - m.x * m.x) * (m.n * m.yy - m.y * m.y)
    if not squares:
        return None
    # 64 bits more than the result needs, so that the integer root decides nothing
    share = isqrt((product * product << 128) // squares) / (1 << 64)
    return max(-1.0, min(1.0, -share if product < 0 else share))


def weighted_mean(m: Moments) -> float | None:
    """Of x with the weights y, rounded once; None where the weights add up to nothing."""
    return _rounded(m.xy, m.y, m.ex) if m.y else None


def of_each(read: Callable[[Moments], float | None], *, turned: bool) -> Callable[[list[State]], list[Any]]:
    """One value a group; `turned`: the fields were called in the other order."""
    return lambda states: [read(m.turned() if turned else m) for m in moments(states[0])]


def _rounded(numerator: int, denominator: int, exponent: int) -> float | None:
    """The fraction times 2**exponent, rounded once; None beyond the range of doubles."""
    try:
        return (numerator << max(exponent, 0)) / (denominator << max(-exponent, 0))
    except OverflowError:
        return None
