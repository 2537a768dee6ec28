"""The group has lost its commits: one member puts them together again from the logs, while all others wait.

The member that owns the first shuffle partition does it, before any owner begins. Commits are refused once the group
has moved on, so of two that believe they are that member only one can; and all that is missing is committed in one
request, which the group keeps as a whole. Whoever is killed before has changed nothing that counts: the next does it
again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Mapping

from lepton_stream.chunk import SourcePartition
from lepton_stream.core import PartitionState
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.metadata import to_text
from lepton_stream.protocol.ports import FrameRun, Position
from lepton_stream.protocol.preparer import Preparer
from lepton_stream.protocol.recover import Recovery, claims
from lepton_stream.runtime.kafka.errors import MADE_ANEW
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.identity import Identity
from lepton_stream.runtime.kafka.outside import Outside
from lepton_stream.runtime.kafka.ports import KafkaMergePort, KafkaSourcePort
from lepton_stream.runtime.kafka.reader import read_range

logger = logging.getLogger(__name__)
NAMED = 8
"""Sources that the log line names."""


async def lost(outside: Outside) -> bool:
    """Whether a shuffle partition has frames or state, but no commit.

    Its owner commits before it writes state, and no source sends before all of them have (`View.pointed`). It stays so
    until somebody recovers, as whoever sees it waits: all members of the group decide alike.
    """
    if not outside.keeps_metadata:
        return False
    shuffle = outside.view.shuffle
    state = [SourcePartition(outside.names.state, tp.partition) for tp in shuffle]
    ends = await outside.logs.ends([*state, *shuffle])
    committed = await outside.group.committed(shuffle)  # after the ends: a commit comes before what they tell of
    return any(max(ends[of], ends[tp]) > 0 and committed[tp] is None for of, tp in zip(state, shuffle, strict=True))


async def recover_or_wait(outside: Outside, mine: frozenset[SourcePartition], identity: Identity) -> None:
    """Returns once nothing is lost. Raises IntegrityError where the logs do not hold what is needed, StaleOwner."""
    if not await lost(outside):
        return
    if outside.view.shuffle[0] in mine:
        await recover(outside, identity)
    while await lost(outside):
        await outside.view.next_look()


async def recover(outside: Outside, identity: Identity) -> None:
    """Fold all shuffle partitions to their ends, one after the other, and commit what is missing of the group."""
    view = outside.view
    positions = await outside.positions([*view.sources, *view.shuffle])
    places: dict[SourcePartition, tuple[int, str]] = {}
    folded: dict[int, PartitionState] = {}
    frames = 0
    for tp in view.shuffle:
        at = positions[tp]
        recovery = Recovery(
            outside.job, tp, KafkaMergePort(outside, tp, identity), len(view.sources), secrets.token_hex(8)
        )
        frames += await _fold_all(outside, recovery, at)
        if at.offset is None:
            places[tp] = await recovery.write()
        # only how far it has come is kept: all tables at once may be more than one worker can hold
        folded[tp.partition] = PartitionState([], recovery.state.progress, era=recovery.state.era)
    found = _claims(outside, folded, positions)
    places |= found
    await outside.committer.commit_together(places, identity)
    _tell(outside, len(places) - len(found), frames, found)


async def _fold_all(outside: Outside, recovery: Recovery, at: Position) -> int:
    """Begin, and take every frame that is in the log; how many."""
    frames, start = 0, await recovery.begin(at)
    refuse_other_sources(outside, recovery.state.progress.keys())
    async for chunk in read_range(outside.connection, recovery.partition, start, at.log_end):
        recovery.take(FrameRun(chunk.offsets, [v or b"" for v in chunk.values.to_list()], chunk.end))
        frames += len(chunk)
        await asyncio.sleep(0)  # whoever wants to end us is heard
    return frames


def _claims(
    outside: Outside, folded: Mapping[int, PartitionState], positions: Mapping[SourcePartition, Position]
) -> dict[SourcePartition, tuple[int, str]]:
    """Where the sources without a commit go on. Raises IntegrityError where their logs do not reach so far back."""
    sources = {tp.partition: tp for tp in outside.view.sources}
    begins = {s: positions[tp].log_start for s, tp in sources.items()}
    found: dict[SourcePartition, tuple[int, str]] = {}
    for s, (offset, claim) in claims(outside.job, folded, begins).items():
        tp, text = sources[s], to_text(claim)
        at = positions[tp]
        if at.offset is None:
            port = KafkaSourcePort(outside, tp, NOBODY)
            Preparer(outside.job, tp, port).begin(Position(offset, text, at.log_start, at.log_end))
            found[tp] = offset, text
    return found


def refuse_other_sources(outside: Outside, known: Collection[int]) -> None:
    """Raises IntegrityError where the counting began with another number of source partitions."""
    topic, count, before = outside.names.source, len(outside.view.sources), set(known)
    if before != set(range(count)):
        raise IntegrityError(
            f"{topic} has {count} partitions, and had {len(before)} when the counting began: keys have moved between "
            f"partitions, and duplicates with them; {MADE_ANEW}"
        )


def refuse_new_partitions(outside: Outside, assigned: Collection[SourcePartition]) -> None:
    """Raises IntegrityError where the group hands out partitions that were not there when this worker started."""
    for tp in sorted(set(assigned) - {*outside.view.sources, *outside.view.shuffle}):
        raise IntegrityError(
            f"{tp.topic} partition {tp.partition} is new: the topic was given more partitions while its records are "
            "counted, so keys have moved between partitions, and duplicates with them; nothing of it was counted, and "
            f"{MADE_ANEW}"
        )


def _tell(outside: Outside, shuffles: int, frames: int, found: Mapping[SourcePartition, tuple[int, str]]) -> None:
    ats = [f"{tp.partition} at {offset:,}" for tp, (offset, _) in sorted(found.items())]
    more = f" and {len(ats) - NAMED} more" if len(ats) > NAMED else ""
    logger.warning(
        "%s: the group %s had lost its commits (expired or deleted), and goes on from the logs: %d shuffle partitions "
        "recovered, %s frames read again; partitions of %s: %s%s",
        outside.job.plan.name,
        outside.names.group,
        shuffles,
        f"{frames:,}",
        outside.names.source,
        ", ".join(ats[:NAMED]) or "all have their commits",
        more,
    )
