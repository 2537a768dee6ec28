"""Judges settings of a plan that are allowed, and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

from lepton_stream.doctor.finding import Finding, ok, warn
from lepton_stream.pipeline.durations import MICROSECONDS
from lepton_stream.pipeline.plan import Plan

DAY_US = MICROSECONDS["d"]
MOST_OPEN = 100
"""Windows of one group that lateness, or the overlap of hopping windows, may keep open."""
LEAST_IDLE_US = 2 * MICROSECONDS["s"]
"""The group's commits are looked at once a second: idleness is not known sooner."""


def judge_plan(plan: Plan) -> list[Finding]:
    """Findings about the plan alone, no broker asked."""
    found = [*_lateness(plan), *_overlap(plan), *_idle(plan), *_ahead(plan), *_identity(plan), *_copies(plan)]
    return [*found, *([] if found else [ok("plan", f"{plan.name}: no setting that is seldom meant")])]


def _lateness(plan: Plan) -> Iterator[Finding]:
    for w in plan.windows:
        about = f"lateness of window {w.name}"
        if w.lateness_us == 0:
            what = "0: whatever is older than the newest record of its partition is late, if its window has ended"
            yield warn(about, what, "set lateness to the disorder that your data has")
        elif w.lateness_us > MOST_OPEN * w.size_us:
            what = f"keeps {w.lateness_us // w.size_us:,} windows of each group open, in memory and in every state"
            yield warn(about, what, f"set lateness below {MOST_OPEN} window sizes, or make the windows larger")
    for m in plan.in_order:
        if m.lateness_us == 0:
            what = "0: whatever is older than the newest record of its partition is late, and is not looked at"
            about = f"lateness of {'model' if m in plan.models else 'alarm'} {m.name}"
            yield warn(about, what, "set lateness to the disorder that your data has")


def _overlap(plan: Plan) -> Iterator[Finding]:
    for w in plan.windows:
        if w.overlap > MOST_OPEN:
            what = f"each record counts in {w.overlap:,} windows, which are all open, and costs as many merges"
            yield warn(f"every of window {w.name}", what, f"make every at least a {MOST_OPEN}th of the size")


def _idle(plan: Plan) -> Iterator[Finding]:
    source = plan.source
    if source.idle == "wait":
        what = '"wait": one partition without records keeps the windows of all others open, for ever if need be'
        yield warn("source.idle", what, 'set idle = "advance", unless every partition always has records')
    elif source.idle_timeout_us < LEAST_IDLE_US:
        what = f"{source.idle_timeout_us / 1e6:g} s is shorter than idleness can be told"
        yield warn("source.idle_timeout", what, 'set it to "2s" or more')


def _ahead(plan: Plan) -> Iterator[Finding]:
    ahead = plan.source.max_ahead_us
    if ahead > DAY_US:
        what = f"one record with an event time {ahead / DAY_US:.3g} days ahead closes all windows before it"
        yield warn("source.max_ahead", what, 'set it to what your clocks may really differ by, such as "1h"')


def _identity(plan: Plan) -> Iterator[Finding]:
    key, identity = plan.source.key, plan.source.id
    if identity is None or identity == "all":
        return
    about = "source.id"
    if not key:
        what = "records are the same by id, but no source.key says that such records come to the same partition"
        yield warn(about, what, "name the fields that your producers partition by in source.key, all of them in the id")
    elif outside := sorted(set(key) - set(identity)):
        what = f"records of the same id may differ in {', '.join(outside)}, and then lie in different partitions"
        yield warn(about, what, f"make the id hold every field of source.key: add {', '.join(outside)} to it")


def _copies(plan: Plan) -> Iterator[Finding]:
    if plan.topics.replication < 3:
        what = f"{plan.topics.replication}: the loss of a broker may lose what was acknowledged"
        yield warn("topics.replication", what, "set it to 3 in production")
