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

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import IntegrityError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.runtime.kafka.produce import Record

Headers: TypeAlias = Sequence[tuple[str, bytes]]

PREFIX = "lepton.dlq."
ATTEMPT = f"{PREFIX}attempt"
ORIGIN = f"{PREFIX}origin"
"""Of a replayed record: where the event was when it failed first, as `partition/offset`."""
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


def dead_letter_record(
    topic: str, chunk: Chunk, reject: Reject, pipeline: str, version: int, length: int | None = None
) -> Record:
    """The record for `chunk.offsets[reject.row]`, to partition `chunk.source.partition` of `topic`.

    `length`: the true length of a value that was cut. It carries no timestamp of its own: retention counts from now,
    not from when the bad record was made.
    """
    row = reject.row
    value = chunk.values[row]
    headers = tuple(chunk.headers[row]) if chunk.headers else ()
    letter = Letter(
        source=chunk.source,
        offset=int(chunk.offsets[row]),
        timestamp_ms=int(chunk.timestamp[row]) // 1000,
        reason=reject.reason,
        detail=_detail(reject, value, length),
        pipeline=pipeline,
        version=version,
        attempt=attempt_of(headers),
        value=value,
        key=chunk.keys[row] if chunk.keys else None,
        headers=headers,
    )
    return record(letter, SourcePartition(topic, chunk.source.partition))


def _detail(reject: Reject, value: bytes | None, length: int | None) -> str:
    if reject.reason is not Reason.TOO_LARGE or value is None:
        return reject.detail
    detail = f"{reject.detail}, got {len(value) if length is None else length}"
    return detail if length in (None, len(value)) else f"{detail}; the first {len(value)} are kept"


def record(letter: Letter, to: SourcePartition) -> Record:
    """The letter as a record for a partition of the dead-letter topic."""
    told = {
        "topic": letter.source.topic,
        "partition": str(letter.source.partition),
        "offset": str(letter.offset),
        "timestamp": str(letter.timestamp_ms),
        "reason": letter.reason.value,
        "detail": letter.detail,
        "pipeline": letter.pipeline,
        "version": str(letter.version),
        "attempt": str(letter.attempt),
    }
    texts = {name: _short(text) for name, text in told.items()}
    ours = [*((PREFIX + name, texts[name]) for name in OURS), *((name, texts[ours]) for name, ours in CONNECT)]
    return Record(to, letter.value, letter.key, (*letter.headers, *ours))


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
