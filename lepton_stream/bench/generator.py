"""The generator of a paced stream, a process of its own: `python -m lepton_stream.bench.generator JSON`.

It sends what is due, waits for the acknowledgement, and sends what is due by then. It ends with a line of JSON: how
many it sent, and how far it was behind its schedule.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from lepton_stream import clock
from lepton_stream.bench.framing import framed
from lepton_stream.bench.schedule import SECOND_US, Schedule
from lepton_stream.bench.spread import percentiles
from lepton_stream.bench.stream import Drawn, Mix, Stream
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.bulk import Framed
from lepton_stream.runtime.kafka.connect import Connection, from_environment
from lepton_stream.runtime.kafka.produce import Producer

STEP_S = 0.01
"""What is due within it goes together, as a producer's linger does it."""
MOST = 20_000
"""Events drawn at once."""


async def generate(stream: Stream, topic: str, connection: Connection) -> dict[str, Any]:
    """All events of the schedule; the delays, in seconds, from each batch's first event to its acknowledgement."""
    schedule, behind = stream.schedule, list[float]()
    partition, sent = stream.partition_of_device(), 0
    async with Producer(connection) as producer:
        while sent < schedule.total:
            due = min(schedule.due(clock.now_us()), sent + MOST)
            if due == sent:
                await asyncio.sleep(_wait_s(schedule, sent))
                continue
            drawn = stream.drawn(sent, due)
            await producer.send_framed(_batches(drawn, partition, topic))
            oldest = int(schedule.intended(np.array([sent]))[0])
            behind.append((clock.now_us() - oldest) / SECOND_US)
            sent = due
    return {"sent": sent, "behind": percentiles(np.array(behind))}


def _wait_s(schedule: Schedule, sent: int) -> float:
    next_us = int(schedule.intended(np.array([sent]))[0])
    return max((next_us - clock.now_us()) / SECOND_US, STEP_S)


def _batches(drawn: Drawn, partition: np.ndarray[Any, np.dtype[np.int64]], topic: str
             ) -> dict[SourcePartition, Sequence[Framed]]:  # fmt: skip
    to, text, keys, now_ms = partition[drawn.device], drawn.text(), drawn.key(), clock.now_us() // 1000
    return {
        SourcePartition(topic, p): list(framed(keys[to == p], text[to == p], now_ms)) for p in np.unique(to).tolist()
    }


def main() -> None:
    """Read what is asked for, generate, and tell."""
    gc.freeze()
    asked = orjson.loads(sys.argv[1])
    about = asked.pop("stream")
    about["then"] = tuple(Mix(**mix) for mix in about.get("then", ()))
    stream = Stream(Schedule(**asked.pop("schedule")), **about)
    told = asyncio.run(generate(stream, asked["topic"], from_environment(os.environ, bootstrap=asked["broker"])))
    sys.stdout.write(orjson.dumps(told).decode() + "\n")


if __name__ == "__main__":
    main()
