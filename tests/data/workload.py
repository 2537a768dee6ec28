"""The workload of the published comparison: drop bad and repeated events; count, mean, min, max a device and minute.

    python -m tests.data.workload OUT.jsonl --records N [--seed 1]

One event a millisecond from 1000 devices; 2 % exact repeats of one of the last 1000 records; 0.5 % without a usable
value; then one "flush" event a device an hour later, which lets engines that close windows by event time close the last
ones too. Seed 1 draws the same stream that the peers were measured with. The truth is kept while writing, in the
simplest way: what goes in is known.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.reference.rules import SECOND

DEVICES = 1000
START_MS = 1_700_000_000_000
MINUTE_MS = 60_000
REACH = 1000
TOML = Path(__file__).with_suffix(".toml")

Key = tuple[str, int]


@dataclass
class Expected:
    """Figures of one (device, minute)."""

    values: list[float] = field(default_factory=list)

    @property
    def figures(self) -> tuple[int, float, float, float]:
        """Count, mean, min and max."""
        n = len(self.values)
        return n, math.fsum(self.values) / n, min(self.values), max(self.values)


@dataclass
class Workload:
    """Draws the records in order; the counts and windows are complete when `records` has run to its end."""

    count: int
    seed: int = 1
    duplicates: int = 0
    duplicates_of_good: int = 0
    bad: int = 0
    windows: dict[Key, Expected] = field(default_factory=dict)

    @property
    def good(self) -> int:
        """Records that must be counted, flush events left out."""
        return sum(len(w.values) for w in self.windows.values())

    @property
    def account(self) -> dict[str, object]:
        """The totals a run must report. A repeat of a bad record is dead-lettered once more, not a duplicate."""
        dead = self.bad + self.duplicates - self.duplicates_of_good
        accepted = self.good + DEVICES
        read = self.count + DEVICES
        return {"read": read, "accepted": accepted, "duplicate": self.duplicates_of_good, "late": 0, "dead": dead}

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """(key, value) of each record, flush events last."""
        draw = random.Random(self.seed)
        recent: deque[tuple[bytes, bytes, bool]] = deque(maxlen=REACH)
        for i in range(self.count):
            if draw.random() < 0.02 and recent:
                key, value, good = recent[draw.randrange(len(recent))]
                self.duplicates += 1
                self.duplicates_of_good += good
            else:
                key, value, good = self.fresh(i, draw)
            recent.append((key, value, good))
            yield key, value
        for device in range(DEVICES):
            yield f"dev-{device}".encode(), self.flush(device)

    def fresh(self, i: int, draw: random.Random) -> tuple[bytes, bytes, bool]:
        """A record that was not there before, and whether it is good. The order of the draws is part of the format."""
        device = f"dev-{draw.randrange(DEVICES)}"
        identity = draw.getrandbits(64)
        value = round(draw.gauss(20, 5), 3)
        shown = f'"value": {value!r}, '
        good = draw.random() >= 0.005
        if good:
            start = (START_MS + i) // MINUTE_MS * MINUTE_MS
            self.windows.setdefault((device, start * 1000), Expected()).values.append(value)
        else:
            self.bad += 1
            shown = "" if draw.random() < 0.5 else '"value": "n/a", '
        return device.encode(), line(f"{identity:016x}", device, START_MS + i, shown, "ok"), good

    def flush(self, device: int) -> bytes:
        """An hour behind the last event."""
        time_ms = START_MS + self.count + 3_600_000
        return line(f"f{device:015x}", f"dev-{device}", time_ms, '"value": 20.0, ', "flush")


def line(identity: str, device: str, time_ms: int, shown: str, status: str) -> bytes:
    """One event as JSON; `shown` is the value as it stands there, or nothing."""
    return (
        f'{{"event_id": "{identity}", "device": "{device}", "ts": {time_ms / 1000!r}, "metric": "temp", '
        f'{shown}"status": "{status}"}}'
    ).encode()


def flush_start_us(count: int) -> int:
    """Start of the window of the flush events in microseconds: it is not checked."""
    return (START_MS + count + 3_600_000) // MINUTE_MS * 60 * SECOND


def write(out: Path, count: int, seed: int = 1) -> Workload:
    """Write the records, one line each, and return the workload with its truth complete."""
    workload = Workload(count, seed)
    with out.open("wb") as file:
        file.writelines(value + b"\n" for _, value in workload.records())
    return workload


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.data.workload")
    parser.add_argument("out", type=Path)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write(arguments.out, arguments.records, arguments.seed)


if __name__ == "__main__":
    main()
