"""The same workload through Lepton Stream and its peers, in one run: who is how fast, and is each one exact.

    python -m tests.bench.peers [--records 1000000,3000000] [--runs 1] [--only faust,lepton] [--json FILE] [--list]

Apache Kafka and the watcher are held to the first core, the measured program with all its processes to the last. The
peers are installed into `.cache/peers/` at the first call, versions pinned; one that cannot be installed is skipped,
with the reason. The exit code is 1 when a bar is missed or a result of ours is wrong. With several sizes the bars are
for what further records cost: start-up is not in that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.kafka.jars import SetupError
from tests.bench.peers import surroundings
from tests.bench.peers.cluster import running
from tests.bench.peers.installing import NotHereError, install, installed
from tests.bench.peers.measuring import measured
from tests.bench.peers.peer_list import ALL, Peer, chosen, sizes_for
from tests.bench.peers.report_peers import left_out, table, verdict
from tests.bench.peers.standing import lines


def arguments(words: list[str]) -> argparse.Namespace:
    """What was asked for; `peers` are the chosen ones, `sizes` the numbers of records."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = "several, with commas: also what further records cost"
    parser.add_argument("--records", default="1000000,3000000", help=sizes)
    parser.add_argument("--slow-records", type=int, default=50_000, help="the most that slow programs (Faust) get")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", help="names with commas; --list shows them")
    parser.add_argument("--json", type=Path, help="write all figures, versions and the machine into this file")
    parser.add_argument("--list", action="store_true", help="what can be measured, with versions")
    asked = parser.parse_args(words)
    try:
        asked.peers, asked.sizes = chosen(asked.only), [int(n) for n in asked.records.split(",")]
    except ValueError as error:
        parser.error(str(error))
    return asked


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"peers: {text}", file=sys.stderr, flush=True)


async def measure(asked: argparse.Namespace, peers: list[Peer], skipped: dict[str, str]) -> list[dict[str, Any]]:
    """All runs, one after the other; a peer that gives no result is skipped from there on."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as cluster:
            for peer in peers:
                for records in sizes_for(peer, asked.sizes, asked.slow_records):
                    for number in range(1, asked.runs + 1):
                        if peer.name in skipped:
                            continue
                        say(f"{peer.name}, {records:,} records, run {number} of {asked.runs}")
                        try:
                            found.append(await measured(peer, cluster, records, number))
                        except NotHereError as why:
                            skipped[peer.name] = str(why)
                            say(f"{peer.name} is left out: {why}")
    return found


def main(words: list[str]) -> int:
    """Install, measure, report; the words of the command line."""
    asked = arguments(words)
    if asked.list:
        for name, versions in surroundings.all_versions(list(ALL)).items():
            print(f"{name:18}{', '.join(versions)}")
        return 0
    ready, skipped = installed(asked.peers, install, say)
    try:
        runs = asyncio.run(measure(asked, ready, skipped))
    except SetupError as error:
        say(str(error))
        return 1
    told: dict[str, Any] = {
        "date": surroundings.today(),
        "command": " ".join(["python -m tests.bench.peers", *words]),
        "machine": surroundings.machine(),
        "versions": surroundings.all_versions(ready),
        "skipped": skipped,
        "runs": runs,
    }
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n")
    standing = lines(runs)
    print(table(standing) + left_out(skipped) + verdict(standing))
    wrong = any(line.peer.kind == "own" and line.seen and not line.seen.exact for line in standing)
    return int(wrong or any(line.met is False for line in standing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
