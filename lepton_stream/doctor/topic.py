"""Judges the topics of a pipeline: against the contracts, and what becomes of the source's records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lepton_stream.doctor.finding import Finding, fail, ok, unknown, warn
from lepton_stream.topics.contract import DAY_MS, FOREVER, value_text
from lepton_stream.topics.difference import Step

GENTLE = ("min.insync.replicas", "compression.type")
"""Settings without which counting is right all the same."""
LEAST_RETENTION_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Log:
    """A source partition: its offsets [start, end), and the oldest record's timestamp (ms), None if it is empty."""

    start: int
    end: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class SourceTopic:
    """The source as it is. `settings`: None where the broker does not tell. `now_ms`: the time of the look."""

    name: str
    copies: int
    settings: Mapping[str, str] | None
    logs: Sequence[Log]
    now_ms: int


def judge_steps(steps: Sequence[Step], pipeline: str, promised: int) -> list[Finding]:
    """Each difference from the contracts; what `topics check` tells. `promised`: how many topics there are."""
    missing = [step for step in steps if step.action == "create"]
    found = [_step(step, pipeline) for step in steps if step.action != "create"]
    if any(not step.without for step in missing):
        what = f"{len(missing)} of {promised} do not exist: {', '.join(step.topic for step in missing)}"
        found.insert(0, fail("topics", what, f"create them with: lepton-stream topics apply {pipeline}"))
    else:
        create = f"create it with: lepton-stream topics apply {pipeline}"
        found[:0] = [warn(f"topic {step.topic}", f"does not exist: {step.without}", create) for step in missing]
    return [*found, *([] if found else [ok("topics", f"all {promised} are as they should be")])]


def _step(step: Step, pipeline: str) -> Finding:
    about = f"topic {step.topic}, {step.what}"
    apply = f"lepton-stream topics apply {pipeline}"
    has, wanted = value_text(step.what, step.found), value_text(step.what, step.wanted)
    if step.action == "unknown":
        return unknown(about, step.note, "make sure of it by hand" + (f": {wanted}" if wanted else ""))
    what = f"is {has}, expects {wanted}"
    if step.action in ("set", "grow"):
        return (warn if step.what in GENTLE else fail)(about, what, f"mend it with: {apply}")
    return fail(about, what, step.note)


def judge_source(s: SourceTopic, memory: int | None) -> list[Finding]:
    """What retention does to the source. `memory`: offsets that dedup remembers, None without dedup."""
    if s.settings is None:
        remedy = "make sure by hand that its retention is longer than a run may stand still"
        return [unknown(f"source {s.name}", "this broker does not tell the settings of topics", remedy)]
    return [*_retention(s, s.settings), *_memory(s, memory), *_durable(s, s.settings)]


def _retention(s: SourceTopic, settings: Mapping[str, str]) -> Iterator[Finding]:
    about, text = "source retention", settings.get("retention.ms", FOREVER)
    if text == FOREVER:
        yield ok(about, f"{s.name} keeps its records for ever")
        return
    kept, keeps = int(text), value_text("retention.ms", text)
    by_records = settings.get("message.timestamp.type", "CreateTime") == "CreateTime"
    oldest = min((log.oldest_ms for log in s.logs if log.oldest_ms is not None), default=None)
    longer = "set its retention.ms to -1, or message.timestamp.type to LogAppendTime"
    if kept < LEAST_RETENTION_MS:
        what = f"{s.name} keeps records for {keeps}: a service that stands still for longer loses them uncounted"
        yield warn(about, what, "set its retention.ms to days rather than hours")
    elif by_records and oldest is None:
        what = f"{s.name} deletes what is older than {keeps} by the records' own timestamps: old data goes unread"
        yield warn(about, what, f"{longer}, before data with old timestamps is written; for live data this is right")
    elif by_records and oldest is not None and oldest < s.now_ms - kept:
        age = (s.now_ms - oldest) / DAY_MS
        what = f"{s.name} holds records with timestamps of {age:,.0f} days ago and keeps {keeps}: they are deleted soon"
        yield warn(about, what, longer)
    else:
        yield ok(about, f"{s.name} keeps records for {keeps}")


def _memory(s: SourceTopic, memory: int | None) -> Iterator[Finding]:
    if memory is None:
        return
    about = "dedup memory"
    short = [(p, log) for p, log in enumerate(s.logs) if log.start > 0 and log.end - log.start < memory]
    if short:
        p, log = min(short, key=lambda one: one[1].end - one[1].start)
        what = (
            f"remembers {memory:,} offsets, but retention has left {log.end - log.start:,} of partition {p}: "
            "after a restart older ids are new"
        )
        yield warn(about, what, "keep the source for longer, or set dedup.memory to what it holds")
    else:
        yield ok(about, f"{memory:,} offsets, all of them there to be read again")


def _durable(s: SourceTopic, settings: Mapping[str, str]) -> Iterator[Finding]:
    text = settings.get("min.insync.replicas", "1")
    needed = int(text) if text.isdigit() else 1
    about = "source durability"
    if needed > s.copies:
        what = f"min.insync.replicas of {s.name} is {needed}, with {s.copies} copies: nothing can be written"
        yield fail(about, what, f"set min.insync.replicas to {max(s.copies - 1, 1)}, or add copies")
    elif s.copies >= 3 and needed < 2:
        what = f"{s.name} has {s.copies} copies, but acknowledges with {needed}"
        yield warn(about, what, "set its min.insync.replicas to 2")
    before = settings.get("message.timestamp.before.max.ms", "")
    if before.isdigit() and int(before) < 10_000 * DAY_MS:
        what = f"{s.name} refuses records that are {value_text('retention.ms', before)} old"
        yield warn("source timestamps", what, "unset message.timestamp.before.max.ms before old data is written")
