"""Models under the faults of the protocol: every event is right and told, whatever fails; what is left out is found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lepton_stream.core import model_delta
from lepton_stream.models.keys import Keys
from tests.protocol.defects import DEFECTS, NONE
from tests.protocol.simulate import run_counting

SEEDS, ENOUGH = 300, 200


def test_every_event_of_a_model_is_that_of_a_plain_loop_whatever_fails() -> None:
    met = Counter[str]()
    for seed in range(SEEDS):
        wrong, seen = run_counting(seed, scored=True)
        assert wrong is None, f"seed {seed}: {wrong}"
        met += seen
    wished = ("event", "turn of an alarm", "event told again", "state rebuilt", "idle")
    assert not (few := {what: met[what] for what in wished if met[what] < SEEDS // 10}), f"hardly met: {few}"


def found() -> bool:
    return any(run_counting(seed, NONE, scored=True)[0] is not None for seed in range(ENOUGH))


def test_waiting_rows_that_are_not_in_the_state_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_delta, "_put_rows", lambda *_: None)
    assert found()


def test_keys_that_are_not_in_the_state_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keys, "touched_rows", lambda self: np.zeros(0, np.int64))
    assert found()


@pytest.mark.parametrize("name", ["outputs_not_in_state", "pointer_before_state", "trim_too_far"])
def test_a_defect_of_the_protocol_is_found_with_models_too(name: str) -> None:
    assert any(run_counting(seed, DEFECTS[name], scored=True)[0] for seed in range(ENOUGH))
