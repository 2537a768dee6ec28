"""Dead letters as Kafka records: key, value and headers byte for byte as they came, and behind them why.

Our headers come last, always all of them and in one order: a reader cuts them off and has the original ones again, even
where those carry our names (a record that was replayed and failed once more). Kafka Connect's names follow, so that
tools that know those read ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import IntegrityError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.runtime.kafka.bulk import Bulk, packed_headers, packed_name, packed_value
from lepton_stream.runtime.kafka.produce import Record

Headers: TypeAlias = Sequence[tuple[str, bytes]]

PREFIX = "lepton.dlq."
ATTEMPT = f"{PREFIX}attempt"
ORIGIN = f"{PREFIX}origin"
"""Of a replayed record: where the event was when it failed first, as `partition/offset`."""
WITHHELD = f"{PREFIX}withheld"
"""In place of the record's own headers, where neither they nor its key and value are told: they may name somebody."""
OURS = ("topic", "partition", "offset", "timestamp", "reason", "detail", "pipeline", "version", "attempt")
CONNECT = (
    ("__connect.errors.topic", "topic"),
    ("__connect.errors.partition", "partition"),
    ("__connect.errors.offset", "offset"),
    ("__connect.errors.connector.name", "pipeline"),
    ("__connect.errors.exception.class.name", "reason"),
    ("__connect.errors.exception.message", "detail"),
)
NAMES = (*(PREFIX + name for name in OURS), *(name for name, _ in CONNECT))
_ORIGIN = re.compile(rb"([0-9]{1,9})/([0-9]{1,18})")
DETAIL_BYTES = 512
_SHARED_TEXTS = 1000
_HOLE = b"\xff\xff"  # no text and no length of one holds these bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that could not be used, as it was, and why. `timestamp_ms`: the record's own, by the source topic.

    `attempt`: 1 for a record that failed when it first came, one more for each replay.
    """

    source: SourcePartition
    offset: int
    timestamp_ms: int
    reason: Reason
    detail: str
    pipeline: str
    version: int
    attempt: int
    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> tuple[SourcePartition, int]:
        """What makes two letters the same: where their record is."""
        return self.source, self.offset

    @property
    def origin(self) -> tuple[SourcePartition, int]:
        """What makes two letters the same event: where it was when it failed first, before any replay."""
        for name, data in reversed(self.headers):
            if name == ORIGIN and (told := _ORIGIN.fullmatch(data)):
                return SourcePartition(self.source.topic, int(told[1])), int(told[2])
        return self.place

    @property
    def withheld(self) -> bool:
        """Whether the record is only pointed at, since its bytes may name somebody."""
        return any(name == WITHHELD for name, _ in self.headers)


def dead_letters(
    chunk: Chunk, rejects: Sequence[Reject], pipeline: str, version: int, now_ms: int, *, raw: bool = True
) -> Bulk:
    """The records for rejected ones of the chunk, in their order; for partition `chunk.source.partition`.

    `now_ms`: when they are sent. Retention counts from then, not from when the bad records were made. `raw`: with key,
    value and headers as they came; else the letters only point at their records.
    """
    rows = np.fromiter((reject.row for reject in rejects), np.int64, len(rejects))
    values = chunk.values.pick(rows).to_list()
    keys = [None] * len(rows) if chunk.keys is None else chunk.keys.pick(rows).to_list()
    ours = _Ours(chunk.source, pipeline, version)
    places = zip(chunk.offsets[rows].tolist(), (chunk.timestamp[rows] // 1000).tolist(), strict=True)
    headers = []
    for reject, value, (offset, time_ms) in zip(rejects, values, places, strict=True):
        theirs = chunk.headers[reject.row] if chunk.headers else ()
        told = ours.told(offset, time_ms, reject.reason, _detail(reject, value), attempt_of(theirs))
        headers.append(packed_headers(theirs if raw else _pointing(theirs), len(NAMES), told))
    nothing: list[bytes | None] = [None] * len(rows)
    return Bulk(keys, values, now_ms, headers) if raw else Bulk(nothing, nothing, now_ms, headers)


def _pointing(theirs: Headers) -> Headers:
    """What stays of a record's headers that is withheld: where it was when it failed first, which is ours."""
    return [*(header for header in theirs if header[0] == ORIGIN and _ORIGIN.fullmatch(header[1])), (WITHHELD, b"true")]


class _Ours:
    """Our headers, packed, for letters of one source partition: what does not change is packed once."""

    def __init__(self, source: SourcePartition, pipeline: str, version: int) -> None:
        known = {"topic": source.topic, "partition": source.partition, "pipeline": pipeline, "version": version}
        fixed = {name: _packed_text(str(text)) for name, text in known.items()}
        headers = [*((PREFIX + name, name) for name in OURS), *CONNECT]
        pieces = [packed_name(header) + fixed.get(ours, _HOLE) for header, ours in headers]
        self._form = b"".join(pieces).replace(b"%", b"%%").replace(_HOLE, b"%b")
        self._texts = itemgetter(*(ours for _, ours in headers if ours not in fixed))
        self._told: dict[str, bytes] = {}

    def told(self, offset: int, time_ms: int, reason: Reason, detail: str, attempt: int) -> bytes:
        """All of them for one letter."""
        texts = {
            "offset": packed_value(b"%d" % offset),
            "timestamp": packed_value(b"%d" % time_ms),
            "reason": self._once(reason),
            "detail": self._once(detail),
            "attempt": self._once(str(attempt)),
        }
        return self._form % self._texts(texts)

    def _once(self, text: str) -> bytes:
        """Packed texts that many letters share, up to a few."""
        packed = self._told.get(text)
        if packed is None:
            packed = _packed_text(text)
            if len(self._told) < _SHARED_TEXTS:
                self._told[text] = packed
        return packed


def _packed_text(text: str) -> bytes:
    return packed_value(_short(text))


def _detail(reject: Reject, value: bytes | None) -> str:
    if reject.reason is not Reason.TOO_LARGE or value is None:
        return reject.detail
    return f"{reject.detail}, got {len(value)}"


def _short(text: str) -> bytes:
    """UTF-8 of at most 512 bytes, cut between characters."""
    data = text.encode(errors="replace")
    return data if len(data) <= DETAIL_BYTES else data[:DETAIL_BYTES].decode(errors="ignore").encode()


def read(value: bytes | None, key: bytes | None, headers: Headers, where: str) -> Letter:
    """The letter of a record. `where`: topic, partition and offset, for the message.

    Raises IntegrityError for a record that `record` did not write.
    """
    at = len(headers) - len(NAMES)
    if at < 0 or tuple(name for name, _ in headers[at:]) != NAMES:
        raise IntegrityError(f"{where}: not a dead letter of ours; another program has written it")
    told = dict(zip(OURS, (data.decode(errors="replace") for _, data in headers[at:]), strict=False))
    try:
        source = SourcePartition(told["topic"], int(told["partition"]))
        numbers = [int(told[name]) for name in ("offset", "timestamp", "version", "attempt")]
        reason = Reason(told["reason"])
    except ValueError as error:
        raise IntegrityError(f"{where}: a dead letter that this build cannot read: {error}") from None
    offset, timestamp, version, attempt = numbers
    original = tuple(headers[:at])
    return Letter(
        source, offset, timestamp, reason, told["detail"], told["pipeline"], version, attempt, value, key, original
    )


def attempt_of(headers: Headers) -> int:
    """Which attempt this is, by the last header that says so; 1 where none does, or it is no number."""
    for name, data in reversed(headers):
        if name == ATTEMPT:
            return int(data) if data.isdigit() and len(data) < 9 else 1
    return 1


def replay(letter: Letter) -> Record:
    """The original record, for its source partition: value, key and headers as they were, the attempt raised."""
    kept = (header for header in letter.headers if header[0] not in (ATTEMPT, ORIGIN))
    tp, offset = letter.origin
    ours = ((ATTEMPT, b"%d" % (letter.attempt + 1)), (ORIGIN, b"%d/%d" % (tp.partition, offset)))
    return Record(letter.source, letter.value, letter.key, (*kept, *ours))
