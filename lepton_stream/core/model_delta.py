"""Models and alarms in a checkpoint's delta: keys that changed or left, a slice of the others, and the rows that wait.

Of the rows the delta holds those that came since the last one; with the first slice of a turn, all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lepton_stream import wire
from lepton_stream.columns import Index
from lepton_stream.errors import IntegrityError
from lepton_stream.models.ordered import OrderedTable
from lepton_stream.models.waiting import Piece, joined

FORM = 1
"""Version of what is written here."""


def put_model(arrays: wire.Arrays, where: str, table: OrderedTable, turn: tuple[int, int] | None) -> dict[str, Any]:
    """Add the arrays of a model and say what else there is to know; silent keys leave. `turn`: slice, of how many."""
    keys, gone = table.keys, table.forgotten()
    keys.drop(gone)
    kept = keys.touched_rows()
    if turn is not None:
        kept = np.union1d(kept, keys.slice_rows(*turn))
    for name, rows in (("kept", kept), ("gone", gone)):
        arrays[f"{where}/{name}"] = rows
        wire.put_columns(arrays, f"{where}/{name}/group", keys.group(rows))
    arrays[f"{where}/last"], arrays[f"{where}/seen"] = keys.last[kept], keys.seen[kept]
    for name, array in keys.states.items():
        arrays[f"{where}/state/{name}"] = array[kept].ravel()
    anew = turn is not None and turn[0] == 0
    _put_rows(arrays, where, table.waiting.whole() if anew else table.waiting.fresh, table.closed_to)
    return {"form": FORM, "closed_to": table.closed_to, "anew": anew}


def _put_rows(arrays: wire.Arrays, where: str, pieces: list[Piece], closed_to: int) -> None:
    some = [piece.take(piece.time >= closed_to) for piece in pieces]
    some = [piece for piece in some if len(piece)]
    if some:
        rows = joined(some)
        arrays[f"{where}/time"], arrays[f"{where}/source"] = rows.time, rows.source
        arrays[f"{where}/offset"] = rows.offset
        wire.put_columns(arrays, f"{where}/c", rows.columns)


def settle(table: OrderedTable) -> None:
    """What was to be written is: from here on the next delta begins."""
    table.keys.touched[:] = False
    table.keys.sweep()
    table.waiting.fresh = []


def apply_model(arrays: wire.Arrays, where: str, table: OrderedTable, told: dict[str, Any]) -> None:
    """Move a model on by what `put_model` wrote. Raises IntegrityError for another form."""
    if told["form"] != FORM:
        raise IntegrityError(
            f"state of model {table.section.model.name} in form {told['form']}: this build reads form {FORM}; finish "
            "with the build that wrote it, or start a new pipeline version"
        )
    keys, by = table.keys, table.section.model.by
    kept, gone = (_keys(arrays, f"{where}/{name}", table, by) for name in ("kept", "gone"))
    keys.last[kept], keys.seen[kept] = arrays[f"{where}/last"], arrays[f"{where}/seen"]
    for name, array in keys.states.items():
        array[kept] = arrays[f"{where}/state/{name}"].reshape(len(kept), *array.shape[1:])
    keys.drop(gone)
    table.closed_to = int(told["closed_to"])
    rows = None
    if f"{where}/time" in arrays:
        columns = wire.get_columns(arrays, f"{where}/c", table.section.columns)
        time, source, offset = (arrays[f"{where}/{name}"] for name in ("time", "source", "offset"))
        rows = Piece(columns, time, source, offset)
    table.waiting.restore(rows, table.closed_to, anew=told["anew"])
    settle(table)


def _keys(arrays: wire.Arrays, where: str, table: OrderedTable, by: tuple[str, ...]) -> Index:
    n = len(arrays[where])
    if not n:  # then there are no columns either, see Keys.group
        return np.zeros(0, np.int64)
    return table.keys.rows_for(wire.get_columns(arrays, f"{where}/group", by), n)
