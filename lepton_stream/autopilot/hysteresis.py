"""What keeps the autopilot calm: least gains, stays, and a back-off that doubles each time an option disappoints."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.load import differs


@dataclass(frozen=True, slots=True)
class Patience:
    """When it turns something, and when it leaves it alone.

    `gain`: the least predicted one, as a share of the cost in question; `small`: a share that nothing is turned for.
    `stay_s`: between one move and the next; `judge_s`: after which a move is judged; `looks`, `flushes`: that must have
    been seen of a setting before anything is made of it. `kept`: the share of the promised gain below which a move is
    undone; `back_off_s`: how long its option is then left alone, doubled each time up to `most_s`. `calm_s`: the
    longest flush interval without an objective; `margin`: the share of the freshness goal that an interval may use.
    `doubts`: standard deviations by which an untried option may be better than it looks; `dear`: but not one that is
    predicted to cost so many times as much.
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
    doubts: float = 1.5
    dear: float = 2.0


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
        self._failed: dict[str, _Failure] = {}

    def failed(self, option: str, now_s: float, cells: tuple[Cells, ...]) -> float:
        """Seconds that it is left alone. `cells`: as they were when it was chosen."""
        before = self._failed.get(option)
        times = 1 if before is None else before.times + 1
        rest_s = min(self._patience.back_off_s * 2.0 ** (times - 1), self._patience.most_s)
        self._failed[option] = _Failure(times, now_s + rest_s, cells)
        return rest_s

    def open(self, option: str, now_s: float, cells: tuple[Cells, ...]) -> bool:
        """Whether it may be tried. On other data it begins anew."""
        failure = self._failed.get(option)
        if failure is None:
            return True
        if differs(failure.cells, cells):
            del self._failed[option]
            return True
        return now_s >= failure.until_s
