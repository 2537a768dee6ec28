"""The generator of a paced stream, a process of its own: `python -m lepton_stream.bench.generator JSON`.

Every ten milliseconds it sends what is due and waits for the acknowledgement. It ends with a line of JSON: how
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
"""What is due within it goes together, as a producer's linger does it: one that sends whenever it can fills a core."""
BEHIND = 19
"""Its niceness: producers have machines of their own, a broker does not wait for them. Its delays count."""
MOST = 20_000
"""Events drawn at once."""


async def generate(stream: Stream, topic: str, connection: Connection) -> dict[str, Any]:
    """All events of the schedule; the delays, in seconds, from each batch's first event to its acknowledgement."""
    schedule, behind = stream.schedule, list[float]()
    partition, sent = stream.partition_of_device(), 0
    async with Producer(connection) as producer:
        while sent < schedule.total:
            began_us = clock.now_us()
            due = min(schedule.due(began_us), sent + MOST)
            if due > sent:
                await producer.send_framed(_batches(stream.drawn(sent, due), partition, topic))
                oldest = int(schedule.intended(np.array([sent]))[0])
                behind.append((clock.now_us() - oldest) / SECOND_US)
                sent = due
            await asyncio.sleep(_wait_s(schedule, sent, began_us))
    return {"sent": sent, "behind": percentiles(np.array(behind))}


def _wait_s(schedule: Schedule, sent: int, began_us: int) -> float:
    """Seconds until the next event is due, and no sooner than a step after the last ones were sent."""
    next_us = int(schedule.intended(np.array([sent]))[0])
    return (max(next_us, began_us + int(STEP_S * SECOND_US)) - clock.now_us()) / SECOND_US


def _batches(drawn: Drawn, partition: np.ndarray[Any, np.dtype[np.int64]], topic: str
             ) -> dict[SourcePartition, Sequence[Framed]]:  # fmt: skip
    to, text, keys, now_ms = partition[drawn.device], drawn.text(), drawn.key(), clock.now_us() // 1000
    return {
        SourcePartition(topic, p): list(framed(keys[to == p], text[to == p], now_ms)) for p in np.unique(to).tolist()
    }


def main() -> None:
    """Read what is asked for, generate, and tell."""
    gc.freeze()
    os.nice(BEHIND)
    asked = orjson.loads(sys.argv[1])
    about = asked.pop("stream")
    about["then"] = tuple(Mix(**mix) for mix in about.get("then", ()))
    stream = Stream(Schedule(**asked.pop("schedule")), **about)
    told = asyncio.run(generate(stream, asked["topic"], from_environment(os.environ, bootstrap=asked["broker"])))
    sys.stdout.write(orjson.dumps(told).decode() + "\n")


if __name__ == "__main__":
    main()
