"""What can go wrong between a worker and its broker, typed by what the caller has to do about it.

- StaleOwner: the partition belongs to somebody else now: drop all work of this identity, go on with the rest
- Refused: the same, told by the broker's answer to a commit
- Fenced: the same, told by a producer's epoch
- ProcessFenced: another process runs under our static member id: end this process, never rejoin
- SendFailed: a record was not acknowledged: nothing may be sent after it, end this incarnation
- UnreadableBatch: a stored batch cannot be read, or its checksum is wrong
- OversizeBatch: the same of a batch that is sound, but opens to more than our bounds
"""

from __future__ import annotations

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError, IntegrityError, LeptonError, TakenOverError

MADE_ANEW = "nothing was reset; give the plan a new `version`, which has a group and topics of its own"
"""What helps where a source is not the one that was counted."""


class StaleOwner(LeptonError):  # noqa: N818  (it names a state that the caller is in)
    """The group has moved on: what was fetched under this identity must not be committed or sent any more."""


class Refused(StaleOwner):
    """The broker has refused a commit of this identity."""


class Fenced(Refused):
    """A newer owner holds the producer's epoch."""


class ProcessFenced(Fenced, TakenOverError):  # noqa: N818
    """A second process with the same static member id has taken our place in the group."""


class MetadataTooLarge(LeptonError):  # noqa: N818
    """Commit metadata above what brokers keep (4096 bytes)."""


class SendFailed(BrokerError):  # noqa: N818
    """A record was not acknowledged in time, or was refused."""


class UnreadableBatch(IntegrityError):  # noqa: N818
    """A record batch that cannot be read. `first` and `last`: its offsets, inclusive."""

    remedy = "If another replica or the producer has the data whole, take it from there"

    def __init__(self, source: SourcePartition, first: int, last: int, reason: str) -> None:
        self.source, self.first, self.last, self.reason = source, first, last, reason
        super().__init__(
            f"{source.topic} partition {source.partition}, offsets {first} to {last}: {reason}. "
            f"Nothing of it was counted. {self.remedy}; to go on without it, let the topic's owner delete "
            f"the records before offset {last + 1}"
        )


class OversizeBatch(UnreadableBatch):
    """A record batch above our bounds. Of a source it becomes a dead letter; anywhere else it ends the reading."""

    remedy = "Its producer may send it again in smaller batches"
