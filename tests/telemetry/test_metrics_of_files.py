"""A run over files serves metrics when asked: the totals are those of its statistics, the results the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lepton_stream.cli.main import outcome
from lepton_stream.formats.decoder import Reason
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.local_telling import LocalTelling
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.render import durable
from lepton_stream.telemetry.snapshot import Snapshot
from lepton_stream.telemetry.tally import Tally
from tests.data import planted
from tests.data.planted import generate

PLAN = Path(planted.__file__).with_suffix(".toml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(record.value + b"\n" for record in generate(4000, 7)))
    return path


def test_the_last_word_is_the_whole_account(file: Path) -> None:
    told: list[Snapshot] = []
    run = LocalRun(load(PLAN), file, Options(telling=LocalTelling(told.append)))
    results = [row for batch in run for row in batch.rows()]
    tally = Tally(lambda: 0.0)
    tally.hear(0, told[-1])
    whole = tally.whole()
    samples = durable(whole.kept)
    stats = run.stats()
    assert sum(samples[c.READ.name].values()) == stats["read"] == 4000
    assert sum(samples[c.OUTCOMES.name].values()) == 4000
    assert sum(samples[c.RESULTS.name].values()) == len(results) == stats["results"]
    dead = {reason: n for (reason,), n in samples[c.DEAD_LETTERS.name].items()}
    assert dead == dict.fromkeys(Reason, 0) | stats["dead_lettered"]
    assert sum(whole.histograms[c.CHUNK_SECONDS.name]["prepare",][0]) >= 1


def test_results_are_the_same_with_and_without_telling(file: Path) -> None:
    def rows(options: Options) -> list[dict[str, object]]:
        return [row for batch in LocalRun(load(PLAN), file, options) for row in batch.rows()]

    assert rows(Options(telling=LocalTelling(lambda _: None))) == rows(Options())


def test_a_json_log_tells_the_account_in_one_line(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", str(PLAN), "--input", str(file), "--output", str(tmp_path / "out.jsonl"), "--metrics", "0"]
    try:
        assert outcome([*asked, "--log-format", "json"]) == 0
        facts = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert [fact["event"] for fact in facts] == ["metrics_served", "ended"]
        assert facts[-1]["account"]["read"] == 4000
        assert outcome(["run", str(PLAN), "--input", str(tmp_path / "none.jsonl"), "--log-format", "json"]) == 2
        (refused,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert (refused["event"], refused["exit_code"]) == ("refused", 2)
        assert "none.jsonl" in refused["error"]
    finally:
        outcome(["run", str(PLAN), "--input", str(tmp_path / "none.jsonl")])  # the process's log is text again
        capfd.readouterr()
