"""How long a fetch may stay open: long where every partition is asked for, since then nobody waits for its end.

aiokafka has one fetch a broker open at a time. What arrives ends it at once; but a partition that was left out of it,
as its last records were still being handed out, has to wait until it ends. So it is short, unless none was left out:
an idle worker then asks twice a second, not twenty times. While much comes, what arrives does not end it at once
(`linger.py`).
"""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from lepton_stream import clock
from lepton_stream.runtime.kafka.linger import ENOUGH_BYTES, Linger, Waits

AT_ONCE = 1


class Without(NamedTuple):
    """An assignment as a fetch sees it that leaves some topics out."""

    assignment: Any
    topics: Collection[str]

    @property
    def tps(self) -> list[Any]:
        """Partitions that are asked for."""
        return [tp for tp in self.assignment.tps if tp.topic not in self.topics]

    def state_value(self, tp: Any) -> Any:
        """How far one is."""
        return self.assignment.state_value(tp)


def be_patient(
    fetcher: Any,
    most_ms: int,
    sources: Collection[str],
    waits: Callable[[], Waits],
    now_s: Callable[[], float] = clock.elapsed_s,
) -> None:
    """From now on fetches that leave nobody out stay open for up to `most_ms`, others as long as before.

    `waits`: how one waits now; for more only while much comes. `sources`: topics that it may have to leave out.
    """
    actions, fetch, least_ms = fetcher._get_actions_per_node, fetcher._proc_fetch_request, fetcher._fetch_max_wait_ms
    linger = Linger()

    def patiently(assignment: Any) -> Any:
        linger_s, without_sources_s = waits()
        if without_sources_s:
            return without_sources(assignment, without_sources_s)
        wait_s = linger.wait_s(now_s(), linger_s)
        # More than one partition may bring is never reached where only one of them has records.
        enough = min(ENOUGH_BYTES, fetcher._max_partition_fetch_bytes // 2)
        fetcher._fetch_min_bytes = enough if wait_s else AT_ONCE
        if wait_s:
            fetcher._fetch_max_wait_ms = int(wait_s * 1000)
        else:
            fetcher._fetch_max_wait_ms = most_ms if _asks_for_all(fetcher, assignment) else least_ms
        return actions(assignment)

    def without_sources(assignment: Any, seconds: float) -> Any:
        """It must end by then: nothing else is asked for while one is open, and nothing ends one of no partition."""
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = AT_ONCE, int(seconds * 1000)
        asked, resets, timeout_s, *rest = actions(Without(assignment, sources))
        return asked, resets, min(timeout_s, seconds), *rest

    async def noted(*asked: Any) -> Any:
        brought = await fetch(*asked)
        if brought:
            linger.came(now_s())
        return brought

    fetcher._get_actions_per_node, fetcher._proc_fetch_request = patiently, noted


def _asks_for_all(fetcher: Any, assignment: Any) -> bool:
    states = (assignment.state_value(tp) for tp in assignment.tps)
    return not fetcher._records and all(state.has_valid_position and not state.paused for state in states)
