"""Events of a shape, drawn one after the other, with the truth kept in the simplest way: what goes in is known."""

from __future__ import annotations

import math
import random
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from lepton_stream.bench.shape import REACH, REPEATED, START_MS, WIDE_BYTES, Shape

Figures: TypeAlias = tuple[int, float, float, float]
"""Count, mean, min and max."""
Cell: TypeAlias = tuple[str, int]
"""Device, and start of the window in milliseconds."""
Truth: TypeAlias = dict[str, dict[Cell, Figures]]
"""By window section."""
_TAILS = 1024
_NOTE = ', "note": "'
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class Workload:
    """Draws the events in order; counts and truth are complete when `events` has run to its end.

    The order of the draws is part of the format: seed 1 draws what the published figures were measured with.
    """

    shape: Shape
    repeated: int = 0
    repeated_good: int = 0
    bad: int = 0
    _device: array[int] = field(default_factory=lambda: array("q"))
    _time: array[int] = field(default_factory=lambda: array("q"))
    _value: array[float] = field(default_factory=lambda: array("d"))

    def events(self) -> Iterator[bytes]:
        """Each event as JSON."""
        draw, tails = random.Random(self.shape.seed), _tails(self.shape)  # noqa: S311  (no secret)
        recent: deque[tuple[bytes, bool]] = deque(maxlen=REACH)
        for i in range(self.shape.records):
            if draw.random() < REPEATED and recent:
                value, good = recent[draw.randrange(len(recent))]
                self.repeated += 1
                self.repeated_good += good
            else:
                value, good = self._fresh(i, draw, tails)
            recent.append((value, good))
            yield value

    def _fresh(self, i: int, draw: random.Random, tails: list[str]) -> tuple[bytes, bool]:
        """An event that was not there before, and whether it is good."""
        device = draw.randrange(self.shape.keys)
        identity = draw.getrandbits(64)
        value = round(draw.gauss(20, 5), 3)
        shown = f'"value": {value!r}, '
        good = draw.random() >= self.shape.bad
        if good:
            self._device.append(device)
            self._time.append(START_MS + i)
            self._value.append(value)
        else:
            self.bad += 1
            shown = "" if draw.random() < 0.5 else '"value": "n/a", '
        text = (
            f'{{"event_id": "{identity:016x}", "device": "dev-{device}", "ts": {(START_MS + i) / 1000!r}, '
            f'"metric": "temp", {shown}"status": "ok"'
        )
        if self.shape.size:
            text = text.replace('"metric": "temp", ', "").replace('"status": "ok"', '"ok": 1')
        return _filled(text, tails[i % _TAILS], self.shape).encode(), good

    @property
    def account(self) -> dict[str, int]:
        """What a run must report. A repeat of a bad event is dead-lettered once more, and no duplicate."""
        dead = self.bad + self.repeated - self.repeated_good
        good = len(self._value)
        return {
            "read": self.shape.records, "accepted": good, "duplicate": self.repeated_good, "late": 0,
            "dead_lettered": dead,
        }  # fmt: skip

    def truth(self) -> Truth:
        """Figures of every device and window, sums rounded once."""
        return {name: self._section(size_ms) for name, size_ms in self.shape.sections.items()}

    def _section(self, size_ms: int) -> dict[Cell, Figures]:
        device, time, value = np.asarray(self._device), np.asarray(self._time), np.asarray(self._value)
        start = time // size_ms * size_ms
        order = np.lexsort((start, device))
        device, start, value = device[order], start[order], value[order]
        edges = np.flatnonzero((np.diff(device) != 0) | (np.diff(start) != 0)) + 1
        bounds = [0, *edges.tolist(), len(device)] if len(device) else [0]
        out: dict[Cell, Figures] = {}
        for begin, end in pairwise(bounds):
            values = value[begin:end].tolist()
            figures = (len(values), math.fsum(values) / len(values), min(values), max(values))
            out[f"dev-{device[begin]}", int(start[begin])] = figures
        return out


def _tails(shape: Shape) -> list[str]:
    """What follows the published members: one of a thousand texts, so that compression finds some of it again."""
    draw = random.Random(shape.seed + 1)  # noqa: S311  (no secret)
    return [_tail(shape, draw) for _ in range(_TAILS)]


def _tail(shape: Shape, draw: random.Random) -> str:
    numbers = "".join(f', "{name}": {round(draw.gauss(20, 5), 3)!r}' for name in shape.numbers[1:])
    if shape.wide:
        numbers += f', "site": "plant-{draw.randrange(40):02}", "unit": "celsius", "batch": {draw.randrange(10**6)}'
    filled = shape.size or (WIDE_BYTES if shape.wide else 0)
    return numbers + (_NOTE + "".join(draw.choices(_LETTERS, k=filled)) if filled else "")


def _filled(text: str, tail: str, shape: Shape) -> str:
    """The event with its tail, whose note is cut so that the event has its size; without it where there is no room."""
    if not (shape.size or shape.wide):
        return text + tail + "}"
    room = (shape.size or WIDE_BYTES) - 2
    least = len(text) + tail.index(_NOTE) + len(_NOTE)
    return (text + tail)[:room] + '"}' if least <= room else text + tail[: tail.index(_NOTE)] + "}"
