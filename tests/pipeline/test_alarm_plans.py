"""`[[alarm]]` in plans, and fields that are pseudonyms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lepton_stream.pipeline.alarms import ALARM_COLUMNS
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import Alarm
from lepton_stream.pipeline.plan_hash import canonical, plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.to_dict import to_dict
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.pipeline.toml_front import parse
from tests.pipeline.plans import EXAMPLE, example, small, small_in_python, told, toml_lines

DAY_US = 86_400_000_000


def with_alarm(**keys: Any) -> dict[str, Any]:
    """The small plan with an alarm; None takes a key of it away."""
    alarm = {"name": "dusty", "field": "pm25", "above": 75, **keys}
    return small(alarm=[{key: value for key, value in alarm.items() if value is not None}])


def test_an_alarm_says_everything_by_default() -> None:
    (made,) = check(with_alarm()).alarms
    assert made == Alarm("dusty", ("station",), "pm25", "above", 75.0, 75.0, 0, 1, 0, 1, 0, 30 * DAY_US)
    (made,) = check(with_alarm(above=None, below=5, back=7, by=[], open_after="10m")).alarms
    assert (made.side, made.threshold, made.back, made.by, made.open_after_us) == ("below", 5, 7, (), 600_000_000)


def test_a_derived_column_may_be_watched() -> None:
    (made,) = check(with_alarm(field="twice") | {"derive": {"twice": "pm25 * 2"}}).alarms
    assert made.field == "twice"


REFUSALS = [
    (with_alarm(field="pm2"), "no such field in [fields] or [derive] (did you mean pm25?)"),
    (with_alarm(field="city"), "expects a field of type float or int; city is str"),
    (with_alarm(field=None), "alarm[0].field is missing"),
    (with_alarm(above=None), "alarm[0].below is missing: expects below or above"),
    (with_alarm(below=5), "alarm[0].above is 75: expects either below or above; make two alarms of it"),
    (with_alarm(back=80), "alarm[0].back is 80: expects at most above, 75: what closes the alarm must not open it"),
    (with_alarm(above=None, below=5, back=4), "alarm[0].back is 4: expects at least below, 5"),
    (with_alarm(above="high"), "expects a finite number"),
    (with_alarm(open_values=0), "expects an integer from 1 to 1000000"),
    (with_alarm(close_after="soon"), 'expects a duration such as "10s"'),
    (with_alarm(by="pm25"), "expects a field of type str or int or bool; pm25 is float"),
    (with_alarm(by="town"), "no such field in [fields]"),
    (with_alarm(name="hour"), "expects a name of its own; another window, model or alarm has this one"),
    (with_alarm(forget="0s"), "above 0"),
    (with_alarm(order="log"), "alarm[0].order is \"log\": not in this version"),
    (with_alarm(where="pm25"), "alarm[0].where"),
    (with_alarm(abov=3), "unknown key (did you mean above?)"),
    (small(alarm=[]), "expects tables [[alarm]], in double brackets"),
    (small(alarm={"name": "x"}), "expects tables [[alarm]], in double brackets"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wish"), REFUSALS, ids=[wish[:40] for _, wish in REFUSALS])
def test_one_fault_is_told_once(data: Any, wish: str) -> None:
    lines = told(data)
    assert len(lines) == 1
    assert wish in lines[0]


@pytest.mark.parametrize("name", ALARM_COLUMNS)
def test_a_key_field_with_a_name_that_every_event_has_is_refused(name: str) -> None:
    data = with_alarm(by=[name])
    data["fields"] = data["fields"] | {name: "str"}
    assert any("every event has a column" in line for line in told(data))


def test_a_model_and_an_alarm_of_one_name_are_refused() -> None:
    model = {"name": "dusty", "score": "robust_z(pm25)", "threshold": 5}
    assert "window, model or alarm has this one" in "\n".join(told({**with_alarm(), "model": [model]}))


def test_what_is_wrong_in_a_file_is_told_with_its_place() -> None:
    text = EXAMPLE + '[[alarm]]\nname = "dusty"\nfield = "pm2.5"\nabove = 75\n'
    line = text[: text.index("field =")].count("\n") + 1
    assert any(found.lstrip(" -").startswith(f"air.toml:{line}:") for found in toml_lines(text)[1:])


KEYS: dict[str, Any] = {
    "back": 50,
    "open_after": "10m",
    "open_values": 3,
    "close_after": "1h",
    "close_values": 2,
    "lateness": "10m",
    "forget": "7d",
    "where": "pm25 > 0",
}


def test_plan_comes_back_from_text_and_python_makes_the_same() -> None:
    plan = check(with_alarm(by=["city"], **KEYS))
    assert check(to_dict(plan)) == plan
    assert parse(to_toml(plan), "") == plan
    keys = KEYS | {"forget": timedelta(days=7)}
    assert small_in_python().alarm("dusty", "pm25", above=75, by="city", **keys).plan == plan


def test_python_names_its_own_arguments() -> None:
    pipeline = Pipeline("air").source("readings", time="ts").field("pm25", float).window("w", size="1h", n="count()")
    with pytest.raises(Exception, match=r'alarm\("dusty"\)\.back is 9: expects at most above, 5'):
        _ = pipeline.alarm("dusty", "pm25", above=5, back=9).plan


CHANGES: dict[str, dict[str, Any]] = {
    "name": {"name": "x"},
    "by": {"by": ()},
    "field": {"field": "city"},
    "side": {"side": "below"},
    "threshold": {"threshold": 76.0},
    "back": {"back": 70.0},
    "open after": {"open_after_us": 1},
    "open values": {"open_values": 2},
    "close after": {"close_after_us": 1},
    "close values": {"close_values": 2},
    "lateness": {"lateness_us": 1},
    "forget": {"forget_us": 9},
}


def test_the_hash_knows_everything_of_an_alarm_and_nothing_of_alarms_where_there_are_none() -> None:
    plan = check(with_alarm())
    changed = [replace(plan, alarms=(replace(plan.alarms[0], **keys),)) for keys in CHANGES.values()]
    assert len({plan_hash(p) for p in [plan, replace(plan, alarms=()), *changed]}) == len(changed) + 2
    assert b"alarm" not in canonical(example())
    assert b"pseudonym" not in canonical(example())


def test_it_is_described() -> None:
    text = "\n".join(describe(check(with_alarm(**KEYS))))
    assert "alarm dusty: pm25 per station, in event time, 10m lateness" in text
    assert "only records where pm25 > 0" in text
    assert "opens above 75, 3 values in a row, for 10m; an event" in text
    assert "closes at 50 or below, 2 values in a row, for 1h; an event" in text
    assert "closes at 5 or above; an event" in "\n".join(describe(check(with_alarm(above=None, below=5))))


def hidden(**keys: Any) -> dict[str, Any]:
    """The small plan whose stations are pseudonyms."""
    data = small(**keys)
    return {**data, "fields": data["fields"] | {"station": {"type": "str", "pseudonym": True}}}


def test_a_field_that_is_a_pseudonym_keeps_raw_records_out_of_what_is_set_aside() -> None:
    plan = check(hidden())
    assert (plan.pseudonyms, plan.sets_aside_raw) == (("station",), False)
    assert check(hidden(dead_letters={"raw": True})).sets_aside_raw
    assert not check(small(dead_letters={"raw": False})).sets_aside_raw
    assert check(small()).sets_aside_raw
    for one in (plan, check(hidden(dead_letters={"raw": True}))):
        assert parse(to_toml(one), "") == one == check(to_dict(one))
    text = "\n".join(describe(plan))
    assert "station: str, a pseudonym (HMAC-SHA-256), a bad value" in text
    assert "the place of the record but none of its bytes, and the reason" in text
    pipeline = Pipeline("air").source("readings", time="ts", key="station").field("station", str, pseudonym=True)
    assert pipeline.window("w", size="1h", n="count()").dead_letters(raw=True).plan.pseudonyms == ("station",)


def test_only_text_can_be_a_pseudonym_and_time_cannot() -> None:
    data = small()
    number = {**data, "fields": data["fields"] | {"pm25": {"type": "float", "pseudonym": True}}}
    assert [line for line in told(number) if "only fields of type str can be pseudonyms; this one is float" in line]
    time = {**data, "source": data["source"] | {"time_unit": "iso8601"}}
    time["fields"] = time["fields"] | {"ts": {"type": "str", "pseudonym": True}}
    assert [line for line in told(time) if "expects a field that is no pseudonym; ts is one" in line]
