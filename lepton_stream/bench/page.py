"""docs/performance.md and its plot, made of recorded figures alone: the same JSON gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lepton_stream.bench.autopilot_report import autopilot_lines
from lepton_stream.bench.domains import domains_lines
from lepton_stream.bench.knobs import MEANING
from lepton_stream.bench.plot import Curve, spread_point, svg
from lepton_stream.bench.report import (
    compare_lines,
    engine_lines,
    freshness_lines,
    idle_lines,
    long_lines,
    scale_lines,
    throughput_lines,
    trickle_lines,
)

PLOT = "performance-scale.svg"
INTRO = """<!-- Generated from docs/performance.json by `make docs`: measure with `make performance` instead. -->

# Performance

What was measured, where, when and with which command; nothing here is extrapolated. Each figure is a median with the
lowest and the highest run. What is measured is the installed `lepton-stream run`, a process of its own on the last
core, with claims, checkpoints, metrics and results on; broker, generator and reader share the first core. After every
run its account and each of its results are held against the truth, which is known since the events are made here
(seed 1); a run with a wrong one is an error and no figure. Before each run a GiB of memory is used once and given back:
a virtual machine's host takes free pages away, and a page that has to come from the host costs some twenty times as
much as another, which is no cost of what is measured.

To measure on your machine: `lepton-stream bench engine`, `domains`, `end-to-end`, `scale`, `autopilot`, `compare`
([cli.md](cli.md)); in a checkout `make performance` measures all of this page and writes it anew. A million events that
repeat, are bad, or are late cost more or less than good ones: the workload says how many there are.

"""
FRESH = """Freshness runs from the **intended** send time: the generator's schedule is fixed before the first event, and
an event that is sent late, since broker or generator could not keep up, keeps its place in it (no coordinated
omission). Of a final result: from the window's end plus its lateness to the moment a consumer holds it; it waits there
for the next event of every partition. Of an update: from the newest event in it. The highest sustained rate is that of
the whole machine, generator, broker and reader included: where the worker is not busy, the other core was the limit.
"""


def page(told: Mapping[str, Any]) -> str:
    """The whole page; what was not measured is not there."""
    parts = _engine(told.get("engine", {}))
    if found := told.get("long"):
        parts += ["## Engine: one long run", "", *where(found), *long_lines(found), ""]
    if found := told.get("domains"):
        parts += ["## Shipped pipelines", "", *where(found), *domains_lines(found), ""]
    parts += [*_end_to_end(told.get("end_to_end", {})), *_scale(told.get("scale", {}))]
    if found := told.get("autopilot"):
        parts += ["## Autopilot", "", *where(found), *autopilot_lines(found), ""]
    if found := told.get("compare"):
        parts += ["## Against another commit", "", *where(found), *compare_lines(found), ""]
    return INTRO + "\n".join(parts).rstrip() + "\n"


def _engine(told: Mapping[str, Any]) -> list[str]:
    parts = ["## Engine: files to results", ""] if told else []
    for name, found in told.items():
        parts += [f"### {name.capitalize()}", "", *where(found), *engine_lines(found), ""]
    return parts


def _end_to_end(told: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    for name, found in told.get("throughput", {}).items():
        parts += [f"## Kafka to Kafka: throughput, {name}", "", *where(found), *throughput_lines(found), ""]
    if found := told.get("freshness"):
        parts += ["## Kafka to Kafka: freshness", "", FRESH, *where(found), *freshness_lines(found), ""]
    if found := told.get("trickle"):
        parts += ["## With little to do", "", *where(found), *trickle_lines(found), ""]
    if found := told.get("idle"):
        parts += ["## With nothing to do", "", *where(found), *idle_lines(found), ""]
    return parts


def _scale(told: Mapping[str, Any]) -> list[str]:
    if not told:
        return []
    return ["## Scale", "", f"![How cost grows]({PLOT})", "", *where(told), *scale_lines(told), ""]


def where(told: Mapping[str, Any]) -> list[str]:
    """The command, the day, the machine and the versions."""
    machine, versions = told["machine"], told["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version and name != "path")
    place = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}"
    )
    load = f"load before it {machine['load_before']:.1f}"
    return [f"`{told['command']}` on {told['date'][:10]}; {place}; {load}; {named}.", ""]


def curves(scale: Mapping[str, Any]) -> list[Curve]:
    """A panel for the workers and one for each knob."""
    out = []
    if found := scale.get("workers"):
        points = [spread_point(r["workers"], r["events_per_second"], str(r["workers"])) for r in found["rows"]]
        out.append(Curve(f"events/s by workers at {found['quota']:.0%} of a core", "workers", points))
    for knob, rows in scale.get("knobs", {}).get("knobs", {}).items():
        points = [spread_point(r["value"], r["cpu_seconds_per_million"], knob_label(knob, r)) for r in rows]
        out.append(Curve("CPU-s per million events", MEANING[knob], points))
    return out


def knob_label(knob: str, row: Mapping[str, Any]) -> str:
    """The value as an axis shows it."""
    if knob == "bad":
        return f"{row['value']:.1%}"
    return f"{row['event_bytes']:,.0f}" if knob == "size" else f"{row['value']:,.0f}"


def plot(told: Mapping[str, Any]) -> str:
    """The plot of the page; empty where nothing of it was measured."""
    return svg(curves(told.get("scale", {})))
