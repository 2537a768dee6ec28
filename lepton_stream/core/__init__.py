"""The three functions that both runtimes drive.

    prepare(job, source, chunk)   -> a frame for each shuffle partition, dead letters, late records
    fold(job, state, frame)       -> the state of a shuffle partition, moved on
    checkpoint(state)             -> the results of closed (and changed) windows

They are pure: no clock, no randomness, no I/O. State is handed in and moved on in place; the same bytes give the same
state, whatever chunks they came in.
"""

from lepton_stream.core.checkpoint import Checkpoint, Slice, checkpoint, closing, durable_checkpoint, waiting
from lepton_stream.core.delta import apply, progress_in
from lepton_stream.core.fold import PartitionState, fold
from lepton_stream.core.job import Job, Route, SourceState
from lepton_stream.core.prepare import Cleaned, Prepared, clean_ahead, heartbeat, prepare, remember
from lepton_stream.core.routed import SectionSeen

__all__ = [
    "Checkpoint",
    "Cleaned",
    "Job",
    "PartitionState",
    "Prepared",
    "Route",
    "SectionSeen",
    "Slice",
    "SourceState",
    "apply",
    "checkpoint",
    "clean_ahead",
    "closing",
    "durable_checkpoint",
    "fold",
    "heartbeat",
    "prepare",
    "progress_in",
    "remember",
    "waiting",
]
