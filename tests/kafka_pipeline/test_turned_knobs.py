"""Knobs that turn while records are under way, and a worker that is killed twice: nothing changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from lepton_stream.autopilot.setting import Route
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, SESSION, Done, Pipe

pytestmark = pytest.mark.kafka
RECORDS = 12_000
MORE = """
[[window]]
name = "lately"
kind = "hopping"
size = "2m"
every = "30s"
lateness = "30s"
group_by = ["status"]
where = "value > 0"
[window.results]
n = "count()"
median = "median(value)"
devices = "distinct(device)"

[[window]]
name = "single"
size = "1s"
lateness = "30s"
group_by = ["device"]
[window.results]
n = "count()"
last = "last(seq)"

[[model]]
name = "odd"
by = ["device"]
score = "ewma(value, 0.2)"
threshold = 4
warmup = 5
lateness = "30s"
forget = "1d"
"""
DEATHS = (15, 25)
"""Sends after which a worker dies, each amid one: the next owner sends that range again, by other routes."""


@pytest.fixture
def pipe(bootstrap: str, tmp_path: Path) -> Iterator[Pipe]:
    """Time does not pass by itself: however long a takeover takes, no window closes meanwhile."""
    text = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"') + MORE
    with Pipe(tmp_path, bootstrap, text) as made:
        made.apply()
        yield made


def turning(pipe: Pipe, seed: int, fail: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    """One worker with turning knobs. `fail`: where it dies, or nothing."""
    env = {"TURNS_BY": str(seed), "TURNS_TOLD": str(pipe.folder / "told"), "LEPTON__KAFKA__SESSION_SECONDS": SESSION}
    asked = ["-m", "tests.kafka_pipeline.turns_knobs", "run", str(pipe.path), "--broker", pipe.bootstrap, *more]
    dies = {"LEPTON__TEST__FAIL": fail} if fail else {}
    return subprocess.run(
        [sys.executable, *asked], env=os.environ | env | dies, capture_output=True, timeout=120, check=False
    )


def steps(pipe: Pipe, kind: str) -> list[dict[str, Any]]:
    """What was measured."""
    found = [orjson.loads(line) for line in (pipe.folder / "told").read_bytes().splitlines()]
    return [one for one in found if one["kind"] == kind]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [71])
def test_knobs_that_turn_with_every_claim_and_two_kills_change_no_result(pipe: Pipe, seed: int) -> None:
    file = write_planted(pipe.folder / "in.jsonl", RECORDS, seed)
    expected = Expected(pipe, file)
    pipe.feed(file)
    for number, sends in enumerate(DEATHS):
        died = turning(pipe, seed + number, f"mid_frames:{sends}", "--until-end")
        assert died.returncode == -signal.SIGKILL, died.stderr
    last = turning(pipe, seed + len(DEATHS), "", "--until-end", *pipe.destinations())
    assert last.returncode == 0, last.stderr
    done = Done(pipe.folder, last.stderr.decode(), 0)
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
    assert_measured(pipe)


def assert_measured(pipe: Pipe) -> None:
    """Every knob was turned, and what was seen of the steps fits together."""
    prepared, folded = steps(pipe, "PrepareSeen"), steps(pipe, "FoldSeen")
    windows = len(pipe.plan.windows)
    used = [{step["sections"][i]["route"] for step in prepared} for i in range(windows)]
    assert used == [set(get_args(Route))] * windows
    assert RECORDS * 0.9 < sum(step["records"] for step in prepared) < RECORDS * 1.2  # a killed step tells nothing
    for step in prepared:
        assert len(step["sections"]) == windows
        assert min(step[name] for name in step if name.endswith("_s")) >= 0
        assert all(s["hot_rows"] - s["hot_cells"] == s["rows"] - s["cells"] for s in step["sections"])
        assert all(s["rows"] <= step["records"] for s in step["sections"])
    shares = [step["sent_bytes"] / step["frame_bytes"] for step in prepared]
    assert min(shares) < 0.8 < 1.0 < max(shares)  # compressed, and not
    assert sum(one["rows"] for one in folded) > 0
    assert sum(one["cells"] for one in folded) > 0
    assert all(one["cpu_s"] > 0 and one["bytes"] > 0 for one in folded)
