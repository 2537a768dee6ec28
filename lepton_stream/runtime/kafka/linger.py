"""How long what has come waits for more, at the broker and in the worker.

A fetch and a claim take a millisecond or two of CPU each, however little is in them. What lets a window close does not
wait: somebody waits for its result.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from lepton_stream.pipeline.plan import Plan
from lepton_stream.windows.next_close import NextClose, waits_for_closes_alone

UNHURRIED_S = 0.2
"""The flush interval of who tells nothing before a window closes."""

OFTEN = 4
"""Fetches in a row that must have brought records, `2 * OFTEN` times as long as the least linger ago at most."""
LEAST_S, MOST_S = 0.01, 0.05
SHARE = 0.25
AFTER_CLOSE_S = 0.1
"""Within which frames that close a window have come to merge, and its results are out."""
AT_ONCE_S = 0.002
"""For less than this no fetch lingers."""
ENOUGH_BYTES = 1 << 20
"""That a fetch does not wait beyond."""
EARLY_S = 0.06
"""In so many seconds before a window may close a long interval goes on: the worker is free when that record comes."""
PARTS = 8
"""What waits is much if it is this part of a whole step: then it is claimed before that time."""


def flush_s_for(plan: Plan) -> float:
    """The flush interval to begin with: what nobody waits for is taken in fewer, larger claims."""
    return UNHURRIED_S if waits_for_closes_alone(plan) else 0.0


def lingers(flush_s: float) -> float:
    """How long fetches wait while much comes, in seconds: a part of the flush interval, which claims then wait less."""
    return min(max(SHARE * flush_s, LEAST_S), MOST_S)


def claim_due(since_s: float, flush_s: float, close: NextClose, *, much: bool) -> float:
    """When records are to be claimed of which the first came at `since_s`; `close`: when a window may close next.

    An interval that is shorter than `EARLY_S` is short enough to be heeded as it is.
    """
    due_s, early_s = since_s + flush_s - lingers(flush_s), close.at_s - EARLY_S
    if due_s < early_s or flush_s < EARLY_S:
        return min(due_s, close.due_s)
    return early_s if much and since_s < early_s else close.due_s


class Waits(NamedTuple):
    """Of a fetch: how long it may linger for more, and how long no source is asked for anything. Seconds."""

    linger_s: float
    without_sources_s: float = 0.0


def waits_now(flush_s: float, closes: Sequence[NextClose], now_s: float) -> Waits:
    """How a fetch waits: until a window may close, and then not at all, since its result is waited for.

    Once the records have come that let it close, only their frames are waited for: each fetch that a source's next
    records answer would cost the broker and this worker time just then. With a short interval they are waited for, too,
    and windows that close one after the other leave no time for it.
    `closes`: of the sources that this worker has; who has none does not know when windows close.
    """
    if not closes:
        return Waits(LEAST_S)
    if any(close.awaited(now_s) for close in closes):
        return Waits(0.0)
    rest_s = max(close.came_s for close in closes) + AFTER_CLOSE_S - now_s
    left_s = min((close.at_s - now_s for close in closes if close.at_s > now_s), default=math.inf)
    if rest_s > 0.0:
        is_seldom = flush_s >= EARLY_S and left_s > 2 * AFTER_CLOSE_S
        return Waits(0.0, rest_s if is_seldom else 0.0)
    return Waits(min(lingers(flush_s), left_s) if left_s > AT_ONCE_S else 0.0)


def near_close_s(closes: Sequence[NextClose], now_s: float) -> float:
    """Seconds for which a window closes, or may close: what is not for its results had better wait. 0: none does."""
    return max((close.near_s(now_s, EARLY_S, AFTER_CLOSE_S) for close in closes), default=0.0)


class Linger:
    """Many producers that send a little each would be fetched a little at a time; where little comes, nothing waits."""

    def __init__(self) -> None:
        self._came: deque[float] = deque(maxlen=OFTEN)
        self._lingers = False

    def came(self, now_s: float) -> None:
        """A fetch has brought records."""
        self._came.append(now_s)

    def wait_s(self, now_s: float, linger_s: float) -> float:
        """Seconds that the next fetch waits for more than it finds; 0: it takes what there is."""
        back_s = 2 * OFTEN * (linger_s if self._lingers else min(linger_s, LEAST_S))
        self._lingers = linger_s > 0.0 and len(self._came) == OFTEN and now_s - self._came[0] <= back_s
        return linger_s if self._lingers else 0.0
