"""What `lepton-stream check` tells of a good plan: each decision and what it means, one line each."""

from __future__ import annotations

from lepton_stream.expression.typed import Expression
from lepton_stream.pipeline.calls import call_text
from lepton_stream.pipeline.durations import MICROSECONDS, duration_text, size_text
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Alarm, Default, Derived, Field, FileForm, Model, Plan, Source, Window
from lepton_stream.pipeline.plan_hash import plan_hash

__all__ = ["describe"]


def describe(plan: Plan) -> list[str]:
    """Lines for people: source, fields, dedup, windows, topics."""
    return [
        f"pipeline {plan.name} version {plan.version} (plan {plan_hash(plan)})",
        *_source(plan.source),
        "fields; others are ignored and counted",
        *(f"  {_field(f)}" for f in plan.fields),
        *_derived(plan),
        *_dedup(plan),
        *(line for w in plan.windows for line in _window(w)),
        *(line for m in plan.models for line in _model(m)),
        *(line for a in plan.alarms for line in _alarm(a)),
        *_objective(plan),
        *_topics(plan),
    ]


def _source(source: Source) -> list[str]:
    unit = "ISO 8601 text" if source.time_unit == "iso8601" else f"epoch {source.time_unit}"
    zone = f", in {source.time_zone} where it names no zone" if source.time_unit == "iso8601" else ""
    timeout = duration_text(source.idle_timeout_us)
    idle = f"moves on after {timeout} of silence" if source.idle == "advance" else "waits for a silent source"
    ahead = f"dead-lettered if more than {duration_text(source.max_ahead_us)} ahead of the record's own timestamp"
    lines = [
        f"source topic {source.topic}, {source.format}, at most {size_text(source.max_record_bytes)} a record",
        f"  event time: {source.time}, {unit}{zone}; {ahead}",
        f"  key: {_names(source.key) or 'none'}",
        f"  watermark: {idle}",
    ]
    return lines + _file(source.file)


def _file(form: FileForm) -> list[str]:
    if form == FileForm():
        return []
    lines = [f"  files: {form.format}"]
    if form.format == "csv":
        header = "with a header" if form.header else f"without a header: {_names(form.columns)}"
        lines[0] += f" split at {form.delimiter!r}, {header}; no value: {', '.join(map(repr, form.null)) or 'never'}"
    if form.rename:
        lines.append(f"    renamed: {', '.join(f'{column} -> {name}' for column, name in form.rename)}")
    if form.time is not None:
        pattern = f" as {form.time.format}" if form.time.format else ""
        lines.append(f"    event time from {_names(form.time.columns)}{pattern}, local in {form.time.zone}")
    return lines


def _field(field: Field) -> str:
    rules = ["a pseudonym (HMAC-SHA-256)"] if field.pseudonym else []
    rules += [] if field.required else ["may be missing"]
    if field.min is not None or field.max is not None:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (field.min, field.max))
        rules.append(f"{low}..{high}")
    if field.one_of is not None:
        rules.append(f"one of {', '.join(map(str, field.one_of))}")
    return ", ".join([f"{field.name}: {field.type}", *rules, _on_bad(field)])


def _derived(plan: Plan) -> list[str]:
    columns = [_derived_column(d) for d in plan.derived]
    lines = ["derived columns", *columns] if columns else []
    if plan.source.where is not None:
        lines.append(f"only records where {plan.source.where.text}; others are accepted and enter no window")
    return lines


def _derived_column(derived: Derived) -> str:
    return f"  {derived.name}: {_kind(derived.expression)} = {derived.expression.text}"


def _kind(expression: Expression) -> str:
    return f"{expression.root.kind}, may be null," if expression.root.nullable else expression.root.kind


def _on_bad(field: Field) -> str:
    if isinstance(field.on_bad, Default):
        return f"a bad value becomes {field.on_bad.value!r}"
    return {
        "reject": "a bad value sends the record to the dead letters",
        "null": "a bad value becomes missing",
        "clip": "a value outside becomes the bound; otherwise bad: dead letters",
    }[field.on_bad]


def _dedup(plan: Plan) -> list[str]:
    ids = plan.source.id
    if ids is None:
        return ["dedup: none, since source.id is left out; a record sent twice counts twice"]
    same = "all bytes" if ids == "all" else _names(ids)
    memory = f"the {plan.dedup_memory:,} offsets before it in the same partition"
    return [
        f"dedup: a record is a duplicate if its {same} occurred in {memory}",
        "  equal ids must come to the same partition, as a producer's retries do",
    ]


def _window(window: Window) -> list[str]:
    group = f"per {_names(window.group_by)}" if window.group_by else "over everything"
    when = f"final after {duration_text(window.lateness_us)} lateness"
    if window.emit == "updates":
        when = f"updates as it fills, {when}"
    if window.grace_us:
        when += f", revised for {duration_text(window.grace_us)} more"
    size, start = _hours(window.size_us), _start(window)
    every = "" if window.every_us is None else f" every {_hours(window.every_us)}"
    head = f"window {window.name}: {window.kind} {size}{every} {start}, {group}, {when}"
    only = [] if window.where is None else [f"  only records where {window.where.text}"]
    results = [f"  {column} = {call_text(call)}" for column, call in window.results]
    return [head, *only, *results, *(_derived_column(d) for d in window.derived)]


def _model(model: Model) -> list[str]:
    key = f"per {_names(model.by)}" if model.by else "over everything"
    told = f"scores of {model.threshold:g} deviations and more"
    which = {"all": "scores", "alarms": told, "onsets": f"the first of {told} in a row"}[model.emit]
    lateness = duration_text(model.lateness_us)
    lines = [f"model {model.name}: {call_text(model.score)} {key}, in event time, {lateness} lateness"]
    lines += [] if model.where is None else [f"  only records where {model.where.text}"]
    lines.append(f"  {which} become events, after {model.warmup} values of a key")
    return [*lines, f"  a key that was silent for more than {duration_text(model.forget_us)} begins anew"]


def _alarm(alarm: Alarm) -> list[str]:
    key = f"per {_names(alarm.by)}" if alarm.by else "over everything"
    lateness, back = duration_text(alarm.lateness_us), "above" if alarm.side == "below" else "below"
    lines = [f"alarm {alarm.name}: {alarm.field} {key}, in event time, {lateness} lateness"]
    lines += [] if alarm.where is None else [f"  only records where {alarm.where.text}"]
    opens, closes = (alarm.open_values, alarm.open_after_us), (alarm.close_values, alarm.close_after_us)
    lines.append(f"  opens {alarm.side} {alarm.threshold:g}{_steady(*opens)}; an event")
    lines.append(f"  closes at {alarm.back:g} or {back}{_steady(*closes)}; an event")
    return [*lines, f"  a key that was silent for more than {duration_text(alarm.forget_us)} begins anew"]


def _steady(values: int, after_us: int) -> str:
    """How long values must stay, in words."""
    most = [f"{values} values in a row"] if values > 1 else []
    most += [f"for {duration_text(after_us)}"] if after_us else []
    return "".join(f", {part}" for part in most)


def _hours(us: int) -> str:
    """Days of windows are told in hours, up to a week: 24h says that no calendar is asked."""
    hour, week = MICROSECONDS["h"], MICROSECONDS["w"]
    return f"{us // hour}h" if us % hour == 0 and us < week else duration_text(us)


def _start(window: Window) -> str:
    """Where windows begin: a time of day where that is the same every day."""
    day, minute = MICROSECONDS["d"], MICROSECONDS["m"]
    offset = window.offset_us
    if window.step_us % day == 0 and offset < day and offset % minute == 0:
        return f"from {offset // minute // 60:02d}:{offset // minute % 60:02d} UTC"
    return f"shifted by {duration_text(offset)}" if offset else "from the epoch"


def _objective(plan: Plan) -> list[str]:
    us = plan.objective.freshness_p99_us
    return [] if us is None else [f"objective: 99 of 100 results can be read within {duration_text(us)}"]


def _topics(plan: Plan) -> list[str]:
    copies = "one copy" if plan.topics.replication == 1 else f"{plan.topics.replication} copies"
    named = names(plan)
    own = ", ".join((named.shuffle, named.state, named.results, named.late, named.events))
    return [
        f"topics of {plan.topics.partitions} partitions, {copies}: {own}",
        f"  decisions of the autopilot: {named.decisions}, one partition",
        f"  dead letters: {named.dead_letters}, with {_held(plan)}the reason",
        f"  {_ceiling(plan)}",
    ]


def _held(plan: Plan) -> str:
    return "the original bytes and " if plan.sets_aside_raw else "the place of the record but none of its bytes, and "


def _ceiling(plan: Plan) -> str:
    share, among = plan.dead_letters.ceiling, plan.dead_letters.among
    if share == 1:
        return "a worker never stops for dead letters"
    return (
        f"a worker stops when more than {share * 100:g} % of {among:,} records of a source partition are dead letters"
    )


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names)
