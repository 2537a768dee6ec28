"""How much a worker holds at once, and how often it does what costs a round trip."""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1 << 20
REST = 4.0
"""A source rests so many times as long as its step took: steps take a fifth of the time, as checkpoints do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds of one worker.

    `claim_bytes`: memory of one claimed range, so that a frame of rows for a single partition stays below the
    shuffle topic's 16 MiB. `settle_s`: how long a range that was sent waits for the next one, whose claim completes it
    for nothing. `inbox_bytes`: raw values that wait for one partition's owner before the partition is paused.
    `checkpoint_s`: time between two checkpoints of a shuffle partition, longer where they take long, up to
    `checkpoint_most_s`, as for those that hold nothing but how far sources have come; `soon_s`: where windows
    wait to be closed, or updates to be told. `rest_most_s`: the longest rest of a source between two steps.
    `shuffle_ahead_bytes`: frames that merge has not committed yet, of one shuffle partition, above which nothing more
    is claimed. `watch_s`: how often the group's commits are looked at.
    `max_skew_us`: how far a source may run ahead, in event time, of the slowest one that still has records to read;
    None: ten times its longest window and lateness, at least an hour.
    """

    claim_bytes: int = 12 * MiB
    inbox_bytes: int = 16 * MiB
    checkpoint_s: float = 0.25
    checkpoint_most_s: float = 1.0
    soon_s: float = 0.05
    rest_most_s: float = 0.03
    settle_s: float = 0.5
    shuffle_ahead_bytes: int = 256 * MiB
    watch_s: float = 1.0
    max_skew_us: int | None = None

    def rest_s(self, step_s: float) -> float:
        """Seconds after a step of a source, which took `step_s`, before the next one that is not a whole one."""
        return min(REST * step_s, self.rest_most_s)
