"""Writes the measured part of docs/peers.md from last.json: `python -m tests.bench.peers.measured_section`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench.peers.peer_list import ALL
from tests.bench.peers.report_peers import left_out, table, verdict
from tests.bench.peers.standing import lines

LAST = Path(__file__).with_name("last.json")
PAGE = Path("docs/peers.md")
BEGIN = (
    "<!-- measured: written by `python -m tests.bench.peers.measured_section` from tests/bench/peers/last.json -->\n"
)
END = "<!-- measured: end -->\n"

HOW = """
One program after the other reads the same topic of Apache Kafka, the workload of
{workload}: it drops bad and repeated events, keeps count, mean, min and max
of each device and minute, and writes them to a topic. The broker and the watcher have one core, the program with all
its processes the other. The time runs from the first record parsed to the broker's stamp on the last window's result,
CPU (user and system) between the same moments: start-up is not in it, what a program waits before it writes is.
Pathway's and our own time begin a moment earlier, when records have come. Kafka Streams holds its last windows back
until a further record comes: its time ends when its work did. Exact: every window has the right figures, and there is
no other. "Others" is the share of the program's core that other processes of the machine took: figures by the clock
suffer from it, those in CPU hardly. "Lepton is" tells how many times faster, and with how many times less CPU; both
must reach the bar. It is for the further records, those of the larger size beyond those of the smaller: there a program
has started, is compiled and has its memory. Faust is slow and got fewer records.
"""


def section(told: dict[str, Any]) -> str:
    """Date, machine, command, the table, versions, and what each keeps over a restart."""
    standing, machine = lines(told["runs"]), told["machine"]
    named = [peer for peer in ALL if peer.name in told["versions"]]
    versions = "".join(f"- {p.shown}: {', '.join(told['versions'][p.name])}; keeps {p.keeps}\n" for p in named)
    return (
        f"{BEGIN}\nMeasured on {told['date']} UTC with `{told['command']}`\n"
        f"on {machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, "
        f"Python {machine['python']}, Java {machine['java']}, Apache Kafka {machine['kafka']}.\n"
        + HOW.format(workload="[tests/data/workload.py](../tests/data/workload.py)")
        + f"\n{table(standing)}\n{verdict(standing)}\n\n"
        + "What ran, and what of its state survives a restart as it ran here:\n\n"
        + f"{versions}{left_out(told['skipped'])}\n"
        + END
    )


def replaced(page: str, text: str) -> str:
    """The page with this as its measured part. Raises ValueError where the page has no place for it."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("the page has no measured part")
    return before + text + after


def main() -> None:
    """Write the page."""
    PAGE.write_text(replaced(PAGE.read_text(), section(json.loads(LAST.read_text()))))


if __name__ == "__main__":
    main()
