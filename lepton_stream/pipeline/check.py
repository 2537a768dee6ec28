"""From a nested dict, as TOML or the Python builder give it, to a frozen plan; all problems are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lepton_stream.errors import PlanError
from lepton_stream.pipeline.alarms import check_alarms, make_alarm
from lepton_stream.pipeline.derived import condition, derive
from lepton_stream.pipeline.fields import Known, check_source_fields, known_fields
from lepton_stream.pipeline.file_form import check_file, make_file
from lepton_stream.pipeline.findings import Findings, Missing
from lepton_stream.pipeline.keys import PIPELINE
from lepton_stream.pipeline.models import check_models, make_model
from lepton_stream.pipeline.plan import Alarm, DeadLetters, Derived, Model, Objective, Plan, Source, Topics, Window
from lepton_stream.pipeline.shapes import read
from lepton_stream.pipeline.windows import check_windows, make_window


def check(data: Any, title: str = "the pipeline is not usable", found: Findings | None = None) -> Plan:
    """The plan of `data`, a dict with the keys of `pipeline.keys.PIPELINE`.

    `found` says how paths are told, and may hold problems that were found before. Raises PlanError with all problems.
    """
    found = Findings() if found is None else found
    got = read(PIPELINE, data, (), found)
    raw: dict[str, Any] = {} if isinstance(got, Missing) else got
    source = raw.get("source", {})
    declared = data.get("fields") if isinstance(data, Mapping) else None
    known = known_fields(declared, raw.get("fields", {}), source, found)
    check_source_fields(source, known, found)
    _check_topic(raw.get("name"), source.get("topic"), found)
    check_file(source, known, found)
    told = data.get("derive") if isinstance(data, Mapping) else None
    scope = derive(raw.get("derive", {}), told, known, found)
    where = condition(source.get("where"), ("source", "where"), scope, found)
    computed = check_windows(raw.get("window", ()), source.get("key", ()), known, scope, found)
    taken = {w.get("name") for w in raw.get("window", ()) if not isinstance(w, Missing)}
    models = raw.get("model") or ()
    only = check_models(models, source.get("key", ()), taken, known, scope, found)
    alarms = raw.get("alarm") or ()
    taken |= {m.get("name") for m in models if not isinstance(m, Missing)}
    watching = check_alarms(alarms, source.get("key", ()), taken, known, scope, found)
    if found.problems:
        raise PlanError(title, found.problems)
    windows = zip(raw["window"], computed, strict=True)
    made = tuple(make_window(window, raw["source"]["key"], *columns) for window, columns in windows)
    scored = tuple(make_model(model, raw["source"]["key"], own) for model, own in zip(models, only, strict=True))
    watched = tuple(make_alarm(alarm, raw["source"]["key"], own) for alarm, own in zip(alarms, watching, strict=True))
    return _plan(raw, known, replace(_source(raw["source"]), where=where), made, scope.derived, scored, watched)


def _plan(
    raw: Mapping[str, Any],
    known: Known,
    source: Source,
    windows: tuple[Window, ...],
    derived: tuple[Derived, ...],
    models: tuple[Model, ...],
    alarms: tuple[Alarm, ...],
) -> Plan:
    return Plan(
        name=raw["name"],
        source=source,
        fields=tuple(known.fields[name] for name in sorted(known.fields)),
        windows=windows,
        version=raw["version"],
        dedup_memory=raw["dedup"]["memory"],
        topics=Topics(**raw["topics"]),
        dead_letters=DeadLetters(**raw["dead_letters"]),
        memory=raw["memory"],
        derived=derived,
        models=models,
        alarms=alarms,
        objective=Objective(raw["objective"]["freshness_p99"]),
    )


def _check_topic(name: str | None, topic: str | None, found: Findings) -> None:
    if name is not None and topic is not None and topic.startswith(f"lepton.{name}."):
        found.add(("source", "topic"), topic, "expects a topic that is not one of the pipeline's own")


def _source(raw: Mapping[str, Any]) -> Source:
    same = ("topic", "time", "format", "time_unit", "time_zone", "key", "id", "max_record_bytes", "idle")
    return Source(
        **{key: raw[key] for key in same},
        max_ahead_us=raw["max_ahead"],
        idle_timeout_us=raw["idle_timeout"],
        file=make_file(raw["file"]),
    )
