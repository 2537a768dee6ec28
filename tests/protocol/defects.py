"""The planted defects: each a small change of an owner, of its port or of the world, and each must be found."""

from __future__ import annotations

from dataclasses import dataclass, field

from lepton_stream.protocol.merger import Merger
from lepton_stream.protocol.preparer import Preparer
from tests.protocol import wrong_mergers, wrong_ports, wrong_preparers
from tests.protocol.outside import WorldMergePort, WorldSourcePort
from tests.protocol.world import Flaws


@dataclass(frozen=True)
class Defect:
    """Who plays which part; the product's own owners where nothing else is said."""

    flaws: Flaws = field(default_factory=Flaws)
    preparer: type[Preparer] = Preparer
    merger: type[Merger] = Merger
    source_port: type[WorldSourcePort] = WorldSourcePort
    merge_port: type[WorldMergePort] = WorldMergePort


NONE = Defect()
DEFECTS = {
    "generation_only": Defect(Flaws(generation_only=True)),
    "restamped_retry": Defect(Flaws(restamped_retry=True)),
    "faust_commit": Defect(Flaws(faust_commit=True)),
    "last_record_wins": Defect(Flaws(last_record_wins=True)),
    "late_at_merge": Defect(preparer=wrong_preparers.LateAtMerge),
    "late_on_the_edge": Defect(preparer=wrong_preparers.LateOnTheEdge),
    "first_occurrence": Defect(preparer=wrong_preparers.FirstOccurrence),
    "float_ids": Defect(preparer=wrong_preparers.FloatIds),
    "no_claim": Defect(preparer=wrong_preparers.NoClaim),
    "high_not_in_claim": Defect(preparer=wrong_preparers.HighNotInClaim),
    "idle_unclaimed": Defect(preparer=wrong_preparers.IdleUnclaimed),
    "reset_to_earliest": Defect(preparer=wrong_preparers.ResetToEarliest),
    "ignored_send_failure": Defect(source_port=wrong_ports.IgnoredSendFailure),
    "letters_after_commit": Defect(source_port=wrong_ports.LettersAfterCommit),
    "outputs_not_in_state": Defect(merger=wrong_mergers.OutputsNotInState),
    "drop_on_from": Defect(merger=wrong_mergers.DropOnFrom),
    "less_for_at_most": Defect(merger=wrong_mergers.LessForAtMost),
    "no_range_check": Defect(merger=wrong_mergers.NoRangeCheck),
    "wall_clock_close": Defect(merger=wrong_mergers.WallClockClose),
    "pointer_before_state": Defect(merge_port=wrong_ports.PointerBeforeState),
    "pointer_before_publish_ack": Defect(merge_port=wrong_ports.PointerBeforePublishAck),
    "publish_before_pointer": Defect(merge_port=wrong_ports.PublishBeforePointer),
    "fence_before_proof": Defect(merge_port=wrong_ports.FenceBeforeProof),
    "trim_too_far": Defect(merge_port=wrong_ports.TrimTooFar),
}
