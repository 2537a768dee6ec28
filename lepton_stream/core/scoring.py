"""The events of a checkpoint: rows that the watermark has passed are scored, keys that were silent are forgotten."""

from __future__ import annotations

from lepton_stream.core.fold import PartitionState
from lepton_stream.models.events import Events
from lepton_stream.models.table import ModelTable


def score(state: PartitionState, most: int | None = None) -> tuple[list[Events], bool]:
    """(one batch a model that has any, whether rows are left to be scored). `most`: about so many rows a model."""
    batches: list[Events] = []
    more = False
    for table in state.models:
        mark = _mark(state, table)
        count, events = table.score(mark, most)
        if count:
            state.scored[table.section.model.name] += count
        if events is not None:
            batches.append(events)
            state.events[events.model] += len(events)
        more |= table.due(mark)
    return batches, more


def scoring(state: PartitionState) -> bool:
    """Whether rows wait that the watermark has passed."""
    return any(table.due(_mark(state, table)) for table in state.models)


def _mark(state: PartitionState, table: ModelTable) -> int:
    return state.mark_for(table, table.section.model.lateness_us)
