from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lepton_stream.errors import PlanError
from lepton_stream.kernels import calls as k
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import Default, FileTime
from lepton_stream.pipeline.source import find
from tests.pipeline.plans import example

SENSORS = {"PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3"}
WEATHER = {"TEMP": "temp", "PRES": "pres", "DEWP": "dewp", "RAIN": "rain", "WSPM": "wspm"}


def base() -> Pipeline:
    return Pipeline("air").source("readings", time="ts", key="station")


def faults(pipeline: Pipeline) -> list[str]:
    with pytest.raises(PlanError) as caught:
        _ = pipeline.plan
    return str(caught.value).splitlines()


def test_example_of_the_design_is_the_same_plan_in_python_and_toml() -> None:
    pipeline = (
        Pipeline("air-quality")
        .source("iot.air.readings.v1", time="ts", key="station", id=["station", "ts"])
        .field("pm25", float, min=0, max=1000)
        .field("no2", float, required=False)
        .window("hour", size="1h", lateness="10m", n=k.count(), mean=k.mean("pm25"))
    )
    assert pipeline.plan == example()


def test_shipped_pipeline_is_the_same_plan_in_python_and_toml() -> None:
    time = {"columns": ["year", "month", "day", "hour"], "zone": "Asia/Shanghai"}
    pipeline = (
        Pipeline("air-quality")
        .source("iot.air.readings.v1", time="ts", key="station", id=["station", "ts"])
        .file(format="csv", null=["", "NA"], rename=SENSORS | WEATHER, time=time)
        .field("wd", str, required=False)
    )
    for name in (SENSORS | WEATHER).values():
        pipeline = pipeline.field(name, float, required=False)
    pipeline = pipeline.window(
        "day",
        size=timedelta(days=1),
        offset=timedelta(hours=16),
        lateness="1h",
        n=k.count(),
        pm25_n=k.count("pm25"),
        pm25_missing=k.null_count("pm25"),
        pm25_mean=k.mean("pm25"),
        pm25_min=k.min("pm25"),
        pm25_max=k.max("pm25"),
        pm25_std=k.std("pm25"),
    )
    assert pipeline.plan == find("iot/air_quality")


def test_every_argument_reaches_the_plan() -> None:
    plan = (
        Pipeline("air", version=3)
        .source(
            "readings",
            time="ts",
            key=["station", "city"],
            id="all",
            time_unit="ms",
            time_zone="Asia/Shanghai",
            max_ahead=timedelta(minutes=5),
            max_record_bytes="1MiB",
            idle="wait",
            idle_timeout="1m",
        )
        .file(format="csv", delimiter=";", header=False, columns=["d", "x"], time=FileTime(("d",), "UTC", "%Y-%m-%d"))
        .field("hits", "int", one_of=[1, 2], on_bad=Default(1))
        .dedup(memory=5)
        .topics(partitions=2, replication=3)
        .objective(freshness_p99=timedelta(milliseconds=200))
        .window("m", size="1m", grace="5s", emit="updates", group_by="city", results={"size": "sum(hits)"})
        .plan
    )
    assert (plan.version, plan.dedup_memory, plan.topics.partitions, plan.topics.replication) == (3, 5, 2, 3)
    assert plan.objective.freshness_p99_us == 200_000
    source = plan.source
    assert (source.key, source.id, source.time_unit, source.time_zone) == (
        ("station", "city"),
        "all",
        "ms",
        "Asia/Shanghai",
    )
    assert (source.max_ahead_us, source.max_record_bytes) == (300_000_000, 1_048_576)
    assert (source.idle, source.idle_timeout_us) == ("wait", 60_000_000)
    assert (source.file.delimiter, source.file.columns) == (";", ("d", "x"))
    assert source.file.time == FileTime(("d",), "UTC", "%Y-%m-%d")
    assert plan.field_named("hits").on_bad == Default(1)
    window = plan.windows[0]
    assert (window.grace_us, window.emit, window.group_by) == (5_000_000, "updates", ("city",))
    assert window.results == (("size", k.sum("hits")),)


def test_problems_are_told_by_methods_and_arguments_all_at_once() -> None:
    pipeline = (
        Pipeline("air", version=0)
        .source("a/b", time="ts", key="station")
        .file(format="csv", time={"columns": ["a"]})
        .field("pm25", float, min=5, max=1)
        .dedup(memory=0)
        .topics(partitions=0)
        .objective(freshness_p99="0s")
        .window("hour", size="0s", lateness=timedelta(seconds=-1), n=k.mean("pm52"))
        .window("day", size="1d", group_by="citi", n=k.count())
    )
    assert faults(pipeline) == [
        "air: the pipeline is not usable",
        "  - Pipeline.version is 0: expects an integer from 1 to 2147483647",
        '  - source.topic is "a/b": expects a Kafka topic name: letters, digits, . _ and -, at most 245',
        "  - dedup.memory is 0: expects an integer from 1 to 2147483648",
        "  - topics.partitions is 0: expects an integer from 1 to 10000",
        '  - objective.freshness_p99 is "0s": expects a duration such as "10s" or "1h", above 0',
        '  - window("hour").size is "0s": expects a duration such as "10s" or "1h", above 0',
        '  - window("hour").lateness is "-1 day, 23:59:59": expects a duration such as "10s", "1h" or "7d"',
        '  - field("pm25").min is 5.0: expects at most max, which is 1.0',
        '  - file.time.columns is ["a"]: expects year, month, day and perhaps hour, minute, second; or a format',
        '  - window("hour").n is "mean(pm52)": column 6: no field pm52 in [fields] (did you mean pm25?)',
        '  - window("day").group_by is "citi": no such field in [fields]',
    ]


def test_what_is_left_out_is_told() -> None:
    assert [line.partition(":")[0] for line in faults(Pipeline("air"))[1:]] == [
        "  - source is missing",
        "  - window is missing",
    ]
    assert 'window("h").results is {}' in faults(base().window("h", size="1h"))[1]
    fileless = Pipeline("air").file(format="csv").window("h", size="1h", n=k.count())
    assert [line.partition(":")[0] for line in faults(fileless)[1:]] == ["  - source is missing"]


def test_what_is_said_twice_is_told() -> None:
    twice = base().field("x", int).field("x", float).source("r", time="ts").window("h", size="1h", n="count()")
    assert [line for line in faults(twice) if "twice" in line] == [
        '  - field("x") is "x": is said twice',
        '  - source is "source": is said twice',
    ]


def test_a_pipeline_never_changes() -> None:
    one = base()
    two = one.window("h", size="1h", n=k.count())
    assert [w.name for w in two.window("d", size="1d", n=k.count()).plan.windows] == ["h", "d"]
    assert [w.name for w in two.plan.windows] == ["h"]
    assert "window is missing" in faults(one)[1]


@pytest.mark.parametrize("odd", [None, 5, [], {}, object(), float, b"x", "\ud800", ("a",), {"a": {}}])
def test_odd_arguments_give_plan_errors_and_nothing_else(odd: Any) -> None:
    faults(Pipeline(odd).source(odd, time=odd, key=odd, id=odd))
    faults(base().field("x", odd, min=odd, one_of=odd, on_bad=odd, required=odd))
    faults(base().file(format=odd, rename=odd, columns=odd, null=odd, time=odd))
    faults(base().window(odd, size=odd, lateness=odd, group_by=odd, n=odd))
