"""A worker whose autopilot acts: results are those of the run over files, and what it decided can be read."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import run
from tests.kafka_pipeline.expected import Expected, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, until

pytestmark = pytest.mark.kafka
RECORDS = 24_000
RATE = 2_000
ACT = ("--autopilot", "act")


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """Time does not pass by itself, so that no window closes between the two runs."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


def decisions(pipe: Pipe) -> list[dict[str, Any]]:
    """All that the topic holds."""
    told = run("explain", pipe.path, "--broker", pipe.bootstrap, "--all", "--json")
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines() if line.strip()]


@pytest.mark.timeout(200)
def test_a_worker_that_turns_its_knobs_gives_the_same_results_and_says_what_it_did(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", RECORDS, seed=81)
    expected = Expected(pipe, file)
    feeding = pipe.feeding(file, rate=RATE)
    running = pipe.run("--route", "rows", *ACT, workers=1)
    until(lambda: decisions(pipe), 60, f"a decision: {running.said}", every=0.5)
    assert feeding.wait(60) == 0, feeding.said
    running.process.send_signal(signal.SIGTERM)
    assert running.wait(20) == 143, running.said
    expected.holds_for(pipe.done(pipe.run("--until-end", *ACT, *pipe.destinations(), workers=1)))
    assert letters_of(pipe) == expected.letters
    told = decisions(pipe)
    assert {one["knob"] for one in told} <= {"route", "flush interval", "codec"}
    assert all(one["why"] and one["options"] and one["seen"] for one in told)
