"""Before a run joins the group: do the group's commits, the logs and the plan still fit each other?

Owners check their own partitions again. Here all are looked at together, so that a person reads one message, and before
anything is claimed: what a new partition or a recreated source sends cannot be taken back.
"""

from __future__ import annotations

from lepton_stream import core
from lepton_stream.chunk import SourcePartition
from lepton_stream.core import PartitionState
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.parts import chain
from lepton_stream.protocol.ports import Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort

REMEDY = "nothing was reset; give the plan a new `version`, which has a group and topics of its own"


async def refuse_misfit(outside: Outside) -> None:
    """Raises IntegrityError, with the remedy. A broker that keeps no metadata has nothing to hold against the logs."""
    if not outside.keeps_metadata:
        return
    view, job = outside.view, outside.job
    positions = await outside.positions([*view.sources, *view.shuffle])
    for tp in view.sources:
        Preparer(job, tp, KafkaSourcePort(outside, tp, NOBODY)).begin(positions[tp])
    await _refuse_forgotten(outside, positions)
    pointers: dict[SourcePartition, Pointer] = {}
    for tp in view.shuffle:
        merger = Merger(job, tp, KafkaMergePort(outside, tp, NOBODY), len(view.sources), "")
        merger.place(positions[tp])
        pointers[tp] = merger.pointer
    for tp, pointer in pointers.items():
        if pointer.first >= 0:
            await _refuse_other_sources(outside, tp, pointer, positions)
            return  # one state knows of all sources


async def _refuse_forgotten(outside: Outside, positions: dict[SourcePartition, Position]) -> None:
    """An owner commits its pointer before it writes state: state without a pointer means that commits were lost."""
    state = {SourcePartition(outside.names.state, tp.partition): tp for tp in outside.view.shuffle}
    for of, end in (await outside.logs.ends(state)).items():
        if end > 0 and positions[state[of]].offset is None:
            raise IntegrityError(
                f"{state[of].topic} partition {of.partition}: {of.topic} holds state, but the group "
                f"{outside.names.group} has no position: its commits were deleted or have expired; {REMEDY}"
            )


async def _refuse_other_sources(
    outside: Outside, tp: SourcePartition, pointer: Pointer, positions: dict[SourcePartition, Position]
) -> None:
    """The sources must be those that were counted so far, and go on where they stood."""
    topic, state = outside.names.source, PartitionState.empty(outside.job, {})
    port = KafkaMergePort(outside, tp, NOBODY)
    where = f"{outside.names.state} partition {tp.partition}"
    records = await port.read_state(pointer.first, pointer.last)
    core.apply(outside.job, state, chain(records, pointer.first, pointer.first, where)[-1].delta)
    count = len(outside.view.sources)
    if set(state.progress) != set(range(count)):
        raise IntegrityError(
            f"{topic} has {count} partitions, and had {len(state.progress)} when the counting began: keys have moved "
            f"between partitions, and duplicates with them; {REMEDY}"
        )
    for source in outside.view.sources:
        at, counted = positions[source], state.progress[source.partition].next
        if at.offset is None and counted > at.log_start:
            raise IntegrityError(
                f"{topic} partition {source.partition}: records up to offset {counted} were counted, but the group "
                f"{outside.names.group} has no position: the topic was deleted and made anew; {REMEDY}"
            )
