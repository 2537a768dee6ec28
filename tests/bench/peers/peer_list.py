"""The programs that are measured side by side: how each is installed, started and watched, and its bar for us."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PROGRAMS = Path(__file__).with_name("programs")
MODULES = "tests.bench.peers.programs"
JAVA = ("-Xmx4g",)
OPENED = ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")


@dataclass(frozen=True)
class Peer:
    """One program.

    `home`: its folder in the cache, and the name of its requirements or of its Maven project.
    `words`: what follows the interpreter on its command line.
    `bar`: how many times its events/s, and its events for a CPU-second, Lepton must reach.
    `names`: the packages whose versions are told.
    `slow`: it gets `--slow-records` at most.
    `nudged`: it gives its last windows only when a later record arrives, so the watcher sends some.
    `by_bytes`: it has no place for a hook; its start is when it has received 100 kB from the broker.
    `settle_s`: it corrects what it has written; complete is what stayed so for that long.
    `patience_s`: so long without a new result, after the first, is the end.
    `keeps`: what survives a restart as it runs here.
    """

    name: str
    shown: str
    kind: Literal["python", "java", "own"]
    home: str
    words: tuple[str, ...]
    bar: float
    names: tuple[str, ...]
    keeps: str
    env: dict[str, str] = field(default_factory=dict)
    slow: bool = False
    nudged: bool = False
    by_bytes: bool = False
    settle_s: float = 0.0
    patience_s: float = 20.0


LEPTON = Peer("lepton", "Lepton Stream", "own", "", (), 0.0, (), "all state, in Kafka")

OTHERS = (
    Peer(
        "faust", "Faust, plain", "python", "faust", ("-m", f"{MODULES}.faust_job", "worker", "-l", "warn"), 1.0,
        ("faust-streaming", "aiokafka"), "windows, in Kafka; not the ids seen", slow=True,
    ),
    Peer(
        "quix", "Quix Streams", "python", "quix", ("-m", f"{MODULES}.quix_job"), 60.0,
        ("quixstreams", "confluent-kafka"), "all state, in Kafka",
    ),
    Peer(
        "bytewax", "Bytewax", "python", "bytewax", ("-m", "bytewax.run", f"{MODULES}.bytewax_job"), 25.0,
        ("bytewax", "confluent-kafka"), "nothing",
    ),
    Peer(
        "pathway", "Pathway", "python", "pathway", ("-m", f"{MODULES}.pathway_job"), 25.0,
        ("pathway",), "nothing", by_bytes=True, settle_s=2.0,
    ),
    Peer(
        "flink", "Flink, DataStream in Java", "java", "flink", (*JAVA, *OPENED), 8.0,
        ("flink-streaming-java", "flink-connector-kafka"), "all state, on local disk",
    ),
    Peer(
        "polars", "Polars, batch script", "python", "polars", ("-m", f"{MODULES}.polars_batch"), 2.5,
        ("polars", "confluent-kafka"), "nothing",
    ),
    Peer(
        "polars-big-fetch", "Polars, long fetch queue", "python", "polars", ("-m", f"{MODULES}.polars_batch"), 2.5,
        ("polars", "confluent-kafka"), "nothing", {"BIG_FETCH": "1"},
    ),
    # Last: the nudges stay in the source topic.
    Peer(
        "kstreams", "Kafka Streams, RocksDB", "java", "kstreams", JAVA, 20.0,
        ("kafka-streams",), "all state, in Kafka", nudged=True, patience_s=40.0,
    ),
)  # fmt: skip

ALL = (LEPTON, *OTHERS)


def chosen(only: str | None) -> tuple[Peer, ...]:
    """The peers of a list of names with commas, in our order; all without one. Raises ValueError for unknown names."""
    if only is None:
        return ALL
    asked = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := asked - {peer.name for peer in ALL}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(peer.name for peer in ALL)}")
    return tuple(peer for peer in ALL if peer.name in asked)


def sizes_for(peer: Peer, records: list[int], slow_records: int) -> list[int]:
    """How many records a peer gets, smallest first: a slow one gets no more than the slow ones' share."""
    return sorted({min(n, slow_records) if peer.slow else n for n in records})
