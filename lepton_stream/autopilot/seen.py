"""What a worker sees of each step. Seconds are CPU of the loop's thread, of one step."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.core import SectionSeen

__all__ = ["FoldSeen", "PrepareSeen", "SectionSeen"]


@dataclass(frozen=True, slots=True)
class PrepareSeen:
    """Of one claimed range.

    `sections`: of each window section, in the plan's order. `common_cpu_s`: decode, clean, dedup, group: the same
    whatever the setting; `route_cpu_s`: aggregate, split, encode frames; `compress_cpu_s`: of frames; `flush_cpu_s`:
    the rest of the step: claim, commit, requests, paid once a flush. `frame_bytes`: before compression, `sent_bytes`:
    after it. `waited_s`: on the clock, from the first record's arrival to the claim. `source`: the source partition.
    """

    records: int
    sections: tuple[SectionSeen, ...]
    common_cpu_s: float
    route_cpu_s: float
    compress_cpu_s: float
    flush_cpu_s: float
    frame_bytes: int
    sent_bytes: int
    waited_s: float
    source: int = 0


@dataclass(frozen=True, slots=True)
class FoldSeen:
    """Of one run of frames in merge.

    `rows`: that came as rows; `cells`: that came as partials; `bytes`: of the frames, before compression.
    """

    frames: int
    rows: int
    cells: int
    bytes: int
    cpu_s: float
