"""finance/fx_ticks finds planted mistakes in quotes, tells few others, and says of each what was wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.models.judging import Found, alarms, explains
from tests.models.planted_quotes import Planted, stream, with_mistakes
from tests.reference.fx_ticks import FULL, full

QUOTES = 8000
THRESHOLD = 6
ECB_DAY = 1_399_507_200_000
"""2014-05-08, in ms: the most restless day of the week."""


def found_in(records: list[bytes], planted: Planted, folder: Path) -> Found:
    """What the pipeline finds. Each alarm at a planted quote must explain it; those anywhere else are wrong."""
    assert {m.kind for m in planted.values()} == {"jump", "fat finger"}
    right = set()
    events = alarms("finance/fx_ticks", records, folder)
    for event in events:
        place = (event["venue"], event["symbol"]), event["event_time"]
        mistake = planted.get(place)
        if mistake is not None and event["score"] * mistake.side > 0:
            right.add(place)
            assert (event["model"], event["field"]) == ("jump", "mid_bp")
            assert abs(event["score"]) >= THRESHOLD
            assert explains(event, "mid_bp", mistake.side), event["because"]
            assert "the median of the last 16 values" in event["because"]
    for kind in ("jump", "fat finger"):
        of_kind = [place for place, mistake in planted.items() if mistake.kind == kind]
        assert sum(place in right for place in of_kind) / len(of_kind) >= 0.9, kind
    return Found(len(events), len(right), len(planted), len(right))


@pytest.mark.parametrize("seed", range(5))
def test_planted_mistakes_are_found_with_precision_and_recall_of_nine_tenths(seed: int, tmp_path: Path) -> None:
    records, planted = stream(seed, QUOTES)
    assert len(planted) > 150
    found = found_in(records, planted, tmp_path)
    assert found.precision >= 0.9, found
    assert found.recall >= 0.9, found


@pytest.mark.skipif(not FULL.is_dir(), reason="the full data set is not here (set LEPTON_SHARED)")
def test_mistakes_among_the_real_quotes_of_a_restless_day_are_found_as_well(tmp_path: Path) -> None:
    """Whatever the model says of the real quotes counts as wrong here, though some did jump."""
    day = full().with_columns((pl.col("time_us") // 1000).alias("ms")).filter(pl.col("ms") >= ECB_DAY)
    day = day.filter(pl.col("ms") < ECB_DAY + 86_400_000).unique(["venue", "symbol", "ms"], maintain_order=True)
    series = {
        (str(venue), str(symbol)): tuple(np.array(table[name]) for name in ("ms", "bid", "ask"))
        for (venue, symbol), table in day.group_by("venue", "symbol", maintain_order=True)
    }
    found = found_in(*with_mistakes(series, seed=1), tmp_path)  # type: ignore[arg-type]  # three arrays each
    assert found.planted > 2000
    assert found.precision >= 0.9, found
    assert found.recall >= 0.9, found
