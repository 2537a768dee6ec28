"""The event time of each decoded record, and which records have none that can be used."""

from __future__ import annotations

from lepton_stream.columns import Index, Mask
from lepton_stream.formats.decoder import Decoded, Reason
from lepton_stream.formats.event_time import event_times
from lepton_stream.formats.verdicts import Verdicts
from lepton_stream.pipeline.plan import Source


def in_future(times: Index, timestamps: Index, max_ahead_us: int) -> Mask:
    """bool[n]: event times more than `max_ahead_us` ahead of the record's own timestamp (all µs). No clock is read."""
    return times - timestamps > max_ahead_us


def timed(decoded: Decoded, source: Source, timestamps: Index) -> tuple[Decoded, Index]:
    """The records that have a usable event time, and these times (int64 µs); the others are rejected.

    `timestamps`: int64 µs, one for each record of the *chunk* (`Chunk.timestamp`), not only for those decoded.
    """
    times, invalid = event_times(decoded.columns[source.time], source.time_unit, source.time_zone)
    future = in_future(times, timestamps[decoded.rows], source.max_ahead_us) & ~invalid
    bad = invalid | future
    if not bad.any():
        return decoded, times
    ahead = f"at most {source.max_ahead_us / 1e6:g} s ahead of the record's own timestamp"
    verdicts = Verdicts(len(times))
    verdicts.reject(invalid, Reason.TIMESTAMP_INVALID, f"{source.time}: expected a time in years 0001 to 9999")
    verdicts.reject(future, Reason.TIMESTAMP_FUTURE, f"{source.time}: expected {ahead}")
    return verdicts.apply(decoded, decoded.columns), times[~bad]
