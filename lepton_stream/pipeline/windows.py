"""`[[window]]`: sizes, groups and results that fit the fields and each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lepton_stream.expression.typed import Expression
from lepton_stream.pipeline.calls import ParsedCall, check_call
from lepton_stream.pipeline.derived import Scope, condition
from lepton_stream.pipeline.durations import duration_text
from lepton_stream.pipeline.fields import GROUP_TYPES, Known, check_role
from lepton_stream.pipeline.findings import MISSING, Findings, MisfitError, Missing, Path
from lepton_stream.pipeline.plan import Derived, Window
from lepton_stream.pipeline.result_columns import RESULT_COLUMNS, derive_results

MOST_OVERLAP = 1_000
"""Windows that a record may count in: each costs a cell of state and a merge of what a chunk adds to it."""


def check_windows(
    windows: Sequence[Any], key: tuple[str, ...], known: Known, scope: Scope, found: Findings
) -> list[tuple[Expression | None, tuple[Derived, ...]]]:
    """Every window, and that no two have the same name; gives their conditions and the columns derived of results.

    `key`: what group_by is when left out. `scope`: what expressions and results may name.
    """
    names: set[Any] = set()
    computed: list[tuple[Expression | None, tuple[Derived, ...]]] = []
    for i, raw in enumerate(windows):
        if isinstance(raw, Missing):
            continue
        path = ("window", i)
        check_name(raw, path, names, "window", found)
        _check_every(raw, path, found)
        _check_offset(raw, path, found)
        given = raw.get("group_by")
        groups = key if given is None else given
        check_groups(groups, (*path, "group_by"), RESULT_COLUMNS, known, scope, found, given=given is not None)
        broken = _check_results(raw, groups, path, scope, found)
        where = condition(raw.get("where"), (*path, "where"), scope, found)
        computed.append((where, derive_results(raw, groups, broken, path, scope, found)))
    return computed


def _check_every(raw: Mapping[str, Any], path: Path, found: Findings) -> None:
    if "every" not in raw or "kind" not in raw:
        return  # wrong, and told
    every, size, at = raw["every"], raw.get("size"), (*path, "every")
    if raw["kind"] != "hopping":
        if every is not None:
            found.add(at, duration_text(every), 'is for windows of kind = "hopping"')
    elif every is None:
        found.add(at, MISSING, 'expects how often a window begins, such as "1h"')
    elif size is not None and size % every:
        wish = f"expects a part of the size: {duration_text(size)} is no multiple of it"
        found.add(at, duration_text(every), wish)
    elif size is not None and size // every > MOST_OVERLAP:
        wish = f"expects at least {duration_text(-(-size // MOST_OVERLAP))}: a record counts in size / every windows"
        found.add(at, duration_text(every), f"{wish}, at most {MOST_OVERLAP:,}")


def _check_offset(raw: Mapping[str, Any], path: Path, found: Findings) -> None:
    size, offset, every = raw.get("size"), raw.get("offset"), raw.get("every")
    step, name = (size, "the size") if every is None else (every, "every")
    if step is not None and offset is not None and offset >= step > 0:
        wish = f"expects less than {name}, {duration_text(step)}: windows begin again after that"
        found.add((*path, "offset"), duration_text(offset), wish)


def check_name(raw: Mapping[str, Any], path: Path, taken: set[Any], others: str, found: Findings) -> None:
    """The section has a name that none of the `taken` is; from now on it is one of them. `others`: who has those."""
    name = raw.get("name")
    if name in taken:
        found.add((*path, "name"), name, f"expects a name of its own; another {others} has this one")
    taken |= {name} - {None}


def check_groups(
    names: Sequence[str],
    path: Path,
    taken: Sequence[str],
    known: Known,
    scope: Scope,
    found: Findings,
    *,
    given: bool,
    what: str = "result",
) -> None:
    """Fields that make a group. `taken`: columns that every `what` has; `given`: they are not those of source.key."""
    for name in names:
        if name in taken:
            found.add(path, name, f"every {what} has a column {name} of its own; rename the field")
        if given and name in scope.known and name not in known.fields:
            _check_derived(path, name, scope, found)
        elif given and name not in scope.broken:  # those of source.key were checked there
            check_role(path, name, GROUP_TYPES, known, found)


def _check_derived(path: Path, name: str, scope: Scope, found: Findings) -> None:
    column = scope.known[name]
    if column.kind not in GROUP_TYPES:
        found.add(path, name, f"expects a field of type {' or '.join(GROUP_TYPES)}; {name} is {column.kind}")
    elif column.nullable:
        found.add(path, name, "expects a column that is never null; coalesce(a, b) gives those without a value one")


def _check_results(
    raw: Mapping[str, Any], groups: Sequence[str], path: Path, scope: Scope, found: Findings
) -> set[str]:
    """Names and calls; gives the columns whose call is wrong."""
    broken: set[str] = set()
    for column, parsed in raw.get("results", {}).items():
        at = (*path, "results", column)
        if column in groups:
            found.add(at, parsed.text, "expects a name that is not one of group_by")
        if column in RESULT_COLUMNS:
            found.add(at, parsed.text, f"every result has a column {column} of its own; choose another name")
        if not _check_call(parsed, at, scope, found):
            broken.add(column)
    return broken


def _check_call(parsed: ParsedCall, path: Path, scope: Scope, found: Findings) -> bool:
    if not scope.broken.isdisjoint(parsed.call.args):
        return False  # the field has a problem of its own, which says more
    try:
        check_call(parsed, scope.types)
    except MisfitError as e:
        found.add(path, parsed.text, e.wish, e.hint)
        return False
    return True


def make_window(
    raw: Mapping[str, Any], key: tuple[str, ...], where: Expression | None, derived: tuple[Derived, ...] = ()
) -> Window:
    """The window of checked keys, its checked condition and columns."""
    return Window(
        name=raw["name"],
        size_us=raw["size"],
        group_by=key if raw["group_by"] is None else raw["group_by"],
        results=tuple((column, parsed.call) for column, parsed in raw["results"].items()),
        offset_us=raw["offset"],
        lateness_us=raw["lateness"],
        grace_us=raw["grace"],
        emit=raw["emit"],
        kind=raw["kind"],
        where=where,
        every_us=raw["every"],
        derived=derived,
    )
