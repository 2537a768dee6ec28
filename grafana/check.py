"""Is a dashboard one that Grafana takes, and do its queries fit the metrics there are? Decided without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from lepton_stream.errors import UsageError
from lepton_stream.grafana import MISSING
from lepton_stream.grafana.promql import kept, named, uses
from lepton_stream.telemetry.catalogue import BY_NAME

try:
    from jsonschema import Draft7Validator
except ImportError:
    raise UsageError(MISSING.format("jsonschema")) from None

SCHEMAS = Path(__file__).parent / "schemas"
ANY_VALUE = (("MatcherConfig", "options"), ("DynamicConfigValue", "value"))
"""Objects by Grafana's schema, any value by its own code: a unit is a string, a matcher names a query."""
PARTS = ("_bucket", "_sum", "_count")
JOB_LABELS = frozenset({"instance", "job"})


def problems(document: bytes) -> list[str]:
    """What is wrong with a dashboard's JSON, one line each; none if it is good."""
    try:
        found = json.loads(document)
    except ValueError as error:
        return [f"not JSON: {error}"]
    return [*unfit(found), *unmeasured(found)]


def unfit(found: Mapping[str, Any]) -> Iterator[str]:
    """Against Grafana's schemas: the frame, then every panel with the options of its kind and its queries.

    One panel at a time, because "fits none of the kinds" would be all that a mistake in a panel got.
    """
    panels = found.get("panels", [])
    yield from _misfits("dashboard", "Dashboard", {**found, "panels": []}, "dashboard")
    for panel in panels:
        where = f"panel {panel.get('title')!r}"
        if panel.get("type") == "row":
            yield from _misfits("dashboard", "RowPanel", panel, where)
            continue
        yield from _misfits("dashboard", "Panel", panel, where)
        if panel.get("type") not in ("stat", "timeseries"):
            yield f"{where}: type {panel.get('type')!r}: no schema for it in grafana/schemas; use stat or timeseries"
            continue
        yield from _misfits(panel["type"], "Options", panel.get("options", {}), f"{where}, options")
        for target in panel.get("targets", []):
            yield from _misfits("prometheus", "Dataquery", target, f"{where}, query {target.get('refId')}")
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom")
        if custom is not None:
            yield from _misfits("timeseries", "FieldConfig", custom, f"{where}, custom")


def unmeasured(found: Mapping[str, Any]) -> Iterator[str]:
    """Queries that name metrics which nothing measures, or labels that these do not have."""
    for where, expr, legend in expressions(found):
        yield from (f"{where}: {problem}" for problem in misread(expr))
        if lost := named(legend) - kept(expr):
            yield f"{where}: its legend names {', '.join(sorted(lost))}, which the query does not keep: {expr}"


def expressions(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(where, expression, legend) of every query: panels', annotations' and variables'."""
    for panel in found.get("panels", []):
        for target in panel.get("targets", []):
            where = f"panel {panel.get('title')!r}, query {target.get('refId')}"
            yield where, target.get("expr", ""), target.get("legendFormat", "")
    for note in found.get("annotations", {}).get("list", []):
        yield f"annotation {note.get('name')!r}", note.get("expr", ""), ""
    for variable in found.get("templating", {}).get("list", []):
        if variable.get("type") == "query":
            metric, _, label = variable["query"].removeprefix("label_values(").rstrip(")").partition(", ")
            yield f"variable {variable['name']!r}", f"count by ({label}) ({metric})", ""


def misread(expr: str, others: Mapping[str, frozenset[str]] | None = None) -> Iterator[str]:
    """What an expression reads that is not there. `others`: labels of names besides the catalogue's, such as rules'."""
    there = {**measured(), **(others or {})}
    found = uses(expr)
    if not found:
        yield f"it reads no metric: {expr}"
    for use in found:
        if use.name not in there:
            close = get_close_matches(use.name, there, 1)
            yield f"no metric {use.name}" + (f" (did you mean {close[0]}?)" if close else ", see docs/metrics.md")
        elif strange := use.labels - there[use.name] - JOB_LABELS:
            have = ", ".join(sorted(there[use.name]))
            yield f"{use.name} has no label {', '.join(sorted(strange))}; it has {have}"


@cache
def measured() -> dict[str, frozenset[str]]:
    """Every series of the catalogue with its labels, as Prometheus names them."""
    series = {"up": frozenset[str]()}
    for name, metric in BY_NAME.items():
        labels = frozenset(metric.labels)
        if metric.kind != "histogram":
            series[name] = labels
            continue
        series |= {f"{name}{part}": labels | ({"le"} if part == "_bucket" else set()) for part in PARTS}
    return series


def _misfits(file: str, kind: str, found: Any, where: str) -> Iterator[str]:
    for error in _validator(file, kind).iter_errors(found):
        place = ".".join(map(str, error.absolute_path))
        yield f"{where}{f', {place}' if place else ''}: {error.message[:200]}"


@cache
def _validator(file: str, kind: str) -> Draft7Validator:
    schema = json.loads((SCHEMAS / f"{file}.jsonschema.json").read_text(encoding="utf-8"))
    definitions = schema["definitions"]
    for name, key in ANY_VALUE:
        if name in definitions:
            definitions[name]["properties"][key] = {}
    return Draft7Validator({"$ref": f"#/definitions/{kind}", "definitions": definitions})
