"""`[[model]]`: scores, keys and thresholds that fit the fields and each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lepton_stream.expression.typed import Expression
from lepton_stream.pipeline.calls import ParsedCall, check_call
from lepton_stream.pipeline.catalogue import SCORES
from lepton_stream.pipeline.derived import Scope, condition
from lepton_stream.pipeline.fields import Known
from lepton_stream.pipeline.findings import Findings, MisfitError, Missing, Path
from lepton_stream.pipeline.plan import Call, Model
from lepton_stream.pipeline.windows import check_groups, check_name

EVENT_COLUMNS = (
    "model", "field", "event_time", "seen", "expected", "deviation", "score", "alarm", "because",
    "source_topic", "source_partition", "source_offset",
)  # fmt: skip
"""What every event has; no key field may have these names."""

USUAL_WARMUP = 20
"""In values; for drift in levels, which are 1 / weight values apart."""


def check_models(
    models: Sequence[Any], key: tuple[str, ...], taken: set[Any], known: Known, scope: Scope, found: Findings
) -> list[Expression | None]:
    """Every model; gives their conditions. `key`: what by is when left out. `taken`: names of window sections."""
    names = set(taken)
    conditions: list[Expression | None] = []
    for i, raw in enumerate(models):
        if isinstance(raw, Missing):
            continue
        path = ("model", i)
        check_name(raw, path, names, "window or model", found)
        by = raw.get("by")
        groups = key if by is None else by
        check_groups(groups, (*path, "by"), EVENT_COLUMNS, known, scope, found, given=by is not None, what="event")
        _check_numbers(raw, path, found)
        _check_score(raw, path, scope, found)
        conditions.append(condition(raw.get("where"), (*path, "where"), scope, found))
    return conditions


def _check_numbers(raw: Mapping[str, Any], path: Path, found: Findings) -> None:
    threshold, least = raw.get("threshold"), raw.get("least_deviation")
    if threshold is not None and threshold <= 0:
        found.add((*path, "threshold"), threshold, "expects a number above 0")
    if least is not None and least < 0:
        found.add((*path, "least_deviation"), least, "expects a number that is not negative")


def _check_score(raw: Mapping[str, Any], path: Path, scope: Scope, found: Findings) -> None:
    parsed = raw.get("score")
    if parsed is None:
        return
    parsed = written_out(parsed)
    if not scope.broken.isdisjoint(parsed.call.args):
        return  # the field has a problem of its own, which says more
    try:
        call = check_call(parsed, scope.types, SCORES)
    except MisfitError as e:
        found.add((*path, "score"), parsed.text, e.wish, e.hint)
        return
    warmup, least, most = raw.get("warmup"), _apart(call), _most_warmup(call)
    if warmup is not None and most is not None and warmup > most:
        found.add((*path, "warmup"), warmup, f"expects at most the history, {most}: no more values are kept")
    if warmup is not None and warmup < least:
        found.add((*path, "warmup"), warmup, f"expects at least 1 / weight, {least}: then the first level is kept")


def written_out(parsed: ParsedCall) -> ParsedCall:
    """The call with its parameter, where that was left out."""
    signature, args = SCORES.get(parsed.call.function), parsed.call.args
    if signature is None or len(args) != 1:
        return parsed
    usual = signature.parameters[0]
    value = int(usual.example) if usual.whole else usual.example
    return ParsedCall(Call(signature.name, (*args, value)), parsed.text, (*parsed.columns, parsed.end), parsed.end)


def _most_warmup(call: Call) -> int | None:
    return int(call.args[1]) if call.function == "robust_z" else None


def _apart(call: Call) -> int:
    """Values from one level that is kept to the next; 0 where none are."""
    return round(1 / float(call.args[1])) if call.function == "drift" else 0


def _usual_warmup(call: Call) -> int:
    if call.function == "drift":
        return USUAL_WARMUP * _apart(call)
    most = _most_warmup(call)
    return USUAL_WARMUP if most is None else min(USUAL_WARMUP, most)


def make_model(raw: Mapping[str, Any], key: tuple[str, ...], where: Expression | None) -> Model:
    """The model of checked keys and its checked condition."""
    score = written_out(raw["score"]).call
    warmup = raw["warmup"]
    return Model(
        name=raw["name"],
        by=key if raw["by"] is None else raw["by"],
        score=score,
        threshold=float(raw["threshold"]),
        warmup=_usual_warmup(score) if warmup is None else warmup,
        least_deviation=float(raw["least_deviation"]),
        lateness_us=raw["lateness"],
        forget_us=raw["forget"],
        emit=raw["emit"],
        where=where,
    )
