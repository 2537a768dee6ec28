"""JSON events, without duplicates, to the mean of each sensor and minute: of a file, or of what a topic holds now.

python examples/sensor_means.py events.jsonl
python examples/sensor_means.py localhost:9092
"""

import sys

from lepton_stream import Pipeline
from lepton_stream import kernels as k

means = (
    Pipeline("sensor-means")
    .source("events", time="ts", time_unit="ms", key="sensor", id="id")
    .field("value", float)
    .window("minute", size="1m", lateness="10s", mean=k.mean("value"))
)

if __name__ == "__main__":
    where = sys.argv[1]
    run = means.run(broker=where, create_topics=True, until_end=True) if ":" in where else means.run(input=where)
    for row in run.results:
        print(row["sensor"], row["window_start"], row["mean"])
