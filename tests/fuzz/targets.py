"""What is fuzzed: each target takes any bytes, and fails where a promise about bad input does not hold.

The promise: nothing but the typed error is raised, both paths say the same, and no more is spent than the bounds allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lepton_stream.chunk import SourcePartition
from lepton_stream.core import PartitionState, apply, progress_in
from lepton_stream.errors import IntegrityError
from lepton_stream.expression.check import check
from lepton_stream.expression.parse import parse
from lepton_stream.expression.tree import ExpressionError
from lepton_stream.formats.json_slow import Refused, second_look
from lepton_stream.protocol.metadata import claim_of, pointer_of
from lepton_stream.protocol.parts import chain
from lepton_stream.runtime.kafka.batches import HEADER, sealed, with_body
from lepton_stream.runtime.kafka.chunks import BOUNDS, Run
from lepton_stream.runtime.kafka.codecs import Codec, decompress
from lepton_stream.runtime.kafka.errors import UnreadableBatch
from lepton_stream.runtime.kafka.letters import NAMES, read, replay
from tests.compiled.both_ways import both, spans_of, told
from tests.compiled.test_json_scan import DECODER, FIELDS
from tests.compiled.test_record_spans import told as told_chunk
from tests.core.streams import new_job
from tests.core.test_no_bytes_crash import job_for, verdicts
from tests.expression.trees import KNOWN
from tests.shuffle.test_frame import assert_whole_or_refused

BOUND = 1 << 18
SOURCE = SourcePartition("fuzzed", 0)
SMALL = BOUNDS._replace(batch_bytes=BOUND, batch_records=5000)
CSV, JOB = job_for("csv"), new_job()
Target = Callable[[bytes], object]


def pieces(data: bytes, most: int = 8) -> list[bytes | None]:
    """Records between bytes that no text has; one of 0xFE alone stands for a record without a value."""
    return [None if piece == b"\xfe" else piece for piece in data.split(b"\xfd", most)]


def json(data: bytes) -> None:
    """Compiled, typed and slow decoding say the same of every record."""
    records = pieces(data)
    portable, fast = both(lambda: told(DECODER.decode(spans_of(list(records)))))
    assert fast == portable
    kept = set(portable["rows"])
    refused = {row: reason for row, reason, _ in portable["rejects"]}
    assert kept.isdisjoint(refused)
    assert len(kept) + len(refused) == len(records)
    for row in kept:
        try:
            second_look(records[row] or b"", FIELDS)
        except Refused as error:
            raise AssertionError(f"taken, but by the slow rules {error.reason}") from error


def csv(data: bytes) -> None:
    """A record has the verdict and the values that it has alone."""
    records = pieces(data)
    assert verdicts(CSV, records) == [verdicts(CSV, [one])[0] for one in records]


def frame(data: bytes) -> None:
    """Refused by name, or whole."""
    assert_whole_or_refused(data)


def state(data: bytes) -> None:
    """Deltas and their parts are refused by name, or move a state on."""
    for use in (
        lambda: apply(JOB, PartitionState.empty(JOB, {0: 0}), data),
        lambda: progress_in(data),
        lambda: chain([(0, data)], 0, 0, "state partition 0"),
    ):
        try:
            use()
        except IntegrityError:
            continue


def metadata(data: bytes) -> None:
    """The group's commits are refused by name, or read."""
    for use in (claim_of, pointer_of):
        try:
            use(data.decode(errors="surrogateescape"), "here")
        except IntegrityError:
            continue


def letter(data: bytes) -> None:
    """Headers of dead letters are refused by name, or read, and can be sent again."""
    values = [piece or b"" for piece in pieces(data, len(NAMES))]
    headers = list(zip(NAMES, values + [b"1"] * (len(NAMES) - len(values)), strict=False))
    try:
        found = read(data, data, headers, "here")
    except IntegrityError:
        return
    replay(found)


def batch(data: bytes) -> None:
    """Batches under a good checksum are split the same on both paths, or refused by name on both."""
    first, body = data[: HEADER.size].ljust(HEADER.size, b"\0"), data[HEADER.size :]
    fields = list(HEADER.unpack(first))
    fields[0], fields[3] = 0, 2  # what a broker guarantees: offsets of its own, this format
    whole = sealed(with_body(HEADER.pack(*fields), body, Codec.NONE)[: HEADER.size] + body)
    codec = Codec(fields[5] & 7) if fields[5] & 7 in list(Codec) else Codec.NONE
    raw = sealed(with_body(whole[: HEADER.size], body, codec))
    portable, fast = both(lambda: _split(raw))
    assert fast == portable


def _split(raw: bytes) -> Sequence[object]:
    run, out = Run(SOURCE, raw, 0, bounds=SMALL, pointing=True), list[object]()
    try:
        while (chunk := run.take()) is not None:
            out.append((told_chunk(chunk), dict(chunk.unread)))
    except UnreadableBatch as error:
        out.append(str(error))
    return out


def compressed(data: bytes) -> None:
    """Decompression stays below its bound, or refuses."""
    for codec in Codec:
        try:
            assert len(decompress(codec, memoryview(data), BOUND)) <= BOUND
        except ValueError:
            continue


def expression(data: bytes) -> None:
    """An expression is refused with a place in it, or has a canonical text that means the same."""
    text = data.decode(errors="replace")
    try:
        found = check(parse(text), KNOWN)
    except ExpressionError as e:
        error = e
    else:
        assert check(parse(found.text), KNOWN) == found
        return
    assert 0 <= error.at <= len(text)
    assert error.at < error.end


TARGETS: dict[str, Target] = {
    "json": json,
    "csv": csv,
    "frame": frame,
    "state": state,
    "metadata": metadata,
    "letter": letter,
    "batch": batch,
    "compressed": compressed,
    "expression": expression,
}
