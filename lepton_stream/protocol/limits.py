"""Sizes by which the owner of a shuffle partition cuts its work, so that no step is one long pause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The defaults suit one worker that owns a few partitions.

    `part_bytes`: of one record of the state log. `closed_at_once`: cells a window section that one checkpoint
    closes at most; the rest waits for the next. `cells_a_slice`: unchanged cells that go along with a checkpoint while
    a turn lasts; one begins after `longest_chain` checkpoints, or earlier when they weigh more than `least_bytes`.
    """

    part_bytes: int = 8 << 20
    closed_at_once: int = 50_000
    cells_a_slice: int = 20_000
    least_bytes: int = 1 << 16
    longest_chain: int = 64
