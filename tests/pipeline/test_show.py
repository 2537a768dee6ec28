from __future__ import annotations

import json
from typing import Any

import pytest

from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.show import describe
from lepton_stream.pipeline.source import find
from lepton_stream.pipeline.to_dict import to_dict
from tests.pipeline.plans import example, small, with_fields, with_source, with_window


def test_shipped_pipeline_is_described_in_full() -> None:
    plan = find("iot/air_quality")
    lines = describe(plan)
    assert lines[0] == f"pipeline air-quality version 1 (plan {plan_hash(plan)})"
    for line in (
        "source topic iot.air.readings.v1, json, at most 512KiB a record",
        "  event time: ts, epoch s; dead-lettered if more than 1h ahead of the record's own timestamp",
        "  files: csv split at ',', with a header; no value: '', 'NA'",
        "    event time from year, month, day, hour, local in Asia/Shanghai",
        "  pm25: float, may be missing, a bad value sends the record to the dead letters",
        "window day: tumbling 24h from 16:00 UTC, per station, final after 1h lateness",
        "  pm25_missing = null_count(pm25)",
        "  dead letters: iot.air.readings.v1.dlq, with the original bytes and the reason",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (small(), "dedup: none, since source.id is left out; a record sent twice counts twice"),
        (with_source(id="all"), "dedup: a record is a duplicate if its all bytes occurred in the 1,000,000 offsets"),
        (
            with_source(time_unit="iso8601", time_zone="Asia/Shanghai"),
            "ISO 8601 text, in Asia/Shanghai where",
        ),
        (with_source(idle="wait"), "  watermark: waits for a silent source"),
        (
            with_source(file={"format": "csv", "header": False, "columns": ["a", "b"]}),
            "without a header: a, b",
        ),
        (with_fields(x={"type": "int", "min": 0, "on_bad": 5}), "  x: int, 0.., a bad value becomes 5"),
        (
            with_fields(x={"type": "int", "min": 0, "max": 9, "on_bad": "clip"}),
            "  x: int, 0..9, a value outside",
        ),
        (
            with_fields(x={"type": "str", "one_of": ["a", "b"], "on_bad": "null"}),
            "  x: str, one of a, b, a bad",
        ),
        (with_window(offset="15m"), "window hour: tumbling 1h shifted by 15m, per station, final after 0s lateness"),
        (with_window(size="7d"), "window hour: tumbling 7d from 00:00 UTC"),
        (with_window(), "window hour: tumbling 1h from the epoch"),
        (
            with_window(emit="updates", grace="5m", group_by=[]),
            "over everything, updates as it fills, final after 0s late",
        ),
        (with_window(grace="5m"), "final after 0s lateness, revised for 5m more"),
        (small(objective={"freshness_p99": "200ms"}), "objective: 99 of 100 results can be read within 200ms"),
        (small(topics={"partitions": 8, "replication": 3}), "topics of 8 partitions, 3 copies: lepton.air.shuffle"),
    ],
)
def test_each_decision_is_told_with_what_it_means(data: dict[str, Any], line: str) -> None:
    assert any(line in told for told in describe(check(data)))


@pytest.mark.parametrize(
    "data",
    [
        small(),
        small(version=2, dedup={"memory": 5}),
        small(objective={"freshness_p99": "1.5s"}),
        with_source(id="all", key=[], idle="wait", max_ahead="0s"),
        with_source(id=["all"]),
        with_source(file={"format": "csv", "null": [], "header": False, "columns": ["a"], "rename": {"a": "pm25"}}),
        with_source(file={"time": {"columns": ["t"], "zone": "Asia/Tokyo", "format": "%Y%m%d"}}),
        with_fields(x={"type": "int", "min": 0, "on_bad": 5}, y={"type": "bool", "on_bad": {"default": False}}),
        with_fields(**{"PM 2.5": {"type": "float", "required": False, "one_of": [0, 1]}}),
        with_window(group_by=[], grace="1us", offset="500ms", results={"my mean": 'mean("pm25")', "b": "count(city)"}),
    ],
)
def test_written_out_plan_reads_back_and_is_json(data: dict[str, Any]) -> None:
    plan = check(data)
    assert check(json.loads(json.dumps(to_dict(plan)))) == plan


def test_field_names_that_need_quotes_read_back() -> None:
    data = with_fields(**{"PM 2.5": "float"})
    data["window"][0]["results"] = {"m": "mean('PM 2.5')"}
    written = to_dict(check(data))
    assert written["window"][0]["results"] == {"m": 'mean("PM 2.5")'}
    assert check(written) == check(data)


def test_example_reads_back() -> None:
    assert check(to_dict(example())) == example()
