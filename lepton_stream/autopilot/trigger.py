"""When a worker asks its group to place partitions anew: overloaded for long enough, and rarely."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patience:
    """`use`: load over capacity above which a worker is overloaded. `for_s`: how long it must be so.

    `rest_s`: seconds between an assignment and our asking for the next; doubled, up to `most_s`, each time that asking
    did not help, so that a group which is too small for its work is not stopped again and again. Where our use is
    `worse` times what it was then, things have changed, and the first rest is enough: a backlog that only grows does
    that ever more rarely.
    """

    use: float = 1.05
    for_s: float = 10.0
    rest_s: float = 30.0
    most_s: float = 3600.0
    worse: float = 1.5


@dataclass(slots=True)
class Trigger:
    """`look` once a second or so; `assigned` when the group has placed partitions. Time is handed in, in seconds."""

    patience: Patience = field(default_factory=Patience)
    _over_since: float | None = None
    _assigned: float | None = None
    _asked: int = 0
    _waiting: bool = False
    _use: float = 0.0
    _use_then: float = 0.0

    def assigned(self, now_s: float, *, asked: bool = False) -> None:
        """The group has a new assignment. `asked`: because some worker asked for it.

        That counts for all of them: a large group that is too small for its work is not stopped by each in turn.
        """
        if asked and not self._waiting:
            self._asked, self._use_then = self._asked + 1, max(self._use, self._use_then)
        self._assigned, self._over_since, self._waiting = now_s, None, False

    @property
    def rest_s(self) -> float:
        """Seconds that an assignment is left alone now."""
        if self._asked and self._use > self.patience.worse * max(self._use_then, self.patience.use):
            return self.patience.rest_s
        return min(self.patience.rest_s * 2.0**self._asked, self.patience.most_s)

    def look(self, now_s: float, use: float, *, others_can: bool) -> bool:
        """Whether to ask now. `use`: our own; `others_can`: somebody else seems to have room."""
        self._use = use
        if use <= self.patience.use or not others_can:
            self._over_since = None
            if self._assigned is not None and now_s - self._assigned >= self.rest_s:
                self._asked, self._use_then = 0, 0.0  # that placement has helped, or the load has gone
            return False
        if self._over_since is None:
            self._over_since = now_s
        if self._assigned is None or self._waiting:
            return False
        if now_s - self._over_since < self.patience.for_s or now_s - self._assigned < self.rest_s:
            return False
        self._asked, self._waiting, self._use_then = self._asked + 1, True, max(use, self._use_then)
        return True
