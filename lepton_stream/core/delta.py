"""What a checkpoint writes of a state, and a state put together again from what checkpoints wrote.

A delta holds the cells that changed since the last one, a slice of all others, which cells left, and the rest of the
state whole (progress, account, number). Applied in order from any point that is a whole turn of slices back, deltas
give the state.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from lepton_stream import wire
from lepton_stream.account import Account
from lepton_stream.columns import Index
from lepton_stream.core.fold import PartitionState
from lepton_stream.core.job import Job
from lepton_stream.core.model_delta import apply_model, put_model
from lepton_stream.errors import IntegrityError
from lepton_stream.kernels.kernel import check
from lepton_stream.pipeline.plan_hash import remedy
from lepton_stream.shuffle.frame import get_states, put_states
from lepton_stream.shuffle.routing import prints_of
from lepton_stream.windows.table import Table
from lepton_stream.windows.watermark import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Rows of a table: those to write whole, and those that left."""

    kept: Index
    gone: Index


def dump(job: Job, state: PartitionState, selections: list[Selection], turn: tuple[int, int] | None = None) -> bytes:
    """A delta as versioned bytes; one selection a table, whose rows are still readable. `turn`: slice, of how many."""
    arrays: wire.Arrays = {}
    tables = []
    for i, (table, chosen) in enumerate(zip(state.tables, selections, strict=True)):
        states = table.states_of(chosen.kept)
        for name, rows in (("kept", chosen.kept), ("gone", chosen.gone)):
            arrays[f"{i}/{name}/window"] = table.window[rows]
            wire.put_columns(arrays, f"{i}/{name}/group", table.group(rows))
        arrays[f"{i}/final"] = table.final[chosen.kept]
        put_states(arrays, f"{i}/states", states)
        tables.append({"closed_to": table.closed_to, "states": [(key, list(s)) for key, s in states.items()]})
    progress = {str(s): (p.next, p.high, p.idle, p.ended, p.earlier, p.era) for s, p in state.progress.items()}
    meta = {
        "kind": "delta",
        "plan": job.plan_hash,
        "partitions": job.partitions,
        "number": state.number,
        "published": state.published,
        "era": state.era,
        "by_window": dict(state.by_window),
        "progress": progress,
        "account": {str(s): a.to_dict() for s, a in state.account.items()},
        "tables": tables,
        **_models(arrays, state, turn),
    }
    return wire.dump(meta, arrays)


def _models(arrays: wire.Arrays, state: PartitionState, turn: tuple[int, int] | None) -> dict[str, Any]:
    """Nothing for a plan without models: its deltas are as they were before there were any."""
    if not state.models:
        return {}
    told = [put_model(arrays, f"m{i}", model, turn) for i, model in enumerate(state.models)]
    return {"models": told, "scored": dict(state.scored), "events": dict(state.events)}


def apply(job: Job, state: PartitionState, data: bytes) -> None:
    """Move the state on by a delta. Raises IntegrityError for bytes that are no delta of this plan and job."""
    meta, arrays = wire.load(data)
    if meta.get("kind") != "delta":
        raise IntegrityError(f"expected a checkpoint, found {meta.get('kind')!r}")
    with wire.read_as("checkpoint"):
        _apply(job, state, meta, arrays)


def _apply(job: Job, state: PartitionState, meta: dict[str, Any], arrays: wire.Arrays) -> None:
    if meta["plan"] != job.plan_hash:
        usual = "drain the old plan first, or give the changed one a new pipeline version"
        told = remedy(meta["plan"], job.plan_hash, usual)
        raise IntegrityError(
            f"the stored state is of plan {meta['plan']}, but this worker runs plan {job.plan_hash}: {told}"
        )
    if meta["partitions"] != job.partitions:  # groups live elsewhere now: their windows would begin anew
        raise IntegrityError(
            f"the stored state is one of {meta['partitions']} shuffle partitions, but there are {job.partitions} now: "
            "their number cannot change; give the pipeline a new `version`, which has topics of its own"
        )
    state.number, state.published = meta["number"], meta["published"]
    state.by_window = _by_window(job, meta)
    state.progress, state.era = _progress(meta), meta.get("era", 0)  # earlier builds knew no eras
    state.account = {int(s): Account.from_dict(a) for s, a in meta["account"].items()}
    for i, (table, told) in enumerate(zip(state.tables, meta["tables"], strict=True)):
        _apply_table(job, table, arrays, i, told)
    state.scored, state.events = Counter(meta.get("scored", {})), Counter(meta.get("events", {}))
    for i, (model, told) in enumerate(zip(state.models, meta.get("models", []), strict=True)):
        apply_model(arrays, f"m{i}", model, told)


def progress_in(data: bytes) -> dict[int, Progress]:
    """What a delta says of every source, without the rest."""
    with wire.read_as("checkpoint"):
        return _progress(wire.load(data)[0])


def _progress(meta: dict[str, Any]) -> dict[int, Progress]:
    return {int(s): Progress(*p) for s, p in meta["progress"].items()}


def _by_window(job: Job, meta: dict[str, Any]) -> Counter[str]:
    """Results by window section; earlier builds wrote the sum alone, which tells it where there is one section."""
    if "by_window" not in meta and len(job.sections) == 1:
        return Counter({job.sections[0].window.name: meta["published"]})
    return Counter(meta.get("by_window", {}))


def _apply_table(job: Job, table: Table, arrays: wire.Arrays, i: int, told: dict[str, object]) -> None:
    states = get_states(arrays, f"{i}/states", told["states"])  # type: ignore[arg-type]
    kept, final = _rows(job, table, arrays, f"{i}/kept"), arrays[f"{i}/final"]
    for one in states.values():
        check(one, len(kept))
    if len(final) != len(kept):
        raise ValueError("cells and whether they are final differ in length")
    table.put(kept, states, final)
    table.drop(_rows(job, table, arrays, f"{i}/gone"))
    table.closed_to = int(told["closed_to"])  # type: ignore[call-overload]
    table.sweep()


def _rows(job: Job, table: Table, arrays: wire.Arrays, where: str) -> Index:
    window = arrays[f"{where}/window"]
    if not len(window):  # then there are no columns either, see Table.group
        return np.zeros(0, np.int64)
    group = wire.get_columns(arrays, f"{where}/group", table.section.window.group_by)
    return table.rows_for(prints_of(list(group.values()), window, job.key), window, group)
