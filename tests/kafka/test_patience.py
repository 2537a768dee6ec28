"""Fetches stay open for long only where nobody waits for their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lepton_stream.runtime.kafka.patience import be_patient


class State:
    def __init__(self, *, paused: bool = False, valid: bool = True) -> None:
        self.paused, self.has_valid_position = paused, valid


class Assignment:
    def __init__(self, *states: State) -> None:
        self.tps, self._states = range(len(states)), states

    def state_value(self, tp: int) -> State:
        return self._states[tp]


class Fetcher:
    """Tells how long the fetch that it would send now may stay open."""

    def __init__(self) -> None:
        self._records: dict[int, object] = {}
        self._fetch_max_wait_ms = 50
        self._get_actions_per_node: Callable[[Any], int] = lambda _: self._fetch_max_wait_ms


def test_only_a_fetch_that_leaves_nobody_out_may_stay_open_for_long() -> None:
    fetcher = Fetcher()
    be_patient(fetcher, 500)
    asked = fetcher._get_actions_per_node
    assert asked(Assignment(State(), State())) == 500
    assert asked(Assignment(State(), State(paused=True))) == 50
    assert asked(Assignment(State(valid=False), State())) == 50
    fetcher._records = {0: "not handed out yet"}
    assert asked(Assignment(State(), State())) == 50
    fetcher._records = {}
    assert asked(Assignment(State(), State())) == 500
