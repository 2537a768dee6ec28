"""Windows of sources that go quiet, results as they change, and records that come too late."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lepton_stream import clock
from tests.acceptance.commands import but_version
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, until

pytestmark = pytest.mark.kafka
log = logging.getLogger(__name__)
IDLE_TIMEOUT, BOUND = 1.0, 2.0
NOW = 0
"""A full minute two hours ago, epoch seconds: what a test's records are told from. Set when each test begins."""


@pytest.fixture(autouse=True)
def _two_hours_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "NOW", 60 * (clock.now_us() // 60_000_000) - 7200)


Change = Callable[[str], str]


def replacing(old: str, new: str) -> Change:
    """A change of the plan's text."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.fixture
def pipes(bootstrap: str, tmp_path: Path) -> Iterator[Callable[[Change], Pipe]]:
    """Makes a pipeline of a changed plan, with its topics."""
    made: list[Pipe] = []

    def make(change: Change) -> Pipe:
        made.append(Pipe(tmp_path, bootstrap, change(PLANTED.read_text())))
        made[-1].apply()
        return made[-1]

    yield make
    for one in made:
        one.__exit__()


def events(path: Path, first: int, times: Sequence[float], devices: int = 1) -> Path:
    """Records of these devices at these seconds after NOW."""
    rows = [
        {"event_id": f"e{first + n}-{d}", "device": f"dev-{d}", "ts": NOW + s, "value": n + d, "status": "ok", "seq": n}
        for n, s in enumerate(times)
        for d in range(devices)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def finals(pipe: Pipe) -> dict[tuple[str, int], Any]:
    """The count of each closed window, newest last, by device and start in seconds after NOW."""
    rows = [json.loads(s.value) for s in pipe.stored(pipe.names.results) if s.value is not None]
    return {(r["device"], r["window_start"] // 1000 - NOW): r["n"] for r in rows if r["final"]}


def test_windows_of_a_source_that_goes_quiet_are_published_and_later_records_count(pipes: Any) -> None:
    pipe: Pipe = pipes(replacing("[source]", f'[source]\nidle_timeout = "{IDLE_TIMEOUT:.0f}s"'))
    one_device = [events(pipe.folder / f"{n}.jsonl", 10 * n, [60 * n + 1, 60 * n + 2]) for n in range(2)]
    crew = pipe.run(workers=1)
    pipe.feed(one_device[0])  # one key: three partitions never have a record
    until(lambda: pipe.counted() == 2, 20, "the records are counted")
    began = time.monotonic()
    until(lambda: finals(pipe) == {("dev-0", 0): 2}, 20, "the quiet source's window is published")
    took = time.monotonic() - began
    log.info("quiet: published %.1f s after it was counted", took)
    assert took < IDLE_TIMEOUT + BOUND
    later = events(pipe.folder / "later.jsonl", 100, [7300, 7301, 7302])
    pipe.feed(later)
    until(lambda: pipe.counted() == 5, 20, "records after the quiet count")
    assert finals(pipe) == {("dev-0", 0): 2}
    crew.process.terminate()
    assert crew.wait(20) == 143, crew.said
    done = pipe.to_the_end(workers=1)
    assert (done.stats["accepted"], done.stats["late"], done.stats["late_by_window"]) == (5, 0, {})
    assert sum(finals(pipe).values()) == 5
    assert_orderly(pipe, done)


def test_updates_have_rising_versions_and_the_last_is_the_final_result(pipes: Any) -> None:
    pipe: Pipe = pipes(replacing("[[window]]", '[[window]]\nemit = "updates"'))
    file = write_planted(pipe.folder / "in.jsonl", 12_000, seed=61)
    crew = pipe.run()
    until(lambda: pipe.members() == 2, 20, "the workers are there")
    pipe.feed(file, rate=4000)
    until(lambda: pipe.counted() == 12_000, 30, "all records are counted")
    crew.process.terminate()
    assert crew.wait(20) == 143, crew.said
    done = pipe.to_the_end()
    versions: dict[bytes, list[tuple[int, bool]]] = {}
    for stored in pipe.stored(pipe.names.results):
        if stored.key is not None and stored.value is not None:
            row = json.loads(stored.value)
            versions.setdefault(stored.key, []).append((row["version"], row["final"]))
    assert all(seen == sorted(seen) and seen[-1][1] for seen in versions.values())
    assert max(len(set(seen)) for seen in versions.values()) > 2, "no window was told of more than twice"
    assert_orderly(pipe, done)
    expected = Expected(pipe, file)
    final = [row for row in expected.rows if json.loads(row)["final"]]
    assert but_version(done.rows) == final


def test_late_records_and_dead_letters_are_in_their_topics_as_they_were(pipes: Any) -> None:
    pipe: Pipe = pipes(lambda text: text)
    file = write_planted(pipe.folder / "in.jsonl", 6000, seed=62)
    pipe.feed(file)
    done = pipe.to_the_end()
    source = {(s.partition, s.key, s.value) for s in pipe.stored(pipe.source)}
    late = pipe.stored(pipe.names.late)
    assert len(late) == done.stats["late"] > 10
    assert {(s.partition, s.key, s.value) for s in late} <= source
    expected = Expected(pipe, file)
    assert letters_of(pipe) == expected.letters
    for letter in pipe.stored(pipe.names.dead_letters):
        headers = dict(letter.headers)
        assert headers["lepton.dlq.topic"] == pipe.source.encode()
        assert headers["lepton.dlq.pipeline"] == pipe.name.encode()
        assert {"lepton.dlq.reason", "lepton.dlq.detail", "lepton.dlq.offset"} <= headers.keys()
        assert (letter.partition, letter.key, letter.value) in source
