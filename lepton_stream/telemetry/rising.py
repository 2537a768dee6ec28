"""Notices when dead letters become many: over ten seconds, for each source partition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from lepton_stream.account import AccountData
from lepton_stream.telemetry.catalogue import DEAD_LETTERS_RISING
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.meter import Labels

SECONDS, SHARE, LEAST = 10.0, 0.01, 10


class Rising:
    """Compares accounts with those of ten seconds ago."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: float | None = None
        self._before: dict[Labels, tuple[int, Counter[str]]] = {}

    def look(self, accounts: Iterable[tuple[Labels, AccountData]]) -> None:
        """Tell the fact where it holds; does nothing before the time is over."""
        now = self._clock()
        if self._at is not None and now - self._at < SECONDS:
            return
        self._at, before, self._before = now, self._before, {}
        for source, account in accounts:
            if not account["read"]:  # another shuffle partition keeps this source's account
                continue
            letters = Counter(account["dead_lettered"])
            self._before[source] = account["read"], letters
            if source in before:
                _judge(source, account["read"] - before[source][0], letters - before[source][1])


def _judge(source: Labels, read: int, letters: Counter[str]) -> None:
    dead = letters.total()
    if dead >= LEAST and dead > SHARE * read:
        topic, partition = source
        reason = letters.most_common(1)[0][0]
        tell(DEAD_LETTERS_RISING, topic=topic, partition=partition, dead_lettered=dead, read=read, reason=reason)
