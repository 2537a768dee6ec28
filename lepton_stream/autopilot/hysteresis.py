"""What keeps the autopilot calm: least gains, stays, and a back-off that doubles each time an option disappoints."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.load import differs
from lepton_stream.autopilot.turn import Turn


@dataclass(frozen=True, slots=True)
class Patience:
    """When it turns something, and when it leaves it alone.

    `gain`: the least predicted one, as a share of the cost in question; `small`: a share that nothing is turned for.
    `stay_s`: between one move and the next; `judge_s`: after which a move is judged; `looks`, `flushes`: that must have
    been seen of a setting before anything is made of it. `kept`: the share of the promised gain below which a move is
    undone; `back_off_s`: how long its option is then left alone, doubled each time up to `most_s`. `calm_s`: the
    longest flush interval without an objective; `margin`: the share of the freshness goal that an interval may use.
    `sure`: standard deviations of what is known that a gain must exceed to count as one; `doubts`: those by which an
    option that is not known well may be better than it looks, and is tried, unless it should be `dear` times as costly.
    `least_use`: the share of a core below which what the knobs decide on is left as it is.
    `often_s`: in such a time, on the same data, a knob is turned once more after its first turn at most, and to try
    something only if it was not turned at all; to undo a turn is always possible.
    """

    gain: float = 0.10
    small: float = 0.02
    stay_s: float = 10.0
    judge_s: float = 8.0
    looks: int = 3
    flushes: int = 4
    kept: float = 0.1
    back_off_s: float = 900.0
    most_s: float = 6 * 3600.0
    calm_s: float = 0.25
    margin: float = 0.8
    sure: float = 1.0
    doubts: float = 2.0
    dear: float = 2.0
    often_s: float = 600.0
    least_use: float = 0.001


DEFAULT = Patience()


@dataclass(frozen=True, slots=True)
class _Failure:
    times: int
    until_s: float
    cells: tuple[Cells, ...]


class BackOff:
    """Options that did not bring what they promised, by name; on other data they may be tried again."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failed: dict[Turn, _Failure] = {}

    def failed(self, turn: Turn, now_s: float, cells: tuple[Cells, ...]) -> float:
        """Seconds that it is left alone. `cells`: as they were when it was chosen."""
        before = self._failed.get(turn)
        times = 1 if before is None else before.times + 1
        rest_s = min(self._patience.back_off_s * 2.0 ** (times - 1), self._patience.most_s)
        self._failed[turn] = _Failure(times, now_s + rest_s, cells)
        return rest_s

    def open(self, turn: Turn, now_s: float, cells: tuple[Cells, ...]) -> bool:
        """Whether it may be tried. On other data it begins anew."""
        failure = self._failed.get(turn)
        if failure is None:
            return True
        if differs(failure.cells, cells):
            del self._failed[turn]
            return True
        return now_s >= failure.until_s


class Turns:
    """When each knob was turned, since the data last changed."""

    def __init__(self, patience: Patience) -> None:
        self._often_s = patience.often_s
        self._at: dict[str, list[float]] = {}

    def turned(self, knob: str, now_s: float) -> None:
        """It was."""
        self._at[knob] = [at for at in self._at.get(knob, []) if now_s - at < self._often_s] + [now_s]

    def changed(self) -> None:
        """The data is another: what was done before does not count."""
        self._at.clear()

    def lately(self, knob: str, now_s: float) -> int:
        """How many times."""
        return sum(now_s - at < self._often_s for at in self._at.get(knob, []))
