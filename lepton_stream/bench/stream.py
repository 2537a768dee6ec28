"""Events of a paced stream, by their numbers, a column at a time, and the truth about them.

All events are equally long, so that a batch of them is a matrix of bytes: a generator that takes as little of its core
as can be disturbs the broker beside it least. Event n is what its number makes of it, whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lepton_stream.bench.schedule import Schedule
from lepton_stream.bench.shape import REACH, REPEATED
from lepton_stream.bench.workload import Cell, Figures
from lepton_stream.columns import Index, text_from_strings
from lepton_stream.shuffle.murmur2 import partition_of

WINDOW_US = 10_000_000
LATENESS_US = 100_000
Bytes: TypeAlias = NDArray[np.uint8]

_TEXT = (
    b'{"event_id": "0000000000000000", "device": "dev-0000", "ts": 0000000000.000000, "metric": "temp", '
    b'"value": 00.000, "status": "ok"}'
)
_ID, _DEVICE = _TEXT.index(b"0" * 16), _TEXT.index(b"dev-0000") + 4
_SECONDS, _MICROS, _VALUE = _TEXT.index(b"0000000000."), _TEXT.index(b".000000") + 1, _TEXT.index(b"00.000,")
_NO_VALUE = np.frombuffer(b'"n/a" ', np.uint8)
_KEY = b"dev-0000"
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Stream:
    """A schedule's events from `keys` devices: 2 % repeat one of the last thousand, `bad` have no usable value."""

    schedule: Schedule
    keys: int = 1000
    bad: float = 0.005
    seed: int = 1
    partitions: int = 4

    def drawn(self, first: int, last: int) -> Drawn:
        """The events [first, last) as columns."""
        number = np.arange(first, last)
        repeats = self._repeats(number)
        origin = np.where(repeats, self._origin(number), number)
        bits = _mixed(origin, self.seed)
        return Drawn(
            number=number,
            origin=origin,
            id=bits,
            device=(_mixed(origin, self.seed + 1) % np.uint64(self.keys)).astype(np.int64),
            milli=10_000 + (_mixed(origin, self.seed + 2) % np.uint64(20_000)).astype(np.int64),
            good=_share(_mixed(origin, self.seed + 3)) >= self.bad,
            time_us=self.schedule.intended(origin),
        )

    def _repeats(self, number: Index) -> NDArray[np.bool_]:
        """Those that repeat an event which is no repeat itself."""
        origin = self._origin(number)
        return (number >= REACH) & self._wishes(number) & ~self._wishes(origin)

    def _wishes(self, number: Index) -> NDArray[np.bool_]:
        return _share(_mixed(number, self.seed + 4)) < REPEATED

    def _origin(self, number: Index) -> Index:
        back = (_mixed(number, self.seed + 5) % np.uint64(REACH)).astype(np.int64)
        return np.maximum(number - 1 - back, 0)

    def partition_of_device(self) -> Index:
        """int64[keys]: where Kafka's clients send the events of each device."""
        names = text_from_strings([f"dev-{d:04}" for d in range(self.keys)])
        return partition_of(names, self.partitions)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Events as columns; of a repeat, all but `number` are those of its `origin`."""

    number: Index
    origin: Index
    id: NDArray[np.uint64]
    device: Index
    milli: Index
    good: NDArray[np.bool_]
    time_us: Index

    def text(self) -> Bytes:
        """uint8[n, width]: each event as JSON."""
        out = np.tile(np.frombuffer(_TEXT, np.uint8), (len(self.number), 1))
        _hex(out, _ID, self.id)
        _digits(out, _DEVICE, self.device, 4)
        _digits(out, _SECONDS, self.time_us // 1_000_000, 10)
        _digits(out, _MICROS, self.time_us % 1_000_000, 6)
        _digits(out, _VALUE, self.milli // 1000, 2)
        _digits(out, _VALUE + 3, self.milli % 1000, 3)
        out[np.flatnonzero(~self.good)[:, None], np.arange(_VALUE, _VALUE + 6)] = _NO_VALUE
        return out

    def key(self) -> Bytes:
        """uint8[n, 8]: the key of each."""
        out = np.tile(np.frombuffer(_KEY, np.uint8), (len(self.number), 1))
        _digits(out, 4, self.device, 4)
        return out

    def fresh(self) -> NDArray[np.bool_]:
        """Those that count: good, and no repeats."""
        return self.good & (self.origin == self.number)


@dataclass
class PacedTruth:
    """Count, sum, minimum and maximum of every device and window, in thousandths."""

    cells: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, drawn: Drawn) -> None:
        """These were sent."""
        fresh = drawn.fresh()
        device, start, milli = drawn.device[fresh], drawn.time_us[fresh] // WINDOW_US, drawn.milli[fresh]
        code, back = np.unique(device * (1 << 40) + start, return_inverse=True)
        count, total = np.bincount(back), np.bincount(back, milli)
        least, most = np.full(len(code), 1 << 30), np.zeros(len(code), np.int64)
        np.minimum.at(least, back, milli)
        np.maximum.at(most, back, milli)
        figures = np.stack([count, total.astype(np.int64), least, most], axis=1).tolist()
        for cell, (n, s, low, high) in zip(code.tolist(), figures, strict=True):
            key = (cell >> 40, cell & ((1 << 40) - 1))
            had = self.cells.get(key)
            self.cells[key] = [n, s, low, high] if had is None else [
                had[0] + n, had[1] + s, min(had[2], low), max(had[3], high)
            ]  # fmt: skip

    def figures(self) -> dict[Cell, Figures]:
        """Count, mean, minimum and maximum by device and window start in milliseconds."""
        step = WINDOW_US // 1000
        return {
            (f"dev-{device:04}", number * step): (n, s / 1000 / n, low / 1000, high / 1000)
            for (device, number), (n, s, low, high) in self.cells.items()
        }


def truth_of(stream: Stream) -> dict[Cell, Figures]:
    """What the whole stream must give."""
    truth = PacedTruth()
    for first in range(0, stream.schedule.total, _AT_ONCE):
        truth.add(stream.drawn(first, min(first + _AT_ONCE, stream.schedule.total)))
    return truth.figures()


def _mixed(number: Index, seed: int) -> NDArray[np.uint64]:
    """A well-mixed word for each number (splitmix64, Steele, Lea and Flood 2014)."""
    word = (number.astype(np.uint64) + np.uint64(seed * 1_000_003)) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def _share(word: NDArray[np.uint64]) -> NDArray[np.float64]:
    return (word >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _digits(out: Bytes, at: int, number: Index, width: int) -> None:
    for place in range(at + width - 1, at - 1, -1):
        out[:, place] = 48 + number % 10
        number = number // 10


def _hex(out: Bytes, at: int, word: NDArray[np.uint64]) -> None:
    octets = word.astype(">u8").view(np.uint8).reshape(-1, 8)
    nibbles = np.stack([octets >> 4, octets & 15], axis=2).reshape(-1, 16)
    out[:, at : at + 16] = nibbles + np.where(nibbles < 10, 48, 87)
