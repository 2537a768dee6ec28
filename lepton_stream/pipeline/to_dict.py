"""A plan as the nested dict that `check` reads: `check(to_dict(plan)) == plan`. What is left to say is said."""

from __future__ import annotations

from typing import Any

from lepton_stream.pipeline.calls import call_text
from lepton_stream.pipeline.durations import duration_text, size_text
from lepton_stream.pipeline.plan import (
    Alarm,
    DeadLetters,
    Default,
    Field,
    FileForm,
    Model,
    Objective,
    Plan,
    Source,
    Window,
)


def to_dict(plan: Plan) -> dict[str, Any]:
    """The keys of the TOML with every default written out; JSON can hold all values."""
    return {
        "name": plan.name,
        "version": plan.version,
        "source": _source(plan.source),
        "fields": {f.name: _field(f) for f in plan.fields},
        **({"derive": {d.name: d.expression.text for d in plan.derived}} if plan.derived else {}),
        "dedup": {"memory": plan.dedup_memory},
        "dead_letters": _dead_letters(plan.dead_letters),
        "topics": {"partitions": plan.topics.partitions, "replication": plan.topics.replication},
        **({} if plan.memory is None else {"memory": size_text(plan.memory)}),
        **({} if plan.objective == Objective() else {"objective": _objective(plan.objective)}),
        "window": [_window(w) for w in plan.windows],
        **({"model": [_model(m) for m in plan.models]} if plan.models else {}),
        **({"alarm": [_alarm(a) for a in plan.alarms]} if plan.alarms else {}),
    }


def _dead_letters(letters: DeadLetters) -> dict[str, Any]:
    raw = {} if letters.raw is None else {"raw": letters.raw}
    return {"ceiling": letters.ceiling, "among": letters.among, **raw}


def _objective(objective: Objective) -> dict[str, Any]:
    us = objective.freshness_p99_us
    return {} if us is None else {"freshness_p99": duration_text(us)}


def _source(source: Source) -> dict[str, Any]:
    same = ("topic", "time", "format", "time_unit", "time_zone", "max_record_bytes", "idle")
    out = {key: getattr(source, key) for key in same}
    out |= {"key": list(source.key), "max_ahead": duration_text(source.max_ahead_us)}
    out["idle_timeout"] = duration_text(source.idle_timeout_us)
    if source.id is not None:
        out["id"] = source.id if source.id == "all" else list(source.id)
    if source.where is not None:
        out["where"] = source.where.text
    if source.file != FileForm():
        out["file"] = _file(source.file)
    return out


def _file(form: FileForm) -> dict[str, Any]:
    out: dict[str, Any] = {"format": form.format}
    if form.format == "csv":
        out |= {"delimiter": form.delimiter, "header": form.header, "null": list(form.null)}
    if form.columns:
        out["columns"] = list(form.columns)
    if form.rename:
        out["rename"] = dict(form.rename)
    if form.time is not None:
        pattern = {} if form.time.format is None else {"format": form.time.format}
        out["time"] = {"columns": list(form.time.columns), "zone": form.time.zone, **pattern}
    return out


def _field(field: Field) -> dict[str, Any]:
    on_bad = {"default": field.on_bad.value} if isinstance(field.on_bad, Default) else field.on_bad
    out: dict[str, Any] = {"type": field.type, "required": field.required, "on_bad": on_bad}
    out |= {"min": field.min, "max": field.max, "one_of": field.one_of and list(field.one_of)}
    out |= {"pseudonym": True} if field.pseudonym else {}
    return {key: value for key, value in out.items() if value is not None}


def _window(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "kind": window.kind,
        "size": duration_text(window.size_us),
        **({} if window.every_us is None else {"every": duration_text(window.every_us)}),
        "offset": duration_text(window.offset_us),
        "lateness": duration_text(window.lateness_us),
        "grace": duration_text(window.grace_us),
        "emit": window.emit,
        "group_by": list(window.group_by),
        **({} if window.where is None else {"where": window.where.text}),
        "results": {column: call_text(call) for column, call in window.results},
        **({"derive": {d.name: d.expression.text for d in window.derived}} if window.derived else {}),
    }


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "by": list(model.by),
        "score": call_text(model.score),
        "threshold": model.threshold,
        "warmup": model.warmup,
        "least_deviation": model.least_deviation,
        "lateness": duration_text(model.lateness_us),
        "forget": duration_text(model.forget_us),
        "emit": model.emit,
        **({} if model.where is None else {"where": model.where.text}),
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "name": alarm.name,
        "by": list(alarm.by),
        "field": alarm.field,
        alarm.side: alarm.threshold,
        "back": alarm.back,
        "open_after": duration_text(alarm.open_after_us),
        "open_values": alarm.open_values,
        "close_after": duration_text(alarm.close_after_us),
        "close_values": alarm.close_values,
        "lateness": duration_text(alarm.lateness_us),
        "forget": duration_text(alarm.forget_us),
        **({} if alarm.where is None else {"where": alarm.where.text}),
    }
