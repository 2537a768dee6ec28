"""Decisions on their way: never in the way of the work, none lost while the broker is away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.record import told_by
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka import deciding
from lepton_stream.runtime.kafka.deciding import Deciding
from lepton_stream.runtime.kafka.produce import Record
from tests.autopilot.some_decisions import FLUSH, ROUTE


class Broker:
    """What is sent arrives while the broker is there. `made`: producers, each usable until its first failure."""

    def __init__(self) -> None:
        self.there, self.made, self.closed = True, 0, 0
        self.records: list[Record] = []
        self.arrived = asyncio.Event()
        self.failed = asyncio.Event()

    def producer(self) -> Any:
        self.made += 1
        return _Producer(self)


class _Producer:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def open(self) -> _Producer:
        return self

    async def send_all(self, records: Iterable[Record]) -> None:
        some = list(records)
        await asyncio.sleep(0)
        if not self._broker.there:
            self._broker.failed.set()
            raise BrokerError("away")
        self._broker.records += some
        self._broker.arrived.set()

    async def close(self) -> None:
        self._broker.closed += 1


def sent(broker: Broker) -> list[Decision]:
    found = [told_by(record.value) for record in broker.records]
    return [told.decision for told in found if told is not None]


def deciding_to(broker: Broker) -> Deciding:
    return Deciding(broker.producer, "lepton.p.decisions", "a-0", lambda: 5_000_000)


async def test_a_decision_is_told_at_once_and_sent_behind_it() -> None:
    broker = Broker()
    out, noted = deciding_to(broker), list[Decision]()
    out.note = noted.append
    out.tell(ROUTE)
    out.tell(FLUSH)
    assert broker.records == []
    assert [d.knob for d in noted] == ["route", "flush"]
    await broker.arrived.wait()
    await out.close()
    assert [(d.knob, d.choice) for d in sent(broker)] == [("route", "rows"), ("flush", "0.05 s")]
    assert {record.to for record in broker.records} == {("lepton.p.decisions", 0)}
    assert (broker.made, broker.closed) == (1, 1)


async def test_what_a_decision_delivered_is_sent_and_not_counted_again() -> None:
    broker = Broker()
    out, noted = deciding_to(broker), list[Decision]()
    out.note = noted.append
    out.tell(ROUTE)
    out.tell(replace(ROUTE, delivered=1.6))
    await broker.arrived.wait()
    await out.close()
    first, second = sent(broker)
    assert (first.id, first.delivered, second.delivered) == (second.id, None, 1.6)
    assert len(noted) == 1
    assert [told.decision.delivered for told in out.newest.values()] == [1.6]


async def test_what_an_earlier_decision_delivered_does_not_hide_a_later_one() -> None:
    out = Deciding(None, "lepton.p.decisions", "a-0", lambda: 0)
    out.tell(ROUTE)
    out.tell(replace(ROUTE, choice="partials"))
    out.tell(replace(ROUTE, delivered=1.6))
    assert [told.decision.choice for told in out.newest.values()] == ["partials"]


async def test_decisions_wait_for_a_broker_that_is_away_and_go_with_the_next_one() -> None:
    broker = Broker()
    out, broker.there = deciding_to(broker), False
    out.tell(ROUTE)
    await broker.failed.wait()
    while broker.closed == 0:
        await asyncio.sleep(0)
    broker.there = True
    out.tell(FLUSH)
    await broker.arrived.wait()
    await out.close()
    assert [d.knob for d in sent(broker)] == ["route", "flush"]
    assert (broker.made, broker.closed) == (2, 2)


async def test_what_waits_goes_when_the_worker_leaves() -> None:
    broker = Broker()
    out, broker.there = deciding_to(broker), False
    out.tell(ROUTE)
    await broker.failed.wait()
    broker.there = True
    await out.close()
    assert [d.knob for d in sent(broker)] == ["route"]
    assert broker.made == broker.closed == 2


async def test_of_more_than_can_wait_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "MOST_WAITING", 2)
    broker = Broker()
    out, broker.there = deciding_to(broker), False
    for choice in ("1", "2", "3"):
        out.tell(replace(FLUSH, choice=choice))
    await broker.failed.wait()
    while broker.closed == 0:
        await asyncio.sleep(0)
    broker.there = True
    out.tell(replace(FLUSH, choice="4"))
    await broker.arrived.wait()
    await out.close()
    assert [d.choice for d in sent(broker)] == ["3", "4"]


async def test_without_a_topic_decisions_are_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    out = Deciding(None, "lepton.p.decisions", "a-0", lambda: 0)
    with caplog.at_level("INFO", "lepton_stream.facts"):
        out.tell(ROUTE)
    await out.close()
    (record,) = caplog.records
    assert vars(record)["fields"] == {
        "knob": "route",
        "about": {"window": "minute"},
        "choice": "rows",
        "why": "few rows share a cell",
        "measure": "CPU s a million",
        "promised": 1.5,
        "delivered": None,
    }
