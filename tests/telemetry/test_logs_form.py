"""The log: one line each, whatever they hold; no flood, no secret, no escape that a terminal would obey."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lepton_stream.telemetry.catalogue import CHECKPOINT, REFUSED, SAID, WORKER_STARTED
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.logs import BURST, BURST_S, Handler, LogFormat, keep_secret, log_is_json, set_up

HOSTILE = 'a\nERROR forged: line\r\x1b[2J\x9b31m\u202e{"event": "forged"}\udcff'


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Log:
    def __init__(self, form: LogFormat, **more: Any) -> None:
        self.out, self.clock = io.StringIO(), Clock()
        set_up(form, clock=self.clock, stream=self.out, **more)
        root = logging.getLogger()
        # The test runner's own handlers would keep hostile text, and half a surrogate cannot be sent between processes.
        root.handlers[:] = [h for h in root.handlers if isinstance(h, Handler)]

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()

    @property
    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    root, level, hook = logging.getLogger(), logging.getLogger().level, sys.excepthook
    yield
    root.handlers[:] = [h for h in root.handlers if not isinstance(h, Handler)]
    root.setLevel(level)
    sys.excepthook = hook


def test_a_fact_is_one_json_object_with_its_name_and_fields() -> None:
    log = Log("json", about={"worker": 3})
    tell(WORKER_STARTED, version="1", plan="p", group="g")
    (line,) = log.facts
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "info", "event": "worker_started", "worker": 3, "version": "1", "plan": "p", "group": "g"}
    assert log_is_json()


def test_people_are_told_warnings_and_worse() -> None:
    log = Log("text")
    tell(SAID, text="hello")
    tell(REFUSED, exit_code=4, error="no broker")
    assert log.lines == ["ERROR lepton_stream.facts: refused exit_code=4 error=no broker"]
    assert not log_is_json()


@pytest.mark.parametrize("form", ["text", "json"])
def test_hostile_text_neither_forges_lines_nor_steers_a_terminal(form: LogFormat) -> None:
    log = Log(form)
    tell(REFUSED, exit_code=1, error=HOSTILE)
    logging.getLogger("elsewhere.client").error("lost %s", HOSTILE)
    logging.getLogger(f"faust.{HOSTILE}").error("lost")
    assert len(log.lines) == 3
    assert all(c == "\n" or c.isprintable() for c in log.out.getvalue())
    if form == "json":
        assert [line["event"] for line in log.facts] == ["refused", "log", "log"]
        assert log.facts[0]["error"] == HOSTILE


def test_a_traceback_is_one_line_of_json() -> None:
    log = Log("json")
    logging.getLogger("faust").error("it broke", exc_info=ValueError(HOSTILE))
    (line,) = log.facts
    assert "ValueError" in line["trace"]
    assert line["text"] == "it broke"


def test_an_uncaught_error_is_one_line_of_json_too() -> None:
    log = Log("json")
    error = RuntimeError("a defect")
    sys.excepthook(RuntimeError, error, None)
    (line,) = log.facts
    assert line["level"] == "critical"
    assert "a defect" in line["trace"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_never_shown(form: LogFormat, late: bool) -> None:
    log = Log(form, secrets=["" if late else "hunter2"])
    if late:
        keep_secret("hunter2")
    logging.getLogger("elsewhere").error("login as %s failed", "me:hunter2")
    tell(REFUSED, exit_code=4, error="hunter2")
    logging.getLogger("faust").error("hunter2", exc_info=ValueError("hunter2"))
    assert "hunter2" not in log.out.getvalue()
    assert "***" in log.out.getvalue()


def test_the_same_line_over_and_over_is_counted_instead_of_shown() -> None:
    log = Log("json")
    for number in range(10 * BURST):
        logging.getLogger("elsewhere").warning("connection %s lost", number)
    assert len(log.facts) == BURST
    log.clock.now += BURST_S
    logging.getLogger("elsewhere").warning("connection %s lost", "again")
    assert log.facts[-1]["hidden"] == 9 * BURST


def test_checkpoints_are_told_now_and_then_for_each_partition() -> None:
    log = Log("json")
    for second in range(25):
        log.clock.now = float(second)
        for partition in (0, 1):
            tell(CHECKPOINT, topic="t", partition=partition, checkpoint=second, results=0, seconds=0.1)
    assert [line["checkpoint"] for line in log.facts if line["partition"] == 1] == [0, 10, 20]
    assert len(log.facts) == 6


def test_many_different_lines_take_bounded_memory() -> None:
    log = Log("json")
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, Handler))
    (flood,) = handler.filters
    for number in range(5000):
        logging.getLogger(f"other.{number}").warning("one of many")
    assert len(flood._seen) <= 1000  # type: ignore[union-attr]
    assert len(log.facts) == 5000


def test_a_field_that_the_catalogue_does_not_know_is_a_defect() -> None:
    with pytest.raises(ValueError, match="said has no field colour"):
        tell(SAID, text="x", colour="red")
