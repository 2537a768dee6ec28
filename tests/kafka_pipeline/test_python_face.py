"""Python programs on Kafka: the page's blocks and the example as they stand, and results while they are published."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from lepton_stream import Connection, UsageError, load, results
from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.names import names
from lepton_stream.runtime.kafka.produce import Producer, Record
from tests.acceptance.commands import run as command
from tests.api.page import BROKER, EXAMPLES, ROOT, blocks, module, run, write_events
from tests.kafka_pipeline.pipe import Pipe, until

pytestmark = pytest.mark.kafka
_made = iter(range(1_000_000))


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("lepton-stream")]


class Page:
    """The page's module under names of its own, and its records in the topic."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        self.folder, self.bootstrap = folder, bootstrap
        self.name = f"page{os.getpid()}-{next(_made)}"
        (folder / "sensor_means.py").write_text(self._own(module()))
        write_events(folder / "events.jsonl")
        for asked in (["topics", "apply", "{}"], ["feed", "{}", "--input", "events.jsonl"]):
            named = [word.format("sensor_means:means") for word in asked]
            done = command(*named, "--broker", bootstrap, cwd=folder)
            assert done.returncode == 0, done.stderr

    def _own(self, text: str) -> str:
        return text.replace('"sensor-means"', f'"{self.name}"').replace('"events"', f'"{self.name}.events"')

    def block(self, with_text: str) -> str:
        """What the blocks that hold the text print."""
        (found,) = (block for block in blocks() if BROKER in block and with_text in block)
        (self.folder / "block.py").write_text(found.replace(BROKER, self.bootstrap))
        return run(self.folder, "block.py")


@pytest.fixture(scope="module")
def page(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Page:
    made = Page(tmp_path_factory.mktemp("page"), bootstrap)
    assert made.block("until_end").split() == ["500", "18"]
    return made


def test_the_loops_of_the_page_read_every_result(page: Page) -> None:
    printed = page.block("# leaves nothing running").splitlines()
    assert len(printed) == 18
    assert printed[0].startswith("s0 1699999980000 19.0 ")


def test_results_become_objects_and_the_asynchronous_loop_ends(page: Page) -> None:
    page.block("@dataclass")
    assert page.block("first_three").startswith("[19.0, ")


def test_the_example_of_a_notebook_reads_what_it_was_asked_for(page: Page) -> None:
    program = EXAMPLES / "live_results.py"
    (page.folder / "live_results.py").write_text(program.read_text())
    assert len(run(page.folder, "live_results.py", page.bootstrap, "7").splitlines()) == 7


def test_every_command_takes_module_and_object(page: Page) -> None:
    def of(*asked: str) -> bytes:
        done = command(*asked, "--broker", page.bootstrap, cwd=page.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    of("topics", "check", "sensor_means:means")
    of("run", "sensor_means:means", "--until-end", "--workers", "2", "--output", "again.jsonl")
    assert len((page.folder / "again.jsonl").read_bytes().splitlines()) == 18
    assert len(of("tail", "sensor_means:means", "--from-start", "--until-quiet", "0").splitlines()) == 18
    of("dlq", "list", "sensor_means:means")


def result(version: int, n: int, device: str = "a") -> bytes:
    row = {"device": device, "window": "minute", "window_start": 0, "window_end": 60_000, "n": n}
    return orjson.dumps({**row, "final": True, "version": version})


class Published:
    """A results topic, and results written into it."""

    def __init__(self, pipe: Pipe) -> None:
        self.plan, self.bootstrap = pipe.plan, pipe.bootstrap

    async def write(self, *values: bytes) -> None:
        tp = SourcePartition(names(self.plan).results, 0)
        async with Producer(Connection(self.bootstrap)) as producer:
            await producer.send_all(
                [Record(tp, value, orjson.dumps(orjson.loads(value)["device"])) for value in values]
            )


@pytest.fixture
def published(pipe: Pipe) -> Iterator[Published]:
    made = Published(pipe)
    asyncio.run(made.write(result(1, 1), result(2, 5), result(1, 1, "b"), result(1, 1)))
    yield made
    assert threads() == []


def counts(rows: Any) -> list[tuple[str, int]]:
    return [(row["device"], row["n"]) for row in rows]


def test_each_result_comes_once_in_its_newest_version(published: Published) -> None:
    found = results(published.plan, published.bootstrap)
    assert counts(found) == [("a", 5), ("b", 1)]
    assert counts(found) == [("a", 5), ("b", 1)]  # each loop reads anew


def test_what_is_published_later_is_followed_until_the_loop_is_left(published: Published) -> None:
    got: list[tuple[str, int]] = []
    for row in results(published.plan, published.bootstrap, follow=True):
        got += counts([row])
        if len(got) == 2:
            asyncio.run(published.write(result(1, 9), result(3, 7)))  # an old version is no news
        if len(got) == 3:
            break
    assert got == [("a", 5), ("b", 1), ("a", 7)]


def test_from_now_on_means_from_where_the_block_is_entered(published: Published) -> None:
    with results(published.plan, published.bootstrap, follow=True, begin="now") as live:
        asyncio.run(published.write(result(4, 8)))
        loop = iter(live)
        assert counts([next(loop)]) == [("a", 8)]
        assert len(threads()) == 1
    assert threads() == []


async def _in_a_running_loop(published: Published) -> None:
    found = results(published.plan, published.bootstrap)
    assert counts(found) == counts([row async for row in found]) == [("a", 5), ("b", 1)]
    before = asyncio.all_tasks()
    async with results(published.plan, published.bootstrap, follow=True, begin="now") as live:
        await published.write(result(4, 8))
        async for row in live:
            assert row["n"] == 8
            break
    while asyncio.all_tasks() != before:  # the left loop's own end is a task of the next turns
        await asyncio.sleep(0.01)


def test_both_loops_work_in_a_running_event_loop_and_leave_no_task(published: Published) -> None:
    asyncio.run(asyncio.wait_for(_in_a_running_loop(published), 60))


def test_a_result_that_is_no_such_object_is_told(published: Published) -> None:
    class Other(dict[str, str]):
        pass

    with pytest.raises(UsageError, match="into=Other: a result of window 'minute' does not fit"):
        list(results(published.plan, published.bootstrap, into=Other))


def test_a_pipeline_without_its_topics_is_told(bootstrap: str) -> None:
    with pytest.raises(UsageError, match=r"lepton\.air-quality\.results"):
        list(results(load("iot/air_quality"), bootstrap))


def test_ctrl_c_ends_a_run_and_its_workers_with_everything_kept(pipe: Pipe) -> None:
    program = "from lepton_stream import api, load\nfrom lepton_stream.api.on_broker import *\n"
    program += f"run_on_broker(load({str(pipe.path)!r}), OnBroker({pipe.bootstrap!r}, workers=2))\n"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE) as python:
        try:
            until(lambda: pipe.members() == 2, 60, "the workers are there")
            python.send_signal(signal.SIGINT)
            _, told = python.communicate(timeout=60)
        finally:
            python.kill()
    assert python.returncode in (130, -signal.SIGINT), told
    assert told.decode().splitlines()[-1] == "KeyboardInterrupt"
    until(pipe.nobody_in_group, 10, "the workers have left the group")
