"""The programs in examples/ run as they stand; the one that needs a broker in tests/kafka_pipeline."""

from __future__ import annotations

from pathlib import Path

from tests.api.page import EXAMPLES, module, run, write_events


def test_the_peers_task_runs_over_a_file(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    printed = run(tmp_path, EXAMPLES / "sensor_means.py", "events.jsonl").splitlines()
    assert len(printed) == 18
    assert printed[0] == "s0 1699999980000 19.0"


def test_the_example_is_the_pipeline_of_the_page() -> None:
    pipeline = module().split("\n\n", 1)[1].strip()
    assert pipeline in (EXAMPLES / "sensor_means.py").read_text()


def test_the_gram_program_agrees_with_numpy(tmp_path: Path) -> None:
    printed = run(tmp_path, EXAMPLES / "gram.py").splitlines()
    assert [line.rsplit(" ", 1)[1] for line in printed] == ["True"] * 3
