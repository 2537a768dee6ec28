"""`lepton-stream` whose routes, flush interval, codec and cuts change at random with every claim.

$TURNS_BY: the seed. $TURNS_TOLD: a file that gets one JSON line for each step that was measured.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import get_args

import orjson

from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen
from lepton_stream.autopilot.setting import Codec, Route, Setting
from lepton_stream.cli.main import main
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.pace import Pace
from lepton_stream.runtime.kafka.ports import KafkaSourcePort

CUTS = (5_000, 60_000)
"""Bytes of a claim, from and to."""
FLUSHES_S = (0.0, 0.02, 0.1, 0.6)
draw = Random(os.environ["TURNS_BY"])
admitted = KafkaSourcePort.admitted


def random_setting(sections: int) -> Setting:
    """Any."""
    routes = tuple(draw.choice(get_args(Route)) for _ in range(sections))
    return Setting(routes, draw.choice(FLUSHES_S), draw.choice(get_args(Codec)))


def turn(outside: Outside) -> None:
    """All knobs, and listen."""
    outside.setting = random_setting(len(outside.job.sections))
    outside.note_prepared = outside.note_folded = told


def told(seen: PrepareSeen | FoldSeen) -> None:
    """Whole lines: a kill leaves no half."""
    line = orjson.dumps({"kind": type(seen).__name__, **asdict(seen)}) + b"\n"
    with Path(os.environ["TURNS_TOLD"]).open("ab", buffering=0) as file:
        file.write(line)


async def admitted_and_turned(self: KafkaSourcePort, high: int) -> None:
    """Just before the claim."""
    await admitted(self, high)
    turn(self._outside)


if __name__ == "__main__":
    KafkaSourcePort.admitted = admitted_and_turned  # type: ignore[method-assign]
    Pace.bytes = property(lambda _: draw.randrange(*CUTS))  # type: ignore[assignment,method-assign]
    main(sys.argv[1:])
