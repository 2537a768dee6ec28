"""`[window.derive]`: columns that are computed of a window's results, checked with the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from lepton_stream.expression.tree import Kind
from lepton_stream.expression.typed import Known
from lepton_stream.expression.walk import names_in
from lepton_stream.pipeline.calls import ParsedCall
from lepton_stream.pipeline.catalogue import SIGNATURES
from lepton_stream.pipeline.derived import Names, ParsedExpression, Scope, derive_columns
from lepton_stream.pipeline.findings import Findings, Path
from lepton_stream.pipeline.plan import Derived

RESULT_COLUMNS = ("window", "window_start", "window_end", "final", "version")
"""What every result record has; no group field and no result column may have these names."""

_NOUN = "result column or group field"


def derive_results(
    raw: Mapping[str, Any], groups: Sequence[str], broken: set[str], path: Path, scope: Scope, found: Findings
) -> tuple[Derived, ...]:
    """The checked columns of `derive` of the window `raw`, which stands at `path`.

    `broken`: results with a problem of their own. `scope`: fields and derived columns, of which groups are made.
    """
    results: Mapping[str, ParsedCall] = raw.get("results", {})
    columns = {name: kind for name, p in results.items() if name not in broken and (kind := _known(p, scope))}
    lists = {name for name in results if name not in columns and name not in broken}
    asked = _without_lists(raw.get("derive", {}), lists, path, found)
    wrong = broken | lists | {name for name in groups if name not in scope.known}
    wrong |= set(raw.get("derive", {})) - set(asked)
    taken = dict.fromkeys(RESULT_COLUMNS, "a column of every result")
    taken |= dict.fromkeys(results, "one of results") | dict.fromkeys(groups, "one of group_by")
    known = {name: Known(scope.known[name].kind, nullable=False) for name in groups if name in scope.known}
    names = Names(known | columns, wrong, taken, _NOUN)
    return derive_columns(asked, (*path, "derive"), names, found).derived


def _without_lists(
    raw: Mapping[str, ParsedExpression], lists: set[str], path: Path, found: Findings
) -> dict[str, ParsedExpression]:
    """Those that name single values only."""
    good: dict[str, ParsedExpression] = {}
    for name, parsed in raw.items():
        named = sorted(lists.intersection(names_in(parsed.node)))
        if named:
            found.add((*path, "derive", name), parsed.text, f"expects single values; {named[0]} is a list")
        else:
            good[name] = parsed
    return good


def _known(parsed: ParsedCall, scope: Scope) -> Known | None:
    """Type of a good call's result; None: a list."""
    signature = SIGNATURES[parsed.call.function]
    if signature.gives == "list":
        return None
    kind = scope.types[str(parsed.call.args[0])] if signature.gives == "same" else signature.gives
    return Known(cast("Kind", kind), nullable=not signature.always)
