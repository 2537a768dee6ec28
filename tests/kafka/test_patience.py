"""Fetches stay open for long only where nobody waits for their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import TopicPartition

from lepton_stream.runtime.kafka.linger import ENOUGH_BYTES, OFTEN, Waits
from lepton_stream.runtime.kafka.patience import AT_ONCE, be_patient


class State:
    def __init__(self, *, paused: bool = False, valid: bool = True) -> None:
        self.paused, self.has_valid_position = paused, valid


class Assignment:
    def __init__(self, *states: State) -> None:
        self.tps, self._states = range(len(states)), states

    def state_value(self, tp: int) -> State:
        return self._states[tp]


class Fetcher:
    """Tells how long the fetch that it would send now may stay open; an answer brings records or not."""

    def __init__(self) -> None:
        self._records: dict[int, object] = {}
        self._fetch_max_wait_ms, self._fetch_min_bytes, self._max_partition_fetch_bytes = 50, 1, 4 * ENOUGH_BYTES
        self._get_actions_per_node: Callable[[Any], int] = lambda _: self._fetch_max_wait_ms
        self._proc_fetch_request: Callable[..., Awaitable[bool]] = self._answered

    async def _answered(self, brought: bool) -> bool:
        return brought


def test_only_a_fetch_that_leaves_nobody_out_may_stay_open_for_long() -> None:
    fetcher = Fetcher()
    be_patient(fetcher, 500, [], lambda: Waits(0.0))
    asked = fetcher._get_actions_per_node
    assert asked(Assignment(State(), State())) == 500
    assert asked(Assignment(State(), State(paused=True))) == 50
    assert asked(Assignment(State(valid=False), State())) == 50
    fetcher._records = {0: "not handed out yet"}
    assert asked(Assignment(State(), State())) == 50
    fetcher._records = {}
    assert asked(Assignment(State(), State())) == 500


async def test_fetch_waits_for_more_while_one_after_the_other_brings_records() -> None:
    now, fetcher = [100.0], Fetcher()
    be_patient(fetcher, 500, [], lambda: Waits(0.025), lambda: now[0])
    asked = fetcher._get_actions_per_node
    for _ in range(OFTEN):
        assert asked(Assignment(State())) == 500
        assert fetcher._fetch_min_bytes == AT_ONCE
        assert await fetcher._proc_fetch_request(True)
        now[0] += 0.005
    assert asked(Assignment(State())) == 25
    assert fetcher._fetch_min_bytes == ENOUGH_BYTES
    fetcher._max_partition_fetch_bytes = 1 << 17  # one partition alone could never bring more
    assert asked(Assignment(State())) == 25
    assert fetcher._fetch_min_bytes == 1 << 16
    now[0] += 1.0
    assert asked(Assignment(State())) == 500
    assert fetcher._fetch_min_bytes == AT_ONCE


async def test_fetch_that_brings_nothing_is_no_reason_to_wait() -> None:
    fetcher = Fetcher()
    be_patient(fetcher, 500, [], lambda: Waits(0.025), lambda: 100.0)
    for _ in range(2 * OFTEN):
        assert not await fetcher._proc_fetch_request(False)
    assert fetcher._get_actions_per_node(Assignment(State())) == 500


class Asking(Assignment):
    """Of named partitions."""

    def __init__(self, *named: TopicPartition) -> None:
        super().__init__(*(State() for _ in named))
        self.tps: Any = named


def test_sources_are_left_out_for_as_long_as_only_frames_are_waited_for() -> None:
    source, shuffle = TopicPartition("events", 0), TopicPartition("shuffle", 0)
    fetcher, waits = Fetcher(), [Waits(0.0, 0.08)]
    actions: Any = lambda seen: (list(seen.tps), {}, 0.5, False, [])  # noqa: E731
    fetcher._get_actions_per_node = actions
    be_patient(fetcher, 500, ["events"], lambda: waits[0])
    asked: Any = fetcher._get_actions_per_node
    assert asked(Asking(source, shuffle)) == ([shuffle], {}, 0.08, False, [])
    assert (fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms) == (AT_ONCE, 80)
    assert asked(Asking(source)) == ([], {}, 0.08, False, [])  # nothing to ask for: it looks again in time
    waits[0] = Waits(0.0)
    assert asked(Assignment(State()))[2] == 0.5
