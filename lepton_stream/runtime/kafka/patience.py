"""How long a fetch may stay open: long where every partition is asked for, since then nobody waits for its end.

aiokafka has one fetch a broker open at a time. What arrives ends it at once; but a partition that was left out of it,
as its last records were still being handed out, has to wait until it ends. So it is short, unless none was left out:
an idle worker then asks twice a second, not twenty times.
"""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

from typing import Any


def be_patient(fetcher: Any, most_ms: int) -> None:
    """From now on fetches that leave nobody out stay open for up to `most_ms`, others as long as before."""
    actions, least_ms = fetcher._get_actions_per_node, fetcher._fetch_max_wait_ms

    def patiently(assignment: Any) -> Any:
        fetcher._fetch_max_wait_ms = most_ms if _asks_for_all(fetcher, assignment) else least_ms
        return actions(assignment)

    fetcher._get_actions_per_node = patiently


def _asks_for_all(fetcher: Any, assignment: Any) -> bool:
    states = (assignment.state_value(tp) for tp in assignment.tps)
    return not fetcher._records and all(state.has_valid_position and not state.paused for state in states)
