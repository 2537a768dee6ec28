"""Workers that are asked to leave, and workers that are frozen until nobody reckons with them any more."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, alive, until

pytestmark = pytest.mark.kafka
log = logging.getLogger(__name__)
RATE = 6000
REJOINED = 5.0


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """As everywhere, but time does not pass by itself."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


def test_sigterm_ends_all_within_seconds_and_nothing_is_repeated(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 25_000, seed=51)
    expected = Expected(pipe, file)
    crew, feeding = pipe.run(session="30"), pipe.feeding(file, rate=RATE)
    until(lambda: pipe.least_counted() > 500, 30, "records of every partition under way")
    workers = crew.workers
    assert len(workers) == 2
    began = time.monotonic()
    crew.process.send_signal(signal.SIGTERM)
    assert crew.wait(10) == 143, crew.said
    took = time.monotonic() - began
    assert not any(map(alive, workers))
    until(pipe.nobody_in_group, 10 - took, "the group is left, so that nobody waits for a session")
    log.info("SIGTERM: gone after %.1f s", took)
    left = pipe.look()
    for tp in pipe.partitions(pipe.source):
        claim = left.claim(tp)
        assert claim is not None, tp
        assert (claim.claim or 0) <= left.position(tp), "a claim was left open"
    frames = {tp: left.ends[tp] for tp in pipe.partitions(pipe.names.shuffle)}
    assert feeding.wait() == 0
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert all(pipe.look().ends[tp] > end for tp, end in frames.items())
    letters = pipe.stored(pipe.names.dead_letters)
    assert len(letters) == len(letters_of(pipe)), "a dead letter was repeated"
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)


@pytest.mark.slow  # make test has row F4 of tests/faults
def test_a_worker_frozen_beyond_its_session_changes_nothing_when_it_wakes(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 60_000, seed=52)
    expected = Expected(pipe, file)
    crew, feeding = pipe.run(), pipe.feeding(file, rate=RATE)
    until(lambda: pipe.counted() > 4000 and pipe.members() == 2, 30, "two workers at work")
    frozen = crew.workers[0]
    os.kill(frozen, signal.SIGSTOP)
    try:
        before = pipe.look()
        until(lambda: pipe.members() == 1, 30, "the other one has taken over")
        sources = pipe.partitions(pipe.source)
        until(lambda: all(pipe.look().position(tp) > before.ends[tp] for tp in sources), 30, "progress without it")
    finally:
        os.kill(frozen, signal.SIGCONT)
    began = time.monotonic()
    until(lambda: not alive(frozen) or pipe.members() == 2, REJOINED, "it has ended or rejoined")
    log.info("SIGCONT: %s after %.1f s", "rejoined" if alive(frozen) else "ended", time.monotonic() - began)
    assert feeding.wait() == 0
    crew.process.send_signal(signal.SIGTERM)
    assert crew.wait(20) == 143, crew.said
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
