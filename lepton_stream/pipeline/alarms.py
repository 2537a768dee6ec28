"""`[[alarm]]`: fields, thresholds and keys that fit the fields and each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lepton_stream.expression.typed import Expression
from lepton_stream.pipeline.catalogue import NUMERIC
from lepton_stream.pipeline.derived import Scope, condition
from lepton_stream.pipeline.fields import Known
from lepton_stream.pipeline.findings import MISSING, Findings, Missing, Path
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Alarm
from lepton_stream.pipeline.windows import check_groups, check_name

ALARM_COLUMNS = (
    "model", "field", "event_time", "seen", "expected", "alarm", "change", "since", "until", "worst", "threshold",
    "back", "because", "source_topic", "source_partition", "source_offset",
)  # fmt: skip
"""What every event of an alarm has; no key field may have these names."""


def check_alarms(
    alarms: Sequence[Any], key: tuple[str, ...], taken: set[Any], known: Known, scope: Scope, found: Findings
) -> list[Expression | None]:
    """Every alarm; gives their conditions. `key`: what by is when left out. `taken`: names of other sections."""
    names = set(taken)
    conditions: list[Expression | None] = []
    for i, raw in enumerate(alarms):
        if isinstance(raw, Missing):
            continue
        path = ("alarm", i)
        check_name(raw, path, names, "window, model or alarm", found)
        by = raw.get("by")
        groups = key if by is None else by
        check_groups(groups, (*path, "by"), ALARM_COLUMNS, known, scope, found, given=by is not None, what="event")
        _check_field(raw, (*path, "field"), scope, found)
        _check_thresholds(raw, path, found)
        conditions.append(condition(raw.get("where"), (*path, "where"), scope, found))
    return conditions


def _check_field(raw: Mapping[str, Any], path: Path, scope: Scope, found: Findings) -> None:
    name = raw.get("field")
    if name is None or name in scope.broken:
        return  # wrong, and told
    kind = scope.types.get(name)
    if kind is None:
        found.add(path, name, "no such field in [fields] or [derive]", nearest(name, scope.types))
    elif kind not in NUMERIC:
        found.add(path, name, f"expects a field of type {' or '.join(NUMERIC)}; {name} is {kind}")


def _check_thresholds(raw: Mapping[str, Any], path: Path, found: Findings) -> None:
    if not {"below", "above", "back"} <= raw.keys():
        return  # wrong, and told
    below, above, back = raw["below"], raw["above"], raw["back"]
    if below is None and above is None:
        found.add((*path, "below"), MISSING, "expects below or above: the threshold beyond which the alarm opens")
    elif below is not None and above is not None:
        found.add((*path, "above"), above, "expects either below or above; make two alarms of it")
    elif back is not None and below is not None and back < below:
        found.add((*path, "back"), back, f"expects at least below, {below}: what closes the alarm must not open it")
    elif back is not None and above is not None and back > above:
        found.add((*path, "back"), back, f"expects at most above, {above}: what closes the alarm must not open it")


def make_alarm(raw: Mapping[str, Any], key: tuple[str, ...], where: Expression | None) -> Alarm:
    """The alarm of checked keys and its checked condition."""
    side: Literal["below", "above"] = "above" if raw["below"] is None else "below"
    threshold = raw[side]
    return Alarm(
        name=raw["name"],
        by=key if raw["by"] is None else raw["by"],
        field=raw["field"],
        side=side,
        threshold=float(threshold),
        back=float(threshold if raw["back"] is None else raw["back"]),
        open_after_us=raw["open_after"],
        open_values=raw["open_values"],
        close_after_us=raw["close_after"],
        close_values=raw["close_values"],
        lateness_us=raw["lateness"],
        forget_us=raw["forget"],
        where=where,
    )
