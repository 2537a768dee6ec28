"""Quotes of currencies with planted mistakes: prices that jump for one quote, and a side that is typed wrong.

The background has the shape of the shipped sample, the most restless minutes of a real week: runs of forty of its
quotes, drawn anew, each with its gaps, spreads and moves, turned over at random so that there is no trend. The day
makes them slower and smaller, down to a fifth; in a tenth of the runs the price stands still.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from tests.reference.fx_ticks import shipped

Floats: TypeAlias = NDArray[np.float64]
Key: TypeAlias = tuple[str, str]
Series: TypeAlias = tuple[NDArray[np.int64], Floats, Floats]
"""Times in ms, which rise, bids and asks."""
RUN, APART, CALM = 40, 25, 60
"""Quotes of a run; fewest between two mistakes of a series, and before its first."""
BEGIN_MS, DAY_MS = 1_399_248_000_000, 600_000
"""Monday, 2014-05-05; a day of the stream is ten minutes long, so that each has some."""
SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Mistake:
    """Of one quote. `side`: 1 where the mid is too high, -1 where it is too low."""

    kind: str
    side: int


Planted: TypeAlias = dict[tuple[Key, int], Mistake]
"""By venue, symbol and event time in milliseconds."""


@cache
def _shape() -> dict[Key, tuple[Floats, Floats, Floats, float]]:
    """Of each series of the sample: gaps in ms, moves of the mid in basis points, spreads in price; its first mid."""
    found = {}
    for (venue, symbol), table in shipped().group_by("venue", "symbol", maintain_order=True):
        bid, ask, time = (table[name].to_numpy() for name in ("bid", "ask", "time_us"))
        mid = (bid + ask) / 2
        move = np.diff(np.log(mid)) * 10_000
        found[str(venue), str(symbol)] = (np.diff(time) / 1000, move, (ask - bid)[1:], float(mid[0]))
    return found


def stream(seed: int, quotes: int) -> tuple[list[bytes], Planted]:
    """So many quotes of each venue and symbol, by time, and which of them are mistakes."""
    shapes = enumerate(_shape().items())
    return with_mistakes(
        {key: _background(np.random.default_rng([seed, n]), *of, quotes) for n, (key, of) in shapes}, seed
    )


def with_mistakes(series: dict[Key, Series], seed: int) -> tuple[list[bytes], Planted]:
    """These quotes with mistakes planted among them, in place; by time."""
    rows: list[tuple[int, bytes]] = []
    planted: Planted = {}
    for number, (key, (time, bid, ask)) in enumerate(series.items()):
        for place, mistake in _mistakes(np.random.default_rng([seed, number, 1]), bid, ask):
            planted[key, int(time[place])] = mistake
        rows += _records(key, time, np.round(bid, 5), np.round(ask, 5))
    return [row for _, row in sorted(rows)], planted


def _background(
    draw: np.random.Generator, gap: Floats, move: Floats, spread: Floats, first: float, quotes: int
) -> Series:
    runs = -(-quotes // RUN)
    begin = draw.integers(0, len(move) - RUN, runs)
    place = (begin[:, None] + np.arange(RUN)).ravel()[:quotes]
    turned = np.repeat(draw.choice([-1.0, 0.0, 1.0], runs, p=[0.45, 0.1, 0.45]), RUN)[:quotes]
    slow = np.cumsum(gap[place])
    busy = 0.2 + 0.8 * np.sin(np.pi * slow / DAY_MS) ** 2
    time = BEGIN_MS + np.cumsum(np.maximum(1, np.round(gap[place] / busy))).astype(np.int64)
    mid = first * np.exp(np.cumsum(move[place] * turned * busy) / 10_000)
    return time, mid - spread[place] / 2, mid + spread[place] / 2


def _mistakes(draw: np.random.Generator, bid: Floats, ask: Floats) -> Iterator[tuple[int, Mistake]]:
    """Plant some, in place."""
    at = CALM
    while (at := at + APART + int(draw.exponential(1 / SHARE))) < len(bid) - 3:
        side = int(draw.choice([-1, 1]))
        if draw.random() < 0.7:
            off = np.exp(side * draw.uniform(10, 60) / 10_000)
            bid[at], ask[at] = bid[at] * off, ask[at] * off
            yield at, Mistake("jump", side)
            continue
        typed = bid if draw.random() < 0.5 else ask
        for place in range(at, at + int(draw.integers(1, 4))):  # a fat finger: one side off by 1 to 10 percent
            typed[place] *= 1 + side * draw.uniform(0.01, 0.1)
            yield place, Mistake("fat finger", side)


def _records(key: Key, time: NDArray[np.int64], bid: Floats, ask: Floats) -> Iterator[tuple[int, bytes]]:
    texts = np.datetime_as_string(time.astype("datetime64[ms]"), unit="ms")
    for ms, text, low, high in zip(time.tolist(), texts.tolist(), bid.tolist(), ask.tolist(), strict=True):
        row = {"venue": key[0], "symbol": key[1], "ts": f"{text}+00:00", "bid": low, "ask": high}
        yield ms, orjson.dumps(row)
