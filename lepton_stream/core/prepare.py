"""From a chunk of raw records to frames: clean, deduplicate, judge lateness, group, route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from lepton_stream.account import Account
from lepton_stream.chunk import Chunk
from lepton_stream.cleaning.event_time import timed
from lepton_stream.cleaning.rules import clean
from lepton_stream.columns import Columns, Index, Mask, Text, take
from lepton_stream.core.job import Job, Route, SourceState
from lepton_stream.core.model_rows import model_parts
from lepton_stream.core.routed import SectionSeen, routed
from lepton_stream.dedup.fingerprint import Fingerprints, fingerprints
from lepton_stream.expression.evaluate import derive, holds
from lepton_stream.formats.decoder import Decoded, Reason, Reject
from lepton_stream.kernels.kernel import Rows
from lepton_stream.models.section import OrderedSection
from lepton_stream.pipeline.plan import Alarm, Model, Window
from lepton_stream.shuffle.frame import Frame, Part, section_fields
from lepton_stream.shuffle.routing import cells
from lepton_stream.windows.section import Section
from lepton_stream.windows.watermark import NEVER, high_before, late

_SAMPLED = 1024  # a power of two
_NAME_LENGTH = 100
_NAMES_A_RECORD = 50


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What became of a chunk. `frames`: one a shuffle partition. `late`: offsets of late records, ascending.

    `seen`: of each window section, in the plan's order.
    """

    frames: list[Frame]
    rejects: list[Reject]
    late: Index
    account: Account
    seen: tuple[SectionSeen, ...] = ()


class Cleaned(NamedTuple):
    """What prepare makes of a chunk by itself, whatever came before it. `time` int64[n]: of the decoded records."""

    decoded: Decoded
    time: Index


def prepare(
    job: Job,
    source: SourceState,
    chunk: Chunk,
    cleaned: Cleaned | None = None,
    routes: Sequence[Route] | None = None,
) -> Prepared:
    """Clean, deduplicate, judge lateness, group and route a chunk; `source` moves on.

    `cleaned`: the first of it, done before (`clean_ahead`). `routes`: of each window section, None: those of the job;
    what becomes of the records is the same.
    """
    decoded, time = cleaned or clean_ahead(job, chunk)
    decoded = _named(decoded, chunk)
    offsets = chunk.offsets[decoded.rows]
    duplicate = _duplicates(job, source, chunk, decoded, offsets)
    job.lap("dedup")
    before, source.high = high_before(source.high, time)
    lateness = [*(s.window.lateness_us for s in job.sections), *(m.model.lateness_us for m in job.models)]
    too_late = [~duplicate & late(time, before, us) for us in lateness]
    late_for_all = np.logical_and.reduce(too_late)
    accepted = ~duplicate & ~late_for_all
    columns, wanted = _derived(job, decoded.columns, time, accepted)
    account = Account(
        read=len(chunk),
        accepted=int(np.count_nonzero(accepted)),
        duplicate=int(np.count_nonzero(duplicate)),
        late=int(np.count_nonzero(late_for_all)),
        dead_lettered=_by_reason(decoded.rejects),
        mended=Counter(decoded.mended),
        unlisted=_unlisted(job, chunk, decoded),
        filtered=int(np.count_nonzero(accepted)) - int(np.count_nonzero(wanted)),
    )
    parts: list[list[tuple[int, Part]]] = [[] for _ in range(job.partitions)]
    seen: list[SectionSeen] = []
    every: tuple[Section | OrderedSection, ...] = (*job.sections, *job.models)
    for number, section in enumerate(every):
        of = section.window if isinstance(section, Section) else section.model
        own = _own(of, wanted, columns, time, account)
        left_out = int(np.count_nonzero(own & too_late[number]))
        if left_out:
            account.late_by_window[of.name] += left_out
        keep = own & ~too_late[number]
        if isinstance(section, Section):
            route = (routes or job.routes)[number]
            split_up, told = routed(job, section, _rows(section, columns, time, offsets, chunk, keep), route)
            seen.append(told)
        else:
            split_up = list(enumerate(model_parts(job, section, columns, time, offsets, keep)))
            job.lap("group")
        for p, part in split_up:
            if len(part):
                parts[p].append((number, part))
    frames = _frames(job, chunk, source, parts, account)
    return Prepared(frames, decoded.rejects, offsets[late_for_all], account, tuple(seen))


def clean_ahead(job: Job, chunk: Chunk) -> Cleaned:
    """Decode and clean, for `prepare`: needs nothing but the chunk, so that another thread may be ahead with it."""
    decoded = job.decoder.decode(chunk.values)
    job.lap("decode")
    decoded, time = timed(clean(decoded, job.plan.fields), job.plan.source, chunk.timestamp)
    decoded = _under_pseudonyms(job, decoded)
    job.lap("clean")
    return Cleaned(decoded, time)


def _under_pseudonyms(job: Job, decoded: Decoded) -> Decoded:
    """The fields that the plan wants so, replaced: each different text of the chunk is hashed once."""
    if job.pseudonyms is None:
        return decoded
    columns = dict(decoded.columns)
    for name in job.plan.pseudonyms:
        column = columns[name]
        assert isinstance(column, Text)
        one = cells([column], np.zeros(len(column), np.int64), job.key)
        columns[name] = job.pseudonyms.column(column, one.first, one.code)
    return replace(decoded, columns=columns)


def _named(decoded: Decoded, chunk: Chunk) -> Decoded:
    """Rows that stand for batches which were not opened have no value; here they get their own reason."""
    if not chunk.unread:
        return decoded
    offsets = chunk.offsets[[reject.row for reject in decoded.rejects]].tolist()
    named = [
        Reject(reject.row, Reason.DECOMPRESSION_LIMIT, chunk.unread[at]) if at in chunk.unread else reject
        for reject, at in zip(decoded.rejects, offsets, strict=True)
    ]
    return replace(decoded, rejects=named)


def _by_reason(rejects: Sequence[Reject]) -> Counter[str]:
    return Counter({str(reason): n for reason, n in Counter(map(attrgetter("reason"), rejects)).items()})


def _unlisted(job: Job, chunk: Chunk, decoded: Decoded) -> Counter[str]:
    """Looks at few records, chosen by their offsets, so that any cut of the log looks at the same ones."""
    sampled = decoded.rows[chunk.offsets[decoded.rows] & (_SAMPLED - 1) == 0]
    names: Counter[str] = Counter()
    for row in sampled.tolist():
        found = sorted(job.decoder.unlisted(chunk.values[row] or b""))
        names.update(name[:_NAME_LENGTH] for name in found[:_NAMES_A_RECORD])
    return names


def _duplicates(job: Job, source: SourceState, chunk: Chunk, decoded: Decoded, offsets: Index) -> Mask:
    if source.dedup is None:
        return np.zeros(len(offsets), np.bool_)
    return source.dedup.seen(_ids(job, chunk, decoded), offsets)


def _ids(job: Job, chunk: Chunk, decoded: Decoded) -> Fingerprints:
    names = job.plan.source.id
    assert names is not None
    if names == "all":
        data, start, length = chunk.values.spans()
        whole = Text(np.frombuffer(data, np.uint8), start[decoded.rows], length[decoded.rows])
        return fingerprints([whole], job.key)
    return fingerprints([decoded.columns[name] for name in names], job.key)


def remember(job: Job, source: SourceState, chunk: Chunk) -> None:
    """Rebuild the dedup memory from a chunk that was counted before; nothing else moves."""
    if source.dedup is not None:
        decoded, _ = clean_ahead(job, chunk)
        _duplicates(job, source, chunk, decoded, chunk.offsets[decoded.rows])


def _derived(job: Job, columns: Columns, time: Index, accepted: Mask) -> tuple[Columns, Mask]:
    """The columns with the derived ones, and those of the accepted records that the source's condition lets in."""
    where = job.plan.source.where
    if where is None and not job.derived:
        return columns, accepted
    columns = derive(job.derived, columns, time)
    wanted = accepted if where is None else accepted & holds(where, columns, time)
    job.lap("derive")
    return columns, wanted


def _own(of: Window | Model | Alarm, wanted: Mask, columns: Columns, time: Index, account: Account) -> Mask:
    """Those of the wanted records that the section's condition lets in; the others are counted."""
    if of.where is None:
        return wanted
    own = wanted & holds(of.where, columns, time)
    kept_out = int(np.count_nonzero(wanted)) - int(np.count_nonzero(own))
    if kept_out:
        account.filtered_by_window[of.name] += kept_out
    return own


def _rows(section: Section, columns: Columns, time: Index, offsets: Index, chunk: Chunk, keep: Mask) -> Rows:
    named = {name: columns[name] for name in section_fields(section)}
    if not keep.all():
        named = {name: take(column, keep) for name, column in named.items()}
        time, offsets = time[keep], offsets[keep]
    return Rows(named, time, np.full(len(time), chunk.source.partition, np.int64), offsets)


def _frames(
    job: Job, chunk: Chunk, source: SourceState, parts: list[list[tuple[int, Part]]], account: Account
) -> list[Frame]:
    """One frame a shuffle partition, empty ones too; the account travels in one of them."""
    s = chunk.source.partition
    return [
        Frame(
            plan=job.plan_hash,
            source=s,
            start=chunk.start,
            end=chunk.end,
            high=source.high,
            parts=tuple(parts[p]),
            account=account if p == s % job.partitions else None,
            era=source.era,
        )
        for p in range(job.partitions)
    ]


def heartbeat(
    job: Job, source: int, at: int, high: int, idle: int = NEVER, *, ended: bool = False, era: int = 0
) -> list[Frame]:
    """Frames without records, one a shuffle partition: how far time has come, and whether the source has ended."""
    one = Frame(job.plan_hash, source, at, at, high, idle, ended, era=era)
    return [one] * job.partitions
