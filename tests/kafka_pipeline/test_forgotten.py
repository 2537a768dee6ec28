"""What retention has taken from the dedup memory is told once, at the start."""

from __future__ import annotations

import pytest

from lepton_stream.runtime.kafka.logs import Logs
from tests.kafka_pipeline.expected import write_planted
from tests.kafka_pipeline.pipe import Pipe

pytestmark = pytest.mark.kafka


def test_a_gap_in_the_dedup_memory_is_told_once_and_the_run_goes_on(pipe: Pipe) -> None:
    pipe.feed(write_planted(pipe.folder / "in.jsonl", 400, seed=46))
    assert "retention has deleted" not in pipe.to_the_end().said
    ends = {tp: pipe.look().ends[tp] - 5 for tp in pipe.partitions(pipe.source)}
    pipe.ask(lambda wire: Logs(wire).trim(ends))
    said = pipe.to_the_end().said
    told = f"{pipe.source}: retention has deleted {sum(ends.values())} records that the dedup memory should cover"
    assert said.count(told) == 1, said
    assert said.count("retention has deleted") == 1, said
