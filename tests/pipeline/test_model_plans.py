"""`[[model]]` in plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.models import EVENT_COLUMNS
from lepton_stream.pipeline.plan import Call, Model
from lepton_stream.pipeline.plan_hash import canonical, plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.to_dict import to_dict
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import EXAMPLE, example, small, small_in_python, told, toml_lines

DAY_US = 86_400_000_000


def with_model(**keys: Any) -> dict[str, Any]:
    """The small plan with a model; None takes a key of it away."""
    model = {"name": "spike", "score": "robust_z(pm25)", "threshold": 5, **keys}
    return small(model=[{key: value for key, value in model.items() if value is not None}])


def test_a_model_says_everything_by_default() -> None:
    (made,) = check(with_model()).models
    assert made == Model("spike", ("station",), Call("robust_z", ("pm25", 64)), 5.0, 20, 0.0, 0, 30 * DAY_US, "alarms")
    assert made.field == "pm25"
    (made,) = check(with_model(score="ewma(wind_speed)", by=[]) | {"derive": {"wind_speed": "pm25 * 2"}}).models
    assert (made.score, made.by) == (Call("ewma", ("wind_speed", 0.1)), ())


def test_a_short_history_shortens_the_warmup() -> None:
    assert check(with_model(score="robust_z(pm25, 8)")).models[0].warmup == 8
    assert check(with_model(score="ewma(pm25, 0.5)")).models[0].warmup == 20


def test_a_drift_warms_up_until_it_has_twenty_levels() -> None:
    assert check(with_model(score="drift(pm25)")).models[0].warmup == 1000
    assert check(with_model(score="drift(pm25, 0.3)")).models[0].warmup == 60
    assert check(with_model(score="drift(pm25, 0.3)", warmup=3)).models[0].warmup == 3


REFUSALS = [
    (with_model(score="robust(pm25)"), "unknown function; there are drift, ewma, robust_z (did you mean robust_z?)"),
    (with_model(score="robust_z(pm2)"), "no field pm2 in [fields] (did you mean pm25?)"),
    (with_model(score="robust_z(city)"), "robust_z(field, history) takes float or int; city is str"),
    (with_model(score="robust_z(pm25, 2)"), "expects a whole number history from 4 to 1024, not 2"),
    (with_model(score="ewma(pm25, 0.9)"), "expects weight from 0.001 to 0.5, not 0.9"),
    (with_model(score="ewma(pm25, 0.1, 3)"), "takes 2 arguments, not 3"),
    (with_model(score=None), "model[0].score is missing"),
    (with_model(threshold=0), "model[0].threshold is 0: expects a number above 0"),
    (with_model(least_deviation=-1), "expects a number that is not negative"),
    (with_model(warmup=1), "expects an integer from 2 to 100000"),
    (with_model(warmup=80), "model[0].warmup is 80: expects at most the history, 64: no more values are kept"),
    (with_model(score="drift(pm25, 0.3)", warmup=2), "expects at least 1 / weight, 3: then the first level is kept"),
    (with_model(by="pm25"), "expects a field of type str or int or bool; pm25 is float"),
    (with_model(by="wind"), "expects a required field; wind has required = false"),
    (with_model(by="town"), "no such field in [fields]"),
    (with_model(name="hour"), "expects a name of its own; another window or model has this one"),
    (with_model(emit="some"), 'expects "alarms" or "onsets" or "all"'),
    (with_model(forget="0s"), "above 0"),
    (with_model(order="log"), "model[0].order is \"log\": not in this version"),
    (with_model(where="pm25"), "model[0].where"),
    (small(model=[]), "expects tables [[model]], in double brackets"),
    (small(model={"name": "x"}), "expects tables [[model]], in double brackets"),
    (small(model=["x"]), "expects a table [[model]]"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wish"), REFUSALS, ids=[wish[:40] for _, wish in REFUSALS])
def test_one_fault_is_told_once(data: Any, wish: str) -> None:
    lines = told(data)
    assert len(lines) == 1
    assert wish in lines[0]


@pytest.mark.parametrize("name", EVENT_COLUMNS)
def test_a_key_field_with_a_name_that_every_event_has_is_refused(name: str) -> None:
    data = with_model(by=[name])
    data["fields"] = data["fields"] | {name: "str"}
    assert any("every event has a column" in line for line in told(data))


def test_two_models_of_one_name_are_refused() -> None:
    data = with_model()
    assert "another window or model has this one" in "\n".join(told({**data, "model": data["model"] * 2}))


def test_what_is_wrong_in_a_file_is_told_with_its_place() -> None:
    text = EXAMPLE + '[[model]]\nname = "spike"\nscore = "robust_z(pm2.5)"\nthreshold = 5\n'
    line = text[: text.index("score =")].count("\n") + 1
    assert any(found.lstrip(" -").startswith(f"air.toml:{line}:") for found in toml_lines(text)[1:])


def test_plan_comes_back_from_text_and_python_makes_the_same() -> None:
    keys: dict[str, Any] = {"warmup": 30, "least_deviation": 0.5, "lateness": "10m", "forget": "7d", "emit": "all"}
    keys["where"] = "pm25 > 0"
    plan = check(with_model(by=["city"], **keys))
    assert check(to_dict(plan)) == plan
    assert parse(to_toml(plan), "") == plan
    keys["forget"] = timedelta(days=7)
    assert small_in_python().model("spike", "robust_z(pm25)", threshold=5, by="city", **keys).plan == plan


def test_python_names_its_own_arguments() -> None:
    pipeline = Pipeline("air").source("readings", time="ts").field("pm25", float).window("w", size="1h", n="count()")
    with pytest.raises(Exception, match=r'model\("spike"\)\.threshold is -1: expects a number above 0'):
        _ = pipeline.model("spike", "ewma(pm25)", threshold=-1).plan


CHANGES: dict[str, dict[str, Any]] = {
    "name": {"name": "x"},
    "by": {"by": ()},
    "score": {"score": Call("ewma", ("pm25", 0.1))},
    "threshold": {"threshold": 6.0},
    "warmup": {"warmup": 7},
    "least": {"least_deviation": 1.0},
    "lateness": {"lateness_us": 1},
    "forget": {"forget_us": 9},
    "emit": {"emit": "all"},
}


def test_the_hash_knows_everything_of_a_model_and_nothing_of_models_where_there_are_none() -> None:
    plan = check(with_model())
    changed = [replace(plan, models=(replace(plan.models[0], **keys),)) for keys in CHANGES.values()]
    assert len({plan_hash(p) for p in [plan, replace(plan, models=()), *changed]}) == len(changed) + 2
    assert b"model" not in canonical(example())


def test_it_is_described() -> None:
    text = "\n".join(describe(check(with_model(where="pm25 > 1", lateness="1m"))))
    assert "model spike: robust_z(pm25, 64) per station, in event time, 1m lateness" in text
    assert "only records where pm25 > 1" in text
    assert "scores of 5 deviations and more become events, after 20 values of a key" in text
    assert "scores become events" in "\n".join(describe(check(with_model(emit="all", by=[]))))
