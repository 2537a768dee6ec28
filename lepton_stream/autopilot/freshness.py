"""How old results are when they can be read: the 99th percentile over the last seconds, by what was told."""

from __future__ import annotations

import math
from collections import Counter, deque

KEPT_S = 20.0
RANK = 0.99
_STEP = math.log(1.02)
_LEAST_S = 1e-4


class Freshness:
    """Results by how late they were, in buckets of 2 %. The setting's flush interval is a part of every value."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Counter[int]]] = deque()
        self._now: Counter[int] = Counter()
        self._known: float | None = None
        self._deaf_until = -math.inf

    def add(self, late_s: float, results: int) -> None:
        """So many results could be read that long after their window could close."""
        if results > 0 and math.isfinite(late_s):
            self._now[math.ceil(math.log(max(late_s, _LEAST_S)) / _STEP)] += results

    def roll(self, now_s: float) -> None:
        """A look."""
        if now_s >= self._deaf_until and self._now:
            self._looks.append((now_s, self._now))
        self._now = Counter()
        while self._looks and self._looks[0][0] < now_s - KEPT_S:
            self._looks.popleft()
        told = self._told()
        self._known = self._known if told is None else told

    def moved(self, now_s: float, by_s: float) -> None:
        """The flush interval was changed by so much: until it has worked out, that is all that is known."""
        if self._known is not None:
            self._known = max(self._known + by_s, _LEAST_S)
        self._looks.clear()
        self._deaf_until = now_s + 1.0 + abs(by_s) + (self._known or 0.0)

    @property
    def measured(self) -> float | None:
        """Of the present interval; None before it has been told of."""
        return self._told()

    @property
    def p99_s(self) -> float | None:
        """As measured, or as predicted while the present interval has not told yet; None: never told."""
        return self._known

    def _told(self) -> float | None:
        total: Counter[int] = Counter()
        for _, counts in self._looks:
            total.update(counts)
        left = math.ceil(total.total() * RANK)
        for bucket in sorted(total):
            left -= total[bucket]
            if left <= 0:
                return math.exp(bucket * _STEP)
        return None
