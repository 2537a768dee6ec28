"""The decisions topic read back."""

from __future__ import annotations

from lepton_stream.autopilot.record import History
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.tail import bounds_of


async def history(connection: Connection, plan: Plan) -> History:
    """All decisions that the topic holds now. Raises UsageError if it does not exist, BrokerError."""
    found = History()
    bounds = await bounds_of(connection, names(plan).decisions)
    for tp, start in sorted(bounds.starts.items()):
        async for chunk in read_range(connection, tp, start, bounds.ends[tp]):
            for value in chunk.values.to_list():
                found.take(value)
    return found
