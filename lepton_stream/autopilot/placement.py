"""Which worker has which partition, by measured load: a pure function, the same for the same input.

Loads are cores: CPU seconds that a partition's work takes each second. Capacities are cores that a worker really gets.
A worker's *use* is its load over its capacity; above 1 its partitions fall behind. The *peak* is the highest use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.chunk import SourcePartition

Owners: TypeAlias = dict[SourcePartition, str]
Loads: TypeAlias = Mapping[SourcePartition, float | None]
"""None: not measured yet."""
_NOTHING = 1e-9
_TIE = 1e-7
"""Of use: what a partition of the same topic counts where nothing else decides, so that each topic is spread."""

MOST = 1e9
"""Cores: a load or a capacity beyond that was not measured."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`move_s`: what moving one partition costs, in seconds of its standing still while its new owner restores it.

    `horizon_s`: for how long a better placement is expected to pay. A move pays that takes more than
    `move_s / horizon_s` off the higher use of the two workers. `least_load`: what a partition counts for at least, so
    that idle ones are spread, too; `least_capacity`: the same of a worker. Both in cores.
    """

    move_s: float = 5.0
    horizon_s: float = 300.0
    least_load: float = 0.02
    least_capacity: float = 0.02

    @property
    def threshold(self) -> float:
        """What a move must take off the higher use of the two workers."""
        return self.move_s / self.horizon_s


DEFAULT = Rules()


@dataclass(frozen=True, slots=True)
class Placement:
    """`owners` of every partition. `moved`: those that a living worker gives away. `peak`: the highest use."""

    owners: Owners
    moved: tuple[SourcePartition, ...]
    peak: float


def place(
    capacities: Mapping[str, float], loads: Loads, before: Mapping[SourcePartition, str], rules: Rules = DEFAULT
) -> Placement:
    """Every partition of `loads` to one of the workers of `capacities`; `before`: who has had it.

    Partitions stay unless a move pays; those without a living owner go where they hurt least, and cost nothing to
    place. Raises ValueError without workers.
    """
    board = _settled(capacities, loads, before, rules)
    board.improve()
    return board.placement()


def stay(
    capacities: Mapping[str, float], loads: Loads, before: Mapping[SourcePartition, str], rules: Rules = DEFAULT
) -> Placement:
    """The same without any move: only partitions without a living owner are placed."""
    return _settled(capacities, loads, before, rules).placement()


def _settled(
    capacities: Mapping[str, float], loads: Loads, before: Mapping[SourcePartition, str], rules: Rules
) -> _Board:
    board = _Board(capacities, loads, before, rules)
    board.keep()
    board.settle()
    return board


def equal(
    capacities: Mapping[str, float], loads: Loads, before: Mapping[SourcePartition, str], rules: Rules = DEFAULT
) -> Placement:
    """What is done without measurement: topic by topic, partitions dealt out in turns, whoever had them."""
    board = _Board(capacities, loads, before, rules)
    board.deal()
    return board.placement()


def peak_of(
    capacities: Mapping[str, float], loads: Loads, owners: Mapping[SourcePartition, str], rules: Rules = DEFAULT
) -> float:
    """The highest use, of partitions whose owner is a worker of `capacities`."""
    board = _Board(capacities, loads, owners, rules)
    board.keep()
    return float(board.use.max())


class _Board:
    """Workers and partitions by number, in the order of their names, so that nothing depends on the order given."""

    def __init__(
        self, capacities: Mapping[str, float], loads: Loads, before: Mapping[SourcePartition, str], rules: Rules
    ) -> None:
        if not capacities:
            raise ValueError("nobody to place partitions on")
        self.names, self.partitions, self.rules = sorted(capacities), sorted(loads), rules
        number = {name: i for i, name in enumerate(self.names)}
        self.capacity = np.array([_within(capacities[n], rules.least_capacity) for n in self.names])
        self.weight = _weights(self.partitions, loads, rules.least_load)
        self.before = np.array([number.get(before.get(tp, ""), -1) for tp in self.partitions], np.int64)
        self.owner = np.full(len(self.partitions), -1, np.int64)
        self.load: NDArray[np.float64] = np.zeros(len(self.names))
        topics = sorted({tp.topic for tp in self.partitions})
        self.topic = np.array([topics.index(tp.topic) for tp in self.partitions], np.int64)
        self.held: NDArray[np.int64] = np.zeros((len(topics), len(self.names)), np.int64)

    @property
    def use(self) -> NDArray[np.float64]:
        """Load over capacity, by worker."""
        return self.load / self.capacity

    def keep(self) -> None:
        """Whoever lives keeps what it had."""
        self.owner = self.before.copy()
        kept = self.owner >= 0
        np.add.at(self.held, (self.topic[kept], self.owner[kept]), 1)
        self.load = np.bincount(self.owner[kept], self.weight[kept], len(self.names)).astype(np.float64)

    def settle(self) -> None:
        """The rest, heaviest first, each to the worker whose use is lowest with it."""
        rest = np.flatnonzero(self.owner < 0)
        for p in rest[np.argsort(-self.weight[rest], kind="stable")].tolist():
            use = (self.load + self.weight[p]) / self.capacity
            self._give(p, int(np.argmin(use + _TIE * self.held[self.topic[p]])))

    def deal(self) -> None:
        """In turns."""
        for p in range(len(self.partitions)):
            self._give(p, p % len(self.names))

    def improve(self) -> None:
        """The best move of the busiest worker that has one that pays, until nobody has.

        Each takes more than nothing off the higher use of two workers, so no placement comes twice.
        """
        for _ in range(8 * len(self.partitions) + 8):
            busiest_first = np.argsort(-self.use, kind="stable").tolist()
            move = next((found for w in busiest_first if (found := self._best_of(w)) is not None), None)
            if move is None:
                return
            self._give(*move)

    def _best_of(self, worker: int) -> tuple[int, int] | None:
        """(partition, to whom), None where no move pays."""
        own = np.flatnonzero(self.owner == worker)
        if not len(own) or len(self.names) < 2:
            return None
        weight, use = self.weight[own][:, None], self.use
        left = use[worker] - weight / self.capacity[worker]
        gain = use[worker] - np.maximum(left, (self.load + weight) / self.capacity)
        gain[:, worker] = 0.0
        price = np.where(self.before[own] == worker, self.rules.threshold, 0.0)[:, None]
        net = gain - price
        held = self.held[self.topic[own]]
        at = int(np.argmax(np.where(net > _NOTHING, net + _TIE * (held[:, [worker]] - held), -1.0)))
        if net.flat[at] <= _NOTHING:
            return None
        return int(own[at // len(self.names)]), at % len(self.names)

    def _give(self, p: int, worker: int) -> None:
        if self.owner[p] >= 0:
            self.load[self.owner[p]] -= self.weight[p]
            self.held[self.topic[p], self.owner[p]] -= 1
        self.owner[p] = worker
        self.held[self.topic[p], worker] += 1
        self.load[worker] += self.weight[p]

    def placement(self) -> Placement:
        """As names."""
        moved = np.flatnonzero((self.before >= 0) & (self.before != self.owner)).tolist()
        owners = {tp: self.names[w] for tp, w in zip(self.partitions, self.owner.tolist(), strict=True)}
        return Placement(owners, tuple(self.partitions[p] for p in moved), float(self.use.max()))


def _within(value: float, least: float) -> float:
    return min(max(value, least), MOST) if math.isfinite(value) else least


def _weights(partitions: list[SourcePartition], loads: Loads, least: float) -> NDArray[np.float64]:
    """Of each partition; one that nobody has measured counts as the mean of its topic's."""
    measured: dict[str, list[float]] = {}
    for tp in partitions:
        load = loads[tp]
        if load is not None:
            measured.setdefault(tp.topic, []).append(_within(load, least))
    means = {topic: math.fsum(found) / len(found) for topic, found in measured.items()}
    told = ((tp, loads[tp]) for tp in partitions)
    return np.array([means.get(tp.topic, least) if load is None else _within(load, least) for tp, load in told])
