"""From the state of a shuffle partition to results."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.core.fold import PartitionState
from lepton_stream.windows.results import Results, close
from lepton_stream.windows.watermark import FOREVER, watermark


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`number` counts from 1 and is the version of the results, one batch a window section that has any."""

    number: int
    results: list[Results]


def checkpoint(state: PartitionState) -> Checkpoint:
    """Close what the watermark allows and read the results; when every source has ended, close everything."""
    state.number += 1
    mark = watermark(state.progress.values())
    batches = []
    for table in state.tables:
        to = FOREVER if state.ended else mark - table.section.window.lateness_us
        batches += close(table, to, state.number)
    return Checkpoint(state.number, batches)
