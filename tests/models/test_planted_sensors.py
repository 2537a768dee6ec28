"""manufacturing/equipment finds planted drifts of sensors, tells few others, and says of each what drifts and where to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.judging import Found, alarms, explains
from tests.models.planted_sensors import BEGIN_MS, SENSORS, STEP_MS, background, stream
from tests.reference.equipment import samples

SAMPLES = 16_000
THRESHOLD, MEMORY = 6, 100
"""The level has the last hundred values in it: so long after its end an alarm still tells of a drift."""


@pytest.mark.parametrize("seed", range(4))
def test_planted_drifts_are_found_with_precision_and_recall_of_nine_tenths(seed: int, tmp_path: Path) -> None:
    records, planted = stream(seed, SAMPLES)
    assert len(planted) > 30
    events = alarms("manufacturing/equipment", records, tmp_path)
    known, right = set(), 0
    for event in events:
        sample = (event["event_time"] - BEGIN_MS) // STEP_MS
        of_sensor = (d for d in planted if (d.machine, d.field) == (event["machine"], event["field"]))
        drift = next((d for d in of_sensor if d.first <= sample < d.last + MEMORY), None)
        if drift is not None and event["score"] * drift.side > 0:
            right += 1
            known.add(drift)
            assert event["model"] == f"drift_{drift.field}"
            assert abs(event["score"]) >= THRESHOLD
            assert explains(event, f"the level of {drift.field}", drift.side), event["because"]
    found = Found(len(events), right, len(planted), len(known))
    print(found)
    assert found.precision >= 0.9, found
    assert found.recall >= 0.9, found
