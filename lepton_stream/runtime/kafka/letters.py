"""Dead letters as Kafka records: key, value and headers byte for byte as they came, and behind them why.

Our headers come last, always all of them and in one order: a reader cuts them off and has the original ones again, even
where those carry our names (a record that was replayed and failed once more). Kafka Connect's names follow, so that
tools that know those read ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.columns import Index
from lepton_stream.errors import IntegrityError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.runtime.kafka.bulk import Bulk, packed_headers, packed_name, packed_number, packed_value
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
_SHARED_FORMS = 1000
_TENS = 10 ** np.arange(19)
_Why: TypeAlias = tuple[Reason, str]
_Alike: TypeAlias = tuple[_Why, int, int, int]
"""What letters that differ in their place alone share: why, attempt, how long their offset and timestamp are."""


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
    # Letters whose records have no headers share what stands before ours.
    listed, times = ([chunk.headers[row] for row in rows.tolist()], 1) if chunk.headers else ([()], len(rows))
    theirs = [packed_headers(h if raw else _pointing(h), len(NAMES)) for h in listed] * times
    attempts = [attempt_of(h) for h in listed] * times
    ours = _Ours(chunk.source, pipeline, version).told(chunk, rows, _whys(rejects, values), attempts)
    headers = [before + packed for before, packed in zip(theirs, ours, strict=True)]
    nothing: list[bytes | None] = [None] * len(rows)
    if not raw:
        return Bulk(nothing, nothing, now_ms, headers)
    return Bulk(nothing if chunk.keys is None else chunk.keys.pick(rows).to_list(), values, now_ms, headers)


def _pointing(theirs: Headers) -> Headers:
    """What stays of a record's headers that is withheld: where it was when it failed first, which is ours."""
    return [*(header for header in theirs if header[0] == ORIGIN and _ORIGIN.fullmatch(header[1])), (WITHHELD, b"true")]


class _Ours:
    """Our headers, packed, for letters of one source partition: what letters share is packed once."""

    def __init__(self, source: SourcePartition, pipeline: str, version: int) -> None:
        known = {"topic": source.topic, "partition": source.partition, "pipeline": pipeline, "version": version}
        self._known = {name: _fixed(str(text)) for name, text in known.items()}
        self._forms: dict[_Alike, bytes] = {}

    def told(self, chunk: Chunk, rows: Index, whys: Sequence[_Why], attempts: Sequence[int]) -> list[bytes]:
        """All of them for each letter: of these rows of the chunk, why, and which attempt it was."""
        offsets, times = chunk.offsets[rows], chunk.timestamp[rows] // 1000
        alike = zip(whys, attempts, _widths(offsets), _widths(times), strict=True)
        places = zip(offsets.tolist(), times.tolist(), offsets.tolist(), strict=True)
        forms = self._forms
        return [(forms.get(a) or self._form(a)) % place for a, place in zip(alike, places, strict=True)]

    def _form(self, alike: _Alike) -> bytes:
        """What letters that are alike have in common; its holes take an offset, a timestamp, and the offset again."""
        (reason, detail), attempt, offset_width, time_width = alike
        texts = {
            **self._known,
            "offset": packed_number(offset_width) + b"%d",
            "timestamp": packed_number(time_width) + b"%d",
            "reason": _fixed(reason),
            "detail": _fixed(detail),
            "attempt": _fixed(str(attempt)),
        }
        headers = [*((PREFIX + name, name) for name in OURS), *CONNECT]
        form = b"".join([_literal(packed_name(header)) + texts[ours] for header, ours in headers])
        if len(self._forms) < _SHARED_FORMS:
            self._forms[alike] = form
        return form


def _widths(numbers: Index) -> list[int]:
    """How many characters each number takes, its sign among them."""
    digits = np.searchsorted(_TENS, np.abs(numbers), side="right").clip(1)
    widths: list[int] = (digits + (numbers < 0)).tolist()
    return widths


def _fixed(text: str) -> bytes:
    return _literal(packed_value(_short(text)))


def _literal(data: bytes) -> bytes:
    return data.replace(b"%", b"%%")


def _whys(rejects: Sequence[Reject], values: Sequence[bytes | None]) -> list[_Why]:
    return [
        (reason, detail) if reason is not Reason.TOO_LARGE or value is None else (reason, f"{detail}, got {len(value)}")
        for (_, reason, detail), value in zip(rejects, values, strict=True)
    ]


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
