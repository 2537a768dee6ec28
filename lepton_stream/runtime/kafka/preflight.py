"""Before a run joins the group: do the group's commits, the logs and the plan still fit each other?

Owners check their own partitions again. Here all are looked at together, so that a person reads one message, and before
anything is claimed: what a new partition or a recreated source sends cannot be taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lepton_stream import core
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import PartitionState
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.parts import chain
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.errors import MADE_ANEW
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort
from lepton_stream.runtime.kafka.recovery import lost, refuse_other_sources

logger = logging.getLogger(__name__)


async def refuse_misfit(outside: Outside) -> None:
    """Raises IntegrityError, with the remedy. A broker that keeps no metadata has nothing to hold against the logs."""
    if not outside.keeps_metadata:
        return
    view, job = outside.view, outside.job
    positions = await outside.positions([*view.sources, *view.shuffle])
    gaps: dict[int, int] = {}
    for tp in view.sources:
        preparer = Preparer(job, tp, KafkaSourcePort(outside, tp, NOBODY))
        preparer.begin(positions[tp])
        if preparer.forgotten:
            gaps[tp.partition] = preparer.forgotten
    if gaps:
        logger.warning("%s", forgotten_line(outside.names.source, gaps))
    if await lost(outside):
        return  # the worker that recovers looks at all together once more
    pointers: dict[SourcePartition, Pointer] = {}
    for tp in view.shuffle:
        merger = Merger(job, tp, KafkaMergePort(outside, tp, NOBODY), len(view.sources), "")
        merger.place(positions[tp])
        pointers[tp] = merger.pointer
    for tp, pointer in pointers.items():
        if pointer.first >= 0:
            await _refuse_other_sources(outside, tp, pointer, positions)
            return  # one state knows of all sources


def forgotten_line(topic: str, gaps: Mapping[int, int]) -> str:
    """What retention has taken from the dedup memory; `gaps`: offsets by source partition."""
    return (
        f"{topic}: retention has deleted {sum(gaps.values()):,} records that the dedup memory should cover (partitions "
        f"{', '.join(map(str, sorted(gaps)[:8]))}): repetitions of those are counted as new; keep the topic for longer "
        "than [dedup] memory reaches back, or lower the memory"
    )


async def _refuse_other_sources(
    outside: Outside, tp: SourcePartition, pointer: Pointer, positions: Mapping[SourcePartition, Position]
) -> None:
    """The sources must be those that were counted so far, and go on where they stood."""
    topic = outside.names.source
    state = await _state(outside, tp, pointer)
    refuse_other_sources(outside, state.progress.keys())
    for source in (source for source in outside.view.sources if source in positions):
        at, counted = positions[source], state.progress[source.partition].next
        if at.offset is None and counted > at.log_start:
            raise IntegrityError(
                f"{topic} partition {source.partition}: records up to offset {counted} were counted, but the group "
                f"{outside.names.group} has no position: the topic was deleted and made anew; {MADE_ANEW}"
            )


async def refuse_made_anew(outside: Outside, mine: Mapping[SourcePartition, Position]) -> None:
    """The same of a worker's own sources, at each assignment: a broker forgets the positions of a deleted topic.

    Nobody else moves these meanwhile. Frames of a topic made anew would pass for repeated ones, and be left aside.
    Raises IntegrityError.
    """
    unknown = {tp: at for tp, at in mine.items() if tp.topic == outside.names.source and at.offset is None}
    if not unknown or not outside.keeps_metadata:
        return
    for tp in outside.view.shuffle:
        pointer = outside.view.seen.pointer(tp)
        if pointer is not None and pointer.first >= 0:
            await _refuse_other_sources(outside, tp, pointer, unknown)


async def _state(outside: Outside, tp: SourcePartition, pointer: Pointer) -> PartitionState:
    """What the newest checkpoint alone tells: how far each source was counted, for one."""
    state, where = PartitionState.empty(outside.job, {}), f"{outside.names.state} partition {tp.partition}"
    records = await outside.read_state(tp.partition, pointer.first, pointer.last)
    core.apply(outside.job, state, chain(records, pointer.first, pointer.first, where)[-1].delta)
    return state
