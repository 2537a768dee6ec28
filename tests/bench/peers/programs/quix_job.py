"""Quix Streams: a stateful filter (RocksDB, per message key) and a tumbling window with final results."""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application, State
from quixstreams.dataframe.windows import Count, Max, Mean, Min

from tests.bench.peers.programs.mark import first

app = Application(
    broker_address=os.environ["BROKER"],
    consumer_group=os.environ["GROUP"],
    auto_offset_reset="earliest",
    state_dir="state",
)


def event_time(value: Any, headers: Any, timestamp: float, timestamp_type: Any) -> int:
    first()
    return int(value["ts"] * 1000)


def unseen(value: dict[str, Any], state: State) -> bool:
    if state.exists(value["event_id"]):
        return False
    state.set(value["event_id"], True)
    return True


def result(value: dict[str, Any], key: str, timestamp: int, headers: Any) -> dict[str, Any]:
    figures = {name: value[name] for name in ("count", "mean", "min", "max")}
    return {"device": key, "window": value["start"] / 1000, **figures}


source = app.topic(
    os.environ["IN_TOPIC"], key_deserializer="str", value_deserializer="json", timestamp_extractor=event_time
)
out = app.topic(os.environ["OUT_TOPIC"], key_serializer="str", value_serializer="json")
sdf = app.dataframe(source)
sdf = sdf.filter(lambda v: isinstance(v.get("value"), (int, float)))
sdf = sdf.filter(unseen, stateful=True)
sdf = sdf.tumbling_window(60_000, grace_ms=5_000)
sdf = sdf.agg(count=Count(), mean=Mean("value"), min=Min("value"), max=Max("value")).final()
sdf = sdf.apply(result, metadata=True).to_topic(out)

if __name__ == "__main__":
    app.run()
