"""Events of models and alarms on Kafka, and what they are held against: steps that their tests have in common."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

from lepton_stream.cli.main import outcome
from tests.acceptance.commands import lines, run
from tests.kafka_pipeline.pipe import PARTITIONS, Done, Pipe, until


def of_files(pipe: Pipe, file: Path) -> list[str]:
    """The events of a run over the file, split as the topic is."""
    out, events = pipe.folder / "expected.jsonl", pipe.folder / "expected.events.jsonl"
    split = ["--partitions", str(PARTITIONS), "--output", str(out), "--events", str(events), "--quiet"]
    assert outcome(["run", str(pipe.path), "--input", str(file), *split]) == 0
    return sorted(map(json.dumps, lines(events)))


def tailed(pipe: Pipe) -> CompletedProcess[bytes]:
    """`tail --events` of all that the topic holds."""
    return run(
        "tail", pipe.path, "--broker", pipe.bootstrap, "--events", "--from-start", "--until-quiet", "0.5", "--json"
    )


def _counted(pipe: Pipe, least: int) -> bool:
    return pipe.counted() >= least


def done_though_workers_were_killed(pipe: Pipe, file: Path) -> Done:
    """The file is fed while one of two workers is killed, twice; then a run counts to the end."""
    one = pipe.run(workers=2)
    feeding = pipe.feeding(file, rate=7000)
    for share in (15_000, 35_000):
        until(partial(_counted, pipe, share), 60, f"{share} records")
        os.kill(until(lambda: one.workers, 30, "a worker")[0], signal.SIGKILL)
    assert feeding.wait() == 0
    one.process.send_signal(signal.SIGTERM)
    one.wait()
    return pipe.to_the_end()
