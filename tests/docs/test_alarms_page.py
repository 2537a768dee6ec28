"""What docs/alarms.md and the page of glucose show is a good section, and events as they are."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lepton_stream import Pipeline
from lepton_stream.api.local import run
from lepton_stream.pipeline.alarms import ALARM_COLUMNS
from lepton_stream.pipeline.keys import ALARM
from lepton_stream.pipeline.source import find, sample
from lepton_stream.pipeline.toml_front import parse
from tests.docs.test_models_page import HEAD

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "alarms.md").read_text(encoding="utf-8")


def test_the_section_shown_is_one_of_a_good_plan_and_every_key_has_its_line() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    head = HEAD.replace("station", "room").replace("pm25", "celsius")
    plan = parse(head + shown, "rooms.toml")
    assert (plan.alarms[0].threshold, plan.alarms[0].back) == (15, 17)
    for key in ALARM.keys:
        assert key.name in ("name", "by", "field") or f"`{key.name}`" in PAGE
    (call,) = re.findall(r"`\.alarm\((.*?), \.\.\.\)`", PAGE)
    same = eval(f"start.alarm({call}, lateness='1m', forget='1h').plan", {"start": start()})
    assert same.alarms == plan.alarms


def start() -> Pipeline:
    """What a section is added to."""
    source = Pipeline("air").source("readings", time="ts", key="room").field("celsius", "float")
    return source.window("hour", size="1h", n="count()")


def test_the_event_shown_is_the_one_that_such_values_give() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    event = json.loads(shown)
    assert list(event) == ["room", *ALARM_COLUMNS]
    for column in ALARM_COLUMNS:
        assert f"`{column}`" in PAGE or column.startswith("source_") or column == "field" or column == "because"
    begin = event["since"] // 1000
    values = [16.0, 14.9, 13.9, *[14.5] * 8, event["seen"]]
    records = [{"ts": begin - 60 + 60 * i, "room": "attic", "celsius": value} for i, value in enumerate(values)]
    told: list[dict[str, Any]] = []
    plan = start().alarm("cold", "celsius", by="room", below=15, back=17, open_after="10m", close_after="5m").plan
    list(run(plan, records, events=told.append))
    place = ("source_topic", "source_partition", "source_offset")
    assert told == [event | {name: told[0][name] for name in place}]


def test_the_picture_is_what_the_section_does() -> None:
    (shown,) = re.findall(r"^celsius, a value every 2.5 minutes\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    back, _, between, _, below, marks, _ = shown.splitlines()
    levels = {place: value for row, value in ((back, 18), (between, 16), (below, 14)) for place in places(row, "●")}
    times = {place: 150 * i for i, place in enumerate(sorted(levels))}
    records = [{"ts": times[place], "room": "a", "celsius": levels[place]} for place in times]
    told: list[dict[str, Any]] = []
    plan = start().alarm("cold", "celsius", below=15, back=17, open_after="10m", close_after="5m").plan
    list(run(plan, records, events=told.append))
    opened, closed = told
    wanted = (opened["since"], opened["event_time"], closed["until"], closed["event_time"])
    assert [1000 * times[place] for place in places(marks, "▲")] == list(wanted)


def places(line: str, mark: str) -> list[int]:
    """Where the mark stands in the line."""
    return [i for i, character in enumerate(line) if character == mark]


def test_the_day_of_the_glucose_page_is_that_of_the_sample() -> None:
    page = (DOCS / "pipelines" / "medical" / "glucose.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^alarm +change .*\n((?:.+\n)+)```", page, re.MULTILINE)
    told: list[dict[str, Any]] = []
    list(run(find("medical/glucose"), sample("medical/glucose"), events=told.append))
    first = [e for e in told if day(e["event_time"]) == "17"]
    assert [line.split() for line in shown.splitlines()] == [words(e) for e in first]
    assert all(e["because"].startswith(line.split("  ")[-1].removesuffix(" ...").strip(" ,")) for e, line in zip(
        first, shown.splitlines(), strict=True
    ))  # fmt: skip


def words(event: dict[str, Any]) -> list[str]:
    """A line of the page."""
    times = [event["since"], *([] if event["until"] is None else [event["until"]])]
    cut = event["because"].split(", after it was")[0].split(", below 70 since")[0]
    more = ["..."] if cut != event["because"] else []
    because = f"{cut}," if more else cut
    numbers = f"{event['seen']:g}", *map(clock, times), f"{event['worst']:g}"
    return [event["model"], event["change"], clock(event["event_time"]), *numbers, *because.split(), *more]


def clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M")


def day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%d")
