"""How long a fetch may stay open: long where every partition is asked for, since then nobody waits for its end.

aiokafka has one fetch a broker open at a time. What arrives ends it at once; but a partition that was left out of it,
as its last records were still being handed out, has to wait until it ends. So it is short, unless none was left out:
an idle worker then asks twice a second, not twenty times. While much comes, what arrives does not end it at once
(`linger.py`).
"""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lepton_stream import clock
from lepton_stream.runtime.kafka.linger import ENOUGH_BYTES, Linger

AT_ONCE = 1


def be_patient(
    fetcher: Any, most_ms: int, linger_s: Callable[[], float], now_s: Callable[[], float] = clock.elapsed_s
) -> None:
    """From now on fetches that leave nobody out stay open for up to `most_ms`, others as long as before.

    `linger_s`: how long one may wait for more now, while much comes.
    """
    actions, fetch, least_ms = fetcher._get_actions_per_node, fetcher._proc_fetch_request, fetcher._fetch_max_wait_ms
    linger = Linger()

    def patiently(assignment: Any) -> Any:
        wait_s = linger.wait_s(now_s(), linger_s())
        # More than one partition may bring is never reached where only one of them has records.
        enough = min(ENOUGH_BYTES, fetcher._max_partition_fetch_bytes // 2)
        fetcher._fetch_min_bytes = enough if wait_s else AT_ONCE
        if wait_s:
            fetcher._fetch_max_wait_ms = int(wait_s * 1000)
        else:
            fetcher._fetch_max_wait_ms = most_ms if _asks_for_all(fetcher, assignment) else least_ms
        return actions(assignment)

    async def noted(*asked: Any) -> Any:
        brought = await fetch(*asked)
        if brought:
            linger.came(now_s())
        return brought

    fetcher._get_actions_per_node, fetcher._proc_fetch_request = patiently, noted


def _asks_for_all(fetcher: Any, assignment: Any) -> bool:
    states = (assignment.state_value(tp) for tp in assignment.tps)
    return not fetcher._records and all(state.has_valid_position and not state.paused for state in states)
