"""`kind = "hopping"` in plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import Window
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.to_dict import to_dict
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import told, with_window

HOUR = 3_600_000_000


def hopping(**keys: Any) -> dict[str, Any]:
    return with_window(**{"kind": "hopping", "size": "24h", "every": "1h", **keys})


def window(**keys: Any) -> Window:
    return check(hopping(**keys)).windows[0]


def test_a_record_counts_in_size_by_every_windows() -> None:
    made = window()
    assert (made.kind, made.size_us, made.every_us) == ("hopping", 24 * HOUR, HOUR)
    assert (made.step_us, made.overlap) == (HOUR, 24)
    tumbling = check(with_window(size="24h")).windows[0]
    assert (tumbling.step_us, tumbling.overlap) == (24 * HOUR, 1)


def test_plan_comes_back_and_its_hash_knows_how_often_a_window_begins() -> None:
    plan = check(hopping())
    assert check(to_dict(plan)) == plan
    assert parse(to_toml(plan), "") == plan
    plans = (plan, check(hopping(every="2h")), check(with_window(size="24h")), check(hopping(every="24h")))
    assert len({plan_hash(p) for p in plans}) == 4
    assert "every" not in to_dict(check(with_window(size="24h")))["window"][0]


def test_python_makes_the_same_window() -> None:
    pipeline = Pipeline("air").source("readings", time="ts", key="station").field("pm25", float).field("city", str)
    pipeline = pipeline.field("wind", str, required=False)
    built = pipeline.window("hour", kind="hopping", size=timedelta(days=1), every="1h", n="count()").plan
    assert built == check(hopping())


def test_it_is_described() -> None:
    assert "window hour: hopping 24h every 1h from the epoch, per station, final after 0s lateness" in describe(
        check(hopping())
    )
    assert any(
        line.startswith("window hour: hopping 3h every 1h shifted by 15m, ")
        for line in describe(check(hopping(size="3h", offset="15m")))
    )


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"every": None}, 'window[0].every is missing: expects how often a window begins, such as "1h"'),
        ({"kind": "tumbling"}, 'window[0].every is "1h": is for windows of kind = "hopping"'),
        ({"every": "7h"}, 'window[0].every is "7h": expects a part of the size: 1d is no multiple of it'),
        ({"every": "25h"}, 'window[0].every is "25h": expects a part of the size: 1d is no multiple of it'),
        ({"every": "0s"}, 'window[0].every is "0s": expects a duration such as "10s" or "1h", above 0'),
        (
            {"every": "1s"},
            'window[0].every is "1s": expects at least 86400ms: a record counts in size / every windows, at most 1,000',
        ),
        ({"offset": "1h"}, 'window[0].offset is "1h": expects less than every, 1h: windows begin again after that'),
        ({"kind": "hoping"}, 'expects "tumbling" or "hopping" (did you mean hopping?)'),
    ],
)
def test_what_does_not_fit_is_told(keys: dict[str, Any], line: str) -> None:
    (found,) = told(hopping(**keys))
    assert line in found
