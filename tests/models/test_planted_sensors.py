"""manufacturing/equipment finds planted drifts of sensors, tells few others, and says what drifts and where to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.judging import Found, alarms, explains
from tests.models.planted_sensors import BEGIN_MS, SENSORS, STEP_MS, Floats, background, stream
from tests.reference.equipment import samples

SAMPLES, THRESHOLD = 20_000, 6
MEMORY = {"mf": 400, "pc": 100}
"""The level has so many values in it: so long after its end an alarm still tells of a drift."""


@pytest.mark.parametrize("seed", range(4))
def test_planted_drifts_are_found_with_precision_and_recall_of_nine_tenths(seed: int, tmp_path: Path) -> None:
    records, planted = stream(seed, SAMPLES)
    assert len(planted) > 30
    events = alarms("manufacturing/equipment", records, tmp_path)
    known, right = set(), 0
    for event in events:
        sample = (event["event_time"] - BEGIN_MS) // STEP_MS
        of_sensor = (d for d in planted if (d.machine, d.field) == (event["machine"], event["field"]))
        drift = next((d for d in of_sensor if d.first <= sample < d.last + MEMORY[d.field[:2]]), None)
        if drift is not None and event["score"] * drift.side > 0:
            right += 1
            known.add(drift)
            assert event["model"] == f"drift_{drift.field}"
            assert abs(event["score"]) >= THRESHOLD
            assert explains(event, f"the level of {drift.field}", drift.side), event["because"]
    found = Found(len(events), right, len(planted), len(known))
    assert found.precision >= 0.9, found
    assert found.recall >= 0.9, found
    assert {(d.machine, d.side) for d in known} == {(d.machine, d.side) for d in planted}


def test_machines_at_which_nothing_is_wrong_raise_next_to_no_alarm(tmp_path: Path) -> None:
    """Four machines with six sensors each: less than one alarm a minute of all together."""
    records, _ = stream(20, SAMPLES, drifts=False)
    assert len(alarms("manufacturing/equipment", records, tmp_path)) <= SAMPLES * STEP_MS / 60_000


def figures(values: Floats) -> tuple[float, float]:
    """(scatter within a second, how far the means of seconds lie off), of 170 seconds, whatever peaks there are."""
    seconds = values[:17_000].reshape(170, 100)
    means = seconds.mean(axis=1)
    return float(np.median(seconds.std(axis=1))), 1.4826 * float(np.median(np.abs(means - np.median(means))))


@pytest.mark.parametrize("field", SENSORS)
def test_the_background_has_the_shape_of_the_sample(field: str) -> None:
    made = [background(np.random.default_rng([seed, 99]), SENSORS[field], 17_000) for seed in range(7)]
    for mine, real in zip(
        np.median([figures(np.round(m)) for m in made], axis=0), figures(samples()[1][field]), strict=True
    ):
        assert real / 1.5 < mine < real * 1.5
