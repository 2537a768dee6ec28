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
    b'{"event_id": "0000000000000000", "device": "dev-%b", "ts": 0000000000.000000, "metric": "temp", '
    b'"value": 00.000, "status": "ok"}'
)
_NO_VALUE = np.frombuffer(b'"n/a" ', np.uint8)
_DIGITS = 4
"""Of a device's number, at least."""
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Mix:
    """From which devices events come, from `from_s` seconds of the schedule on.

    The share `hot` of them comes from the first device, the others from `keys` devices alike.
    """

    keys: int = 1000
    hot: float = 0.0
    from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stream:
    """A schedule's events from `keys` devices: 2 % repeat one of the last thousand, `bad` have no usable value.

    `hot`: the share of events that the first device has besides. `then`: other mixes that come later, in their order.
    `window_us`: of the pipeline, for the truth.
    """

    schedule: Schedule
    keys: int = 1000
    bad: float = 0.005
    seed: int = 1
    partitions: int = 4
    hot: float = 0.0
    then: tuple[Mix, ...] = ()
    window_us: int = WINDOW_US

    @property
    def most_keys(self) -> int:
        """Devices that there are in all."""
        return max(self.keys, *(mix.keys for mix in self.then), 1)

    @property
    def digits(self) -> int:
        """Of a device's number: all names are equally long."""
        return max(_DIGITS, len(str(self.most_keys - 1)))

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
            device=self._device(origin),
            milli=10_000 + (_mixed(origin, self.seed + 2) % np.uint64(20_000)).astype(np.int64),
            good=_share(_mixed(origin, self.seed + 3)) >= self.bad,
            time_us=self.schedule.intended(origin),
            digits=self.digits,
        )

    def _device(self, origin: Index) -> Index:
        word, heat = _mixed(origin, self.seed + 1), _share(_mixed(origin, self.seed + 6))
        device = _of(Mix(self.keys, self.hot), word, heat)
        for mix in self.then:
            device = np.where(origin >= mix.from_s * self.schedule.rate, _of(mix, word, heat), device)
        return device

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
        digits = self.digits
        return partition_of(text_from_strings([f"dev-{d:0{digits}}" for d in range(self.most_keys)]), self.partitions)


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
    digits: int = _DIGITS

    def text(self) -> Bytes:
        """uint8[n, width]: each event as JSON."""
        text = _TEXT % (b"0" * self.digits)
        out = np.tile(np.frombuffer(text, np.uint8), (len(self.number), 1))
        value = text.index(b"00.000,")
        _hex(out, text.index(b"0" * 16), self.id)
        _digits(out, text.index(b"dev-") + 4, self.device, self.digits)
        _digits(out, text.index(b"0000000000."), self.time_us // 1_000_000, 10)
        _digits(out, text.index(b".000000") + 1, self.time_us % 1_000_000, 6)
        _digits(out, value, self.milli // 1000, 2)
        _digits(out, value + 3, self.milli % 1000, 3)
        out[np.flatnonzero(~self.good)[:, None], np.arange(value, value + 6)] = _NO_VALUE
        return out

    def key(self) -> Bytes:
        """uint8[n, 4 + digits]: the key of each."""
        out = np.tile(np.frombuffer(b"dev-" + b"0" * self.digits, np.uint8), (len(self.number), 1))
        _digits(out, 4, self.device, self.digits)
        return out

    def fresh(self) -> NDArray[np.bool_]:
        """Those that count: good, and no repeats."""
        return self.good & (self.origin == self.number)


@dataclass
class PacedTruth:
    """Count, sum, minimum and maximum of every device and window, in thousandths."""

    digits: int = _DIGITS
    window_us: int = WINDOW_US
    cells: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, drawn: Drawn) -> None:
        """These were sent."""
        fresh = drawn.fresh()
        device, start, milli = drawn.device[fresh], drawn.time_us[fresh] // self.window_us, drawn.milli[fresh]
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
        step, digits = self.window_us // 1000, self.digits
        return {
            (f"dev-{device:0{digits}}", number * step): (n, s / 1000 / n, low / 1000, high / 1000)
            for (device, number), (n, s, low, high) in self.cells.items()
        }


def truth_of(stream: Stream) -> dict[Cell, Figures]:
    """What the whole stream must give."""
    truth = PacedTruth(stream.digits, stream.window_us)
    for first in range(0, stream.schedule.total, _AT_ONCE):
        truth.add(stream.drawn(first, min(first + _AT_ONCE, stream.schedule.total)))
    return truth.figures()


def _of(mix: Mix, word: NDArray[np.uint64], heat: NDArray[np.float64]) -> Index:
    device = (word % np.uint64(mix.keys)).astype(np.int64)
    return np.where(heat < mix.hot, 0, device) if mix.hot else device


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
