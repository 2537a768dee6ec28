"""The product's workload: the published stream at its defaults, and each knob turns what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.stock import prepared
from lepton_stream.bench.workload import Workload
from lepton_stream.pipeline.toml_front import parse
from tests.data import workload as published
from tests.reference.rules import SECOND, FieldRule, Rules, WindowRule
from tests.reference.stream import evaluate

COUNT = 6000


def made(shape: Shape) -> tuple[Workload, list[bytes]]:
    workload = Workload(shape)
    return workload, list(workload.events())


def test_the_defaults_draw_the_published_stream_with_its_truth() -> None:
    workload, events = made(Shape(COUNT))
    slow = published.Workload(COUNT)
    assert events == [value for _, value in slow.records()][:COUNT]
    cells = {(device, start // 1000): window.figures for (device, start), window in slow.windows.items()}
    assert workload.truth() == {"m1": cells}
    assert workload.account["dead_lettered"] == slow.bad + slow.duplicates - slow.duplicates_of_good
    assert workload.account["accepted"] == slow.good


@pytest.mark.parametrize(
    "shape",
    [
        Shape(COUNT, keys=10, windows=3),
        Shape(COUNT, bad=0.2, fields=5, seed=4),
        Shape(COUNT, wide=True),
        Shape(COUNT, size=900),
    ],
    ids=["windows", "bad", "wide", "size"],
)
def test_the_truth_agrees_with_the_reference(shape: Shape) -> None:
    workload, events = made(shape)
    names = {"event_id": "str", "device": "str", "ts": "float", **dict.fromkeys(shape.numbers, "float")}
    windows = tuple(
        WindowRule(name, size * 1000, ("device",), "value", lateness_us=10 * SECOND)
        for name, size in shape.sections.items()
    )
    fields = {name: FieldRule(kind) for name, kind in names.items()}  # type: ignore[arg-type]
    truth = evaluate({0: events}, Rules(fields=fields, time="ts", windows=windows, id=("event_id",)))
    account = truth.accounts[0]
    told = [account.read, account.accepted, account.duplicate, account.late, account.dead_lettered.total()]
    assert told == list(workload.account.values())
    for name, cells in workload.truth().items():
        found = {(str(device), int(str(start)) // 1000): s for (device, start), s in truth.windows[name].items()}
        assert {k: (s.count, s.mean, s.min, s.max) for k, s in found.items()} == {
            k: pytest.approx(figures, rel=1e-15) for k, figures in cells.items()
        }


def test_events_are_json_of_the_size_that_was_asked_for() -> None:
    for size in (200, 1000, 10_000):
        _, events = made(Shape(200, size=size, bad=0.0))
        assert {len(event) for event in events} == {size}
        assert all("value" in json.loads(event) for event in events)


def test_a_wide_event_has_ten_members_and_289_bytes() -> None:
    _, events = made(Shape(200, wide=True, bad=0.0))
    assert {len(event) for event in events} == {289}
    assert {len(json.loads(event)) for event in events} == {10}


@pytest.mark.parametrize("fields", [1, 2, 50])
def test_every_number_that_the_pipeline_reads_is_in_the_event(fields: int) -> None:
    shape = Shape(100, fields=fields, bad=0.0)
    read = {field.name for field in parse(pipeline(shape), "bench").fields}
    assert len(read) == fields + 3
    assert all(read <= json.loads(event).keys() for event in made(shape)[1])


def test_bad_events_are_as_many_as_were_asked_for() -> None:
    workload, _ = made(Shape(COUNT, bad=0.2))
    assert workload.bad / COUNT == pytest.approx(0.2, abs=0.02)


def test_every_pipeline_is_a_usable_plan_with_its_sections() -> None:
    plan = parse(pipeline(Shape(windows=20, fields=50, partitions=8), 3, name="other"), "bench")
    assert [w.name for w in plan.windows] == [f"m{i}" for i in range(1, 21)]
    assert (plan.source.topic, plan.version, plan.topics.partitions) == ("other", 3, 8)


def test_a_workload_is_made_once_and_read_back_as_it_was(tmp_path: Path) -> None:
    told: list[str] = []
    first = prepared(Shape(COUNT), told.append, tmp_path)
    again = prepared(Shape(COUNT), told.append, tmp_path)
    workload, events = made(Shape(COUNT))
    assert (first, len(told)) == (again, 1)
    assert first.path.read_bytes().splitlines() == events
    assert (first.truth(), first.account) == (workload.truth(), workload.account)
    assert first.event_bytes == pytest.approx(sum(map(len, events)) / COUNT)
