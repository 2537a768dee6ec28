"""The events of a checkpoint: rows that the watermark has passed are scored, keys that were silent are forgotten."""

from __future__ import annotations

from lepton_stream.core.fold import PartitionState
from lepton_stream.models.events import Events
from lepton_stream.models.ordered import OrderedTable


def score(state: PartitionState, most: int | None = None) -> tuple[list[Events], bool]:
    """(one batch a model that has any, whether rows are left to be scored). `most`: about so many rows a model."""
    batches: list[Events] = []
    more = False
    for table in state.models:
        marks = _marks(state, table)
        count, events = table.score(*marks, most)
        if count:
            state.scored[table.section.model.name] += count
        if events is not None:
            batches.append(events)
            state.events[events.model] += len(events)
        more |= table.due(*marks)
    return batches, more


def scoring(state: PartitionState) -> bool:
    """Whether rows wait that the watermark has passed."""
    return any(table.due(*_marks(state, table)) for table in state.models)


def _marks(state: PartitionState, table: OrderedTable) -> tuple[int, int]:
    """Up to where rows are taken, and up to where silence is one."""
    lateness = table.section.model.lateness_us
    return state.mark_for(table, lateness), state.heard(lateness)
