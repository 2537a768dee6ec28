"""How prepare and merge own partitions, so that each accepted record counts once (docs/decisions/0004).

The two owners are written against ports (`ports.py`) and know no broker: the Kafka runtime drives them, and so does the
model of log and group in tests/protocol, with crashes, zombies and rebalances at every await.
"""
