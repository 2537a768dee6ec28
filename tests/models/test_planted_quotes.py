"""finance/fx_ticks finds planted mistakes in quotes, tells few others, and says of each what was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.judging import Found, alarms, explains
from tests.models.planted_quotes import stream

QUOTES = 8000
THRESHOLD = 6


@pytest.mark.parametrize("seed", range(5))
def test_planted_mistakes_are_found_with_precision_and_recall_of_nine_tenths(seed: int, tmp_path: Path) -> None:
    records, planted = stream(seed, QUOTES)
    assert {m.kind for m in planted.values()} == {"jump", "fat finger"}
    assert len(planted) > 150
    right = {}
    events = alarms("finance/fx_ticks", records, tmp_path)
    for event in events:
        place = (event["venue"], event["symbol"]), event["event_time"]
        mistake = planted.get(place)
        if mistake is not None and event["score"] * mistake.side > 0:
            right[place] = event
            assert (event["model"], event["field"]) == ("jump", "mid_bp")
            assert abs(event["score"]) >= THRESHOLD
            assert explains(event, "mid_bp", mistake.side), event["because"]
            assert "the median of the last 16 values" in event["because"]
    found = Found(len(events), len(right), len(planted), len(right))
    print(found)
    assert found.precision >= 0.9, found
    assert found.recall >= 0.9, found
    for kind in ("jump", "fat finger"):
        of_kind = [place for place, mistake in planted.items() if mistake.kind == kind]
        assert sum(place in right for place in of_kind) / len(of_kind) >= 0.9, kind
