"""How much an owner takes up at once: what it can do in one step without holding the worker's loop for long."""

from __future__ import annotations

_KEPT = 0.7
"""Of what was known before, when a further step tells how fast the work goes."""


class Pace:
    """Learns bytes a second from the steps that were done. `goal_s`: CPU seconds that a step may take."""

    def __init__(self, goal_s: float = 0.025, first: int = 1 << 20, least: int = 1 << 16) -> None:
        """`first`: bytes while nothing is known yet; `least`: never fewer, each step has its own costs."""
        self._goal_s, self._least = goal_s, least
        self._rate = first / goal_s

    @property
    def bytes(self) -> int:
        """Of memory, for the next step."""
        return max(int(self._rate * self._goal_s), self._least)

    def note(self, size: int, seconds: float) -> None:
        """A step took up so many bytes in so many CPU seconds. Small ones tell nothing: they are mostly overhead."""
        if size >= self._least and seconds > 0.0:
            self._rate = _KEPT * self._rate + (1 - _KEPT) * size / seconds
