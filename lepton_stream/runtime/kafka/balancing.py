"""What a worker measures of its partitions, for metrics and for placing them, and when it asks for that anew."""

from __future__ import annotations

from collections.abc import Awaitable, Collection

from lepton_stream import clock
from lepton_stream.autopilot.measured import Measured
from lepton_stream.autopilot.trigger import Trigger
from lepton_stream.chunk import SourcePartition
from lepton_stream.runtime.kafka.assignor import LoadAssignor
from lepton_stream.runtime.kafka.metered import Metered
from lepton_stream.runtime.kafka.owners import Owner, SourceOwner
from lepton_stream.runtime.kafka.view import Seen
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.meter import Labels, Samples

FRESH_S = 5.0
"""A partition that lags by less seems to have an owner with room."""


class Balancer:
    """Of one worker; used in its main loop. `assignor`: None where partitions are placed equally."""

    def __init__(self, assignor: LoadAssignor | None) -> None:
        self.assignor = assignor
        self.measured = Measured()
        self.trigger = Trigger()

    def carried(self, tp: SourcePartition, owner: Owner) -> Awaitable[None]:
        """The owner's `run`, measured from wait to wait once it is restored: what restoring takes is no load."""
        done = _done(owner)

        def note(cpu_s: float, wall_s: float) -> None:
            nonlocal done
            before, done = done, _done(owner)
            if owner.restored:
                self.measured.step(tp, cpu_s, wall_s, max(0, done - before))

        return Metered(owner.run(), note)

    def assigned(self) -> None:
        """The group has placed partitions."""
        word = self.assignor.word if self.assignor is not None else None
        self.trigger.assigned(clock.elapsed_s(), asked=word is not None and word.asked)

    def look(self, seen: Seen, own: Collection[SourcePartition]) -> bool:
        """Once a second, after a look at the group: whether to ask for another placement now."""
        now_s, all_ = clock.elapsed_s(), seen.ends.keys()
        self.measured.tick(now_s, clock.thread_cpu_s(), seen.ends, {tp: seen.behind(tp) for tp in all_})
        if self.assignor is None:
            return False
        self.assignor.measured = {tp: self.measured.load(tp) for tp in all_}, self.measured.capacity
        if self.assignor.word is None or not own:
            return False
        use = self.measured.use(own)
        ask = self.trigger.look(now_s, use, others_can=self._others_can(self.assignor.word.members, all_ - own))
        if ask:
            tell(c.PLACEMENT_ASKED, use=round(use, 3), capacity=round(self.measured.capacity or 0.0, 3))
        return ask

    def _others_can(self, members: int, others: Collection[SourcePartition]) -> bool:
        """Whether somebody else seems to have room: with nothing to do, or with a partition that does not lag."""
        return members > 1 and (not others or any(self.measured.late_s(tp) < FRESH_S for tp in others))

    def gauges(self, worker: str, own: Collection[SourcePartition]) -> Samples:
        """As metrics tell it."""
        loads: dict[Labels, float] = {
            (tp.topic, str(tp.partition)): load for tp in own if (load := self.measured.load(tp)) is not None
        }
        capacity = self.measured.capacity
        return {
            c.PARTITION_LOAD.name: loads,
            c.WORKER_CAPACITY.name: {} if capacity is None else {(worker,): capacity},
        }


def _done(owner: Owner) -> int:
    """Offsets of its partition that it is through with."""
    return owner.preparer.done if isinstance(owner, SourceOwner) else owner.merger.next
