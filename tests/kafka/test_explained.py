"""Decisions told by a worker are read back by `explain`; an installation without their topic goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.cli.main import outcome
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.provision import apply
from lepton_stream.runtime.kafka.service import opened
from lepton_stream.telemetry.catalogue import DECISIONS
from lepton_stream.telemetry.meter import Labels
from lepton_stream.topics.catalogue import contracts
from tests.autopilot.some_decisions import FLUSH, ROUTE
from tests.kafka.test_admin import TOML, short

pytestmark = pytest.mark.kafka


@pytest.fixture
def pipeline(name: str, tmp_path: Path) -> Path:
    path = tmp_path / "p.toml"
    path.write_text(TOML.format(name=short(name)))
    return path


async def decided(
    connection: Connection, plan: Plan, decisions: Iterable[Decision], worker: str
) -> dict[Labels, float]:
    """A worker that decides; what it has counted."""
    async with opened(plan, connection, worker=worker) as outside:
        for decision in decisions:
            outside.deciding.tell(decision)
        return outside.meter.counters().get(DECISIONS.name, {})


def test_what_workers_decided_is_read_back(
    connection: Connection, pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, at = load(pipeline), ["--broker", connection.bootstrap]
    assert outcome(["topics", "apply", str(pipeline), *at]) == 0
    capsys.readouterr()
    assert outcome(["explain", str(pipeline), *at]) == 0
    told = capsys.readouterr()
    assert (told.out, "no decisions in the last 14 days" in told.err) == ("", True)

    first = [ROUTE, FLUSH, replace(ROUTE, delivered=1.75), replace(ROUTE, choice="partials")]
    counted = asyncio.run(decided(connection, plan, first, "a-0"))
    assert counted == {("route", "rows"): 1.0, ("flush", "0.05 s"): 1.0, ("route", "partials"): 1.0}
    asyncio.run(decided(connection, plan, [FLUSH], "b-0"))

    assert outcome(["explain", str(pipeline), *at]) == 0
    text = capsys.readouterr().out
    heads = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert heads == ["flush: 0.05 s", "flush: 0.05 s", "route, window minute: partials"]
    assert outcome(["explain", str(pipeline), "--all", "--knob", "route", "--json", *at]) == 0
    rows = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["worker"], r["choice"], r["delivered"]) for r in rows] == [
        ("a-0", "rows", 1.75),
        ("a-0", "partials", None),
    ]
    assert outcome(["explain", str(pipeline), "--knob", "flosh", *at]) == 2
    assert "(did you mean flush?)" in capsys.readouterr().err


def test_an_installation_without_the_topic_starts_and_is_told_of_it(
    connection: Connection, pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, at = load(pipeline), ["--broker", connection.bootstrap]
    missing = names(plan).decisions

    async def as_before() -> None:
        async with Admin(connection) as admin:
            await admin.create([c for c in contracts(plan) if c.name not in (missing, names(plan).events)])

    asyncio.run(as_before())
    assert asyncio.run(decided(connection, plan, [FLUSH], "a-0")) == {("flush", "0.05 s"): 1.0}
    assert outcome(["topics", "check", str(pipeline), *at]) == 5
    told = capsys.readouterr()
    assert f"create {missing}: partitions 1, copies 1" in told.out
    assert "Without it decisions of the autopilot are only logged." in told.out
    outcome(["doctor", str(pipeline), "--json", *at])
    found = {f["about"]: f for f in orjson.loads(capsys.readouterr().out)["findings"]}
    assert found[f"topic {missing}"]["level"] == "warn"
    assert found["start"]["level"] == "ok"
    assert outcome(["explain", str(pipeline), *at]) == 2
    assert f"{missing} does not exist; create it with: lepton-stream topics apply" in capsys.readouterr().err

    async def applied() -> list[str]:
        async with Admin(connection) as admin:
            return [step.topic for step in await apply(plan, admin)]

    assert asyncio.run(applied()) == [missing]
