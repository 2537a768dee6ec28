"""One program over the whole source topic, watched from outside: its first record, its last result, what it used.

Start is the first parsed record, told by a line in each program (`programs/mark.py`); end is the broker's append time
of the last window's result. Ours has no such line: its worker's totals tell how long before the last acknowledged
result the first chunk came, which is a moment before the first record is parsed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from lepton_stream.bench.fresh import use_once
from tests.bench.installed_command import COMMAND, command
from tests.bench.peers import installing
from tests.bench.peers.cluster import Cluster, truth
from tests.bench.peers.outcome import Outcome, row_of
from tests.bench.peers.peer_list import Peer
from tests.bench.peers.session import Session, core_busy_s, held, now_s
from tests.bench.peers.timeline import Sample, figures, went_quiet

SAMPLE_S = 0.1
START_LIMIT_S = 120.0
"""So long a program may take to its first result; Polars has none before its end."""
NUDGE_AFTER_S = 4.0
RECEIVED = 100_000
ROOT = Path.cwd()
LOOP = """
import time
began, table = time.perf_counter(), {}
for i in range(1_500_000):
    table[i * 7919 % 100_003] = i
print(time.perf_counter() - began)
"""


@dataclass
class Watched:
    """What the watcher has seen of a run so far."""

    outcome: Outcome
    samples: list[Sample]
    received_at: float | None = None
    last_result: float = 0.0
    last_record: float = 0.0
    last_news: float = 0.0
    nudges: int = 0
    nudged_at: float = 0.0


async def measured(peer: Peer, cluster: Cluster, records: int, number: int) -> dict[str, Any]:
    """Run it once; its figures. Raises NotHereError with what it said where it ended without a result."""
    source = await cluster.source(records)
    before = await cluster.topics()
    name = f"{peer.name}-{records}-{number}"
    folder = cluster.folder / name
    folder.mkdir()
    words, results = await _prepared(peer, cluster, records, name, folder)
    hook = folder / "first"
    env = {
        **os.environ, **peer.env, "BROKER": cluster.bootstrap, "IN_TOPIC": source, "OUT_TOPIC": results, "GROUP": name,
        "WORK": str(folder), "FIRST_FILE": str(hook), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    use_once()  # to each program the same: memory that its first use does not have to wait for
    loop_s, busy = _loop_s(cluster.core), core_busy_s(cluster.core)
    session = Session(words, env, folder, cluster.core)
    try:
        async with cluster.reader(results) as reader:
            watched = Watched(Outcome(truth(records)), [session.sample()], last_news=now_s())
            why = await _watch(peer, cluster, session, reader, watched, records)
        if session.ended() is None:
            watched.samples.append(session.sample())
        others = core_busy_s(cluster.core) - busy - max(sample.cpu for sample in watched.samples)
        others_share = max(others, 0.0) / (now_s() - session.began)
    finally:
        session.end()
    await cluster.delete(await cluster.topics() - before)
    if not watched.outcome.rows:
        raise installing.NotHereError(f"no result ({why}): {installing.telling_line(session.log.read_text())}")
    first, end = _moments(peer, session, watched, folder)
    return {
        "peer": peer.name, "records": records, "run": number, "ended": why, "exact": watched.outcome.exact,
        "windows_right": watched.outcome.right, "windows": len(watched.outcome.truth),
        **figures(watched.samples, records, session.began, first, end),
        "nudges": watched.nudges, "loop_s": round(loop_s, 3), "others_share": round(others_share, 3),
    }  # fmt: skip


async def _prepared(peer: Peer, cluster: Cluster, records: int, name: str, folder: Path) -> tuple[list[str], str]:
    """Its command line and the topic of its results, which is created."""
    if peer.kind != "own":
        await cluster.create(f"{name}-results")
        return installing.interpreter(peer), f"{name}-results"
    plan = cluster.plan(records, name)
    results = f"lepton.{name}.results"
    await cluster.create(results, **{"cleanup.policy": "compact"})
    command("topics", "apply", plan, "--broker", cluster.bootstrap)
    words = (COMMAND, "run", plan, "--broker", cluster.bootstrap, "--stats", folder / "totals.json", "--metrics", "0")
    return [str(word) for word in words], results


async def _watch(
    peer: Peer, cluster: Cluster, session: Session, reader: AIOKafkaConsumer, watched: Watched, records: int
) -> str:
    """Follow the results until they are complete, or nothing more comes; why it ended."""
    folder = session.log.parent
    while True:
        _sample(peer, cluster, session, watched)
        if _take(await reader.getmany(timeout_ms=50), watched):
            watched.last_news = now_s()
        silence = now_s() - watched.last_news
        if watched.outcome.complete and silence >= peer.settle_s:
            return "complete"
        if session.ended() is not None and silence > 2:
            return f"exit code {session.ended()}"
        if silence > (peer.patience_s if watched.outcome.rows else START_LIMIT_S):
            return "silence"
        if peer.nudged and (folder / "first").exists() and min(silence, now_s() - watched.nudged_at) > NUDGE_AFTER_S:
            watched.nudges, watched.nudged_at = watched.nudges + 1, now_s()
            await cluster.nudge(records, f"{folder.name}-{watched.nudges}")


def _sample(peer: Peer, cluster: Cluster, session: Session, watched: Watched) -> None:
    if now_s() - watched.samples[-1].at >= SAMPLE_S:
        watched.samples.append(session.sample())
    if peer.by_bytes and watched.received_at is None and session.received(cluster.port) > RECEIVED:
        watched.received_at = now_s()


def _take(batches: dict[Any, list[Any]], watched: Watched) -> bool:
    """Whether these records tell anything new."""
    news = False
    for record in (record for batch in batches.values() for record in batch):
        watched.last_record = max(watched.last_record, record.timestamp / 1000)
        row = row_of(record.value) if record.value else None
        if row is not None and watched.outcome.take(row):
            watched.last_result = max(watched.last_result, record.timestamp / 1000)
            news = True
    return news


def _moments(peer: Peer, session: Session, watched: Watched, folder: Path) -> tuple[float, float]:
    """First record and last result."""
    end = watched.last_result
    if peer.kind == "own":
        totals = json.loads((folder / "totals.json").read_bytes())
        return watched.last_record - totals["busy_seconds"], end
    if watched.nudges:  # the results of the last windows waited for a later record: the work was done before
        end = went_quiet(watched.samples, end) or end
    if peer.by_bytes:
        return watched.received_at or session.began, end
    return float((folder / "first").read_text()), end


def _loop_s(core: int) -> float:
    """Seconds of a fixed loop on the programs' core: how fast the machine is just now."""
    with held(core):
        return min(float(subprocess.check_output([sys.executable, "-c", LOOP])) for _ in range(2))
