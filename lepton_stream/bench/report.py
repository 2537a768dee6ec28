"""Figures for people: the lines that a terminal shows, and the tables of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lepton_stream.bench.knobs import MEANING
from lepton_stream.bench.spread import PERCENTILES

Rows = Sequence[Sequence[str]]


def spread(told: Mapping[str, float], form: str = ",.0f") -> str:
    """`438,000 (383,000 to 498,000, 3 runs)`; a single run has no spread."""
    runs = int(told["runs"])
    if runs == 1:
        return f"{told['median']:{form}} (1 run)"
    return f"{told['median']:{form}} ({told['lowest']:{form}} to {told['highest']:{form}}, {runs} runs)"


def seconds(value: float | None) -> str:
    """A time that people can compare: in ms below ten seconds."""
    if value is None:
        return "-"
    return f"{value * 1000:,.0f} ms" if value < 10 else f"{value:,.1f} s"


def workload(told: Mapping[str, Any]) -> str:
    """The workload in a sentence."""
    wide = ", wide" if told["form"] == "wide" else ""
    return (
        f"{told['events']:,} events of {told['event_bytes']:.0f} bytes{wide}, {told['keys']:,} keys, "
        f"{told['windows']} window section{'s' if told['windows'] > 1 else ''}, {told['bad']:.1%} bad, "
        f"--route {told['route']}, seed {told['seed']}"
    )


def table(head: Sequence[str], rows: Rows) -> list[str]:
    """A Markdown table; all columns but the first are numbers."""
    marks = ["---", *(["---:"] * (len(head) - 1))]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]


def stage_rows(stages: Mapping[str, Mapping[str, float]]) -> Rows:
    """Stage, CPU seconds a million events, share of all stages."""
    whole = sum(s["cpu_seconds_per_million"] for s in stages.values()) or 1.0
    return [
        [name, f"{s['cpu_seconds_per_million']:.3f}", f"{s['cpu_seconds_per_million'] / whole:.0%}"]
        for name, s in stages.items()
    ]


def engine_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench engine` found."""
    return [
        f"{workload(told['shape'])}; files, one core, path {told['path']}",
        "",
        f"- events/s: {spread(told['events_per_second'])}",
        f"- CPU seconds per million events: {spread(told['cpu_seconds_per_million'], '.2f')}",
        f"- start-up besides: {spread(told['start_up_seconds'], '.2f')} s",
        "",
        *table(["stage", "CPU-s per million", "share"], stage_rows(told["stages"])),
    ]


def long_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench long` found."""
    first, *rest = told["parts"]
    cells = [
        [
            f"{p['from_events']:,}",
            f"{p['cpu_seconds_per_million']:.3f}",
            f"{p['events_per_second']:,.0f}",
            f"{p['resident_mb']:,.0f}",
        ]
        for p in (first, *rest)
    ]
    last = rest[-1] if rest else first
    ratio = last["cpu_seconds_per_million"] / (rest[0] if rest else first)["cpu_seconds_per_million"]
    return [
        f"{workload(told['shape'])}; one run over a pipe, one core; start-up is in the first row",
        "",
        f"- an event of the last part by one of the first after start-up: {ratio:.2f} times the CPU seconds",
        "",
        *table(["from event", "CPU-s per million", "events/s", "resident MB at its end"], cells),
    ]


def throughput_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench end-to-end` found of speed."""
    return [
        f"{workload(told['shape'])}; from the {told['from_events']:,}th event on; one worker on one core",
        "",
        f"- events/s: {spread(told['events_per_second'])}{_left_out(told['pairs_left_out'])}",
        f"- CPU seconds per million events: {spread(told['cpu_seconds_per_million'], '.2f')}",
        f"- start-up, which is left out: {spread(told['start_up_cpu_seconds'], '.2f')} CPU seconds",
        "",
        *table(
            ["stage (besides: fetches, in a thread of their own)", "CPU-s per million", "share"],
            stage_rows(told["stages"]),
        ),
    ]


def _left_out(pairs: int) -> str:
    return f"; {pairs} more left out: their longer run was not the slower one" if pairs else ""


def end_to_end_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench end-to-end` found, part by part."""
    lines = []
    for found in told.get("throughput", {}).values():
        lines += [*throughput_lines(found), ""]
    if found := told.get("freshness"):
        lines += [*freshness_lines(found), ""]
    if found := told.get("trickle"):
        lines += [*trickle_lines(found), ""]
    if found := told.get("idle"):
        lines += [*idle_lines(found), ""]
    return lines[:-1]


def trickle_lines(told: Mapping[str, Any]) -> list[str]:
    """A few events a second."""
    head = f"trickle, {told['rate']:.0f} events/s for {told['seconds']:.0f} s:"
    return [
        f"{head} the worker takes {told['worker_cpu']:.1%} of a core",
        "",
        *table(FRESHNESS_HEAD, freshness_rows([told])),
    ]


def idle_lines(told: Mapping[str, Any]) -> list[str]:
    """No event at all."""
    return [f"idle for {told['seconds']:.0f} s: the worker takes {told['worker_cpu']:.1%} of a core"]


def scale_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench scale` found."""
    lines: list[str] = []
    if found := told.get("workers"):
        lines += [*worker_lines(found), ""]
    if found := told.get("knobs"):
        lines += ["CPU seconds per million events from Kafka to Kafka, from the first chunk to the last result", ""]
        for knob, rows in found["knobs"].items():
            head = [f"{knob}: {MEANING[knob]}", "events", "bytes each", "CPU-s per million", "ns a byte"]
            lines += [*table(head, [_knob_row(row) for row in rows]), ""]
    return lines[:-1]


def _knob_row(row: Mapping[str, Any]) -> list[str]:
    cost, size = row["cpu_seconds_per_million"], row["event_bytes"]
    a_byte = f"{cost['median'] / size * 1000:.1f}"
    return [f"{row['value']:g}", f"{row['events']:,}", f"{size:,.0f}", spread(cost, ".2f"), a_byte]


def worker_lines(told: Mapping[str, Any]) -> list[str]:
    """Speed by number of workers, and how much of the proportional speed is there."""
    rows, one = told["rows"], told["rows"][0]
    each = one["events_per_second"]["median"] / one["workers"]
    cells = [
        [
            str(r["workers"]),
            spread(r["events_per_second"]),
            f"{r['events_per_second']['median'] / r['workers'] / each:.0%}",
        ]
        for r in rows
    ]
    held = f"workers on one core, each held to {told['quota']:.0%} of it ({one['means']})"
    return [
        f"{held}; {one['events']:,} events a worker; broker and generator on the other core",
        "",
        *table(["workers", "events/s", "of proportional"], cells),
    ]


def compare_lines(told: Mapping[str, Any]) -> list[str]:
    """What `bench compare` found: ratios below 1 are gains."""
    kinds = [(name, told[name]) for name in ("engine", "end_to_end") if name in told]
    cells = [
        [name.replace("_", "-"), spread(r["cpu_seconds"], ".3f"), spread(r["seconds"], ".3f")] for name, r in kinds
    ]
    return [
        f"{told['ours']} against {told['base']}, run in turns; {workload(told['shape'])}",
        "",
        *table(["time of ours by that of the base", "CPU", "wall"], cells),
    ]


def freshness_lines(told: Mapping[str, Any]) -> list[str]:
    """The levels, and how the highest rate was found."""
    tried = ", ".join(f"{t['rate']:,.0f} {'yes' if t['sustained'] else 'no'}" for t in told["tried"])
    return [
        f"highest sustained rate: {told['highest']:,.0f} events/s" + (f" (tried: {tried})" if tried else " (as given)"),
        "",
        *table(FRESHNESS_HEAD, freshness_rows(told["levels"])),
    ]


def freshness_rows(levels: Sequence[Mapping[str, Any]]) -> Rows:
    """A row for each load and kind of result."""
    rows = []
    for level in levels:
        for kind in ("final", "update"):
            if found := level[kind]:
                share = f"{level['share']:.0%}" if level["share"] else "-"
                quantiles = [seconds(found.get(name)) for name in PERCENTILES]
                emit = f"{kind} (emit = {level['emit']})"
                windows = f" of {found['windows']} windows" if "windows" in found else ""
                many = f"{found['results']:,}{windows}"
                rows.append([f"{share}, {level['rate']:,.0f}/s", emit, *quantiles, many, f"{level['worker_cpu']:.0%}"])
    return rows


FRESHNESS_HEAD = ["load", "result", *PERCENTILES, "results", "CPU of the worker"]
