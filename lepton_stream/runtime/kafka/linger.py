"""How long what has come waits for more, at the broker and in the worker.

A fetch and a claim take a millisecond or two of CPU each, however little is in them. What lets a window close does not
wait: somebody waits for its result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lepton_stream.windows.next_close import NextClose

OFTEN = 4
LEAST_S, MOST_S = 0.01, 0.05
SHARE = 0.25
AFTER_CLOSE_S = 0.1
"""Within which frames that close a window have come to merge."""
ENOUGH_BYTES = 1 << 20
"""That a fetch does not wait beyond."""


def lingers(flush_s: float) -> float:
    """How long fetches wait while much comes, in seconds: a part of the flush interval, which claims then wait less."""
    return min(max(SHARE * flush_s, LEAST_S), MOST_S)


EARLY_S = 0.06
"""In so many seconds before a window may close nothing is claimed: the worker is free when that record comes."""
MUCH = 20
"""What waits is much if it is this part of a whole step: then it is claimed before that time."""


def claim_due(since_s: float, flush_s: float, close_s: float, now_s: float, *, much: bool) -> float:
    """When records are to be claimed of which the first came at `since_s`; `close_s`: when a window may close next.

    An interval that is shorter than `EARLY_S` is short enough to be heeded as it is.
    """
    due_s, early_s = since_s + flush_s - lingers(flush_s), close_s - EARLY_S
    if due_s < early_s or flush_s < EARLY_S:
        return min(due_s, close_s)
    return early_s if much and now_s < early_s else close_s


def linger_now(flush_s: float, closes: Iterable[NextClose], now_s: float) -> float:
    """How long a fetch may linger, in seconds: not at all around the close of a window, whose result is waited for."""
    near = any(close.around(now_s, MOST_S, AFTER_CLOSE_S) for close in closes)
    return 0.0 if near else lingers(flush_s)


class Linger:
    """Many producers that send a little each would be fetched a little at a time; where little comes, nothing waits."""

    def __init__(self) -> None:
        self._came: deque[float] = deque(maxlen=OFTEN)

    def came(self, now_s: float) -> None:
        """A fetch has brought records."""
        self._came.append(now_s)

    def wait_s(self, now_s: float, linger_s: float) -> float:
        """Seconds that the next fetch waits for more than it finds; 0: it takes what there is."""
        busy = len(self._came) == OFTEN and now_s - self._came[0] <= 2 * OFTEN * linger_s
        return linger_s if busy else 0.0
