"""What a kind of model is: for each row of a key, what was expected before it, and how far values usually lie off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Mask

Floats: TypeAlias = NDArray[np.float64]
State: TypeAlias = dict[str, NDArray[Any]]
"""Arrays with one row a key."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """n rows of m different keys: key after key, each key's rows in their order.

    `key` int64[m]: the keys' rows in the state; `start`, `count` int64[m]: where the rows of each are. Of the rows:
    `owner`, which of the m keys; `value`, finite; `before`, how many values the key has seen since it last began anew;
    `time`; `anew`, whether the key begins anew with the row, as one does that was never seen.
    """

    key: Index
    start: Index
    count: Index
    owner: Index
    value: Floats
    before: Index
    time: Index
    anew: Mask

    @property
    def position(self) -> Index:
        """int64[n]: each row's place among those of its key."""
        return np.arange(len(self.owner)) - self.start[self.owner]


class Found(NamedTuple):
    """float64[n] each. `seen`: what is compared with what was expected, the value or what the model makes of it."""

    seen: Floats
    expected: Floats
    deviation: Floats


class Scorer(Protocol):
    """The arithmetic of a row is the same whatever rows come with it: results do not depend on cuts, bit for bit."""

    @property
    def subject(self) -> str:
        """What `seen` is of the field, in words that stand before its name; "" where it is the value itself."""
        ...

    def empty(self, keys: int) -> State:
        """State of keys that have seen no value."""
        ...

    def score(self, state: State, run: Run) -> Found:
        """What is said of each row by what its key saw before; the state is moved on by all rows.

        Where nothing came before a row, its numbers mean nothing.
        """
        ...

    def told(self, before: int) -> str:
        """What `expected` is, in words; `before`: values seen before the row."""
        ...
