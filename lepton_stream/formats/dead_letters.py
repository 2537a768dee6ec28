"""Dead letters as JSON lines: where a record was, why it could not be used, and its bytes exactly as they were."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

import orjson

from lepton_stream.chunk import SourcePartition
from lepton_stream.formats.decoder import Reason, Reject

KEPT_BYTES = 65_536
"""Bytes kept of a record that was too large."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected record. `value` is None for a record that had none; of one too large it is the beginning.

    `withheld`: its bytes are not told, since they may name somebody.
    """

    source: SourcePartition
    offset: int
    reason: Reason
    detail: str
    value: bytes | None
    withheld: bool = False


def withheld(letter: DeadLetter) -> DeadLetter:
    """The letter without the record's bytes; where the record was says where to look for them."""
    return replace(letter, detail=letter.detail.split("; the first ")[0], value=None, withheld=True)


def dead_letter(
    source: SourcePartition, offset: int, reject: Reject, value: bytes | None, length: int | None = None
) -> DeadLetter:
    """The letter for a rejected record. `length`: its true length where `value` is only its beginning."""
    detail = reject.detail
    if reject.reason is Reason.TOO_LARGE and value is not None:
        whole = len(value) if length is None else length
        value = value[:KEPT_BYTES]
        detail = f"{detail}, got {whole}; the first {len(value)} are kept"
    return DeadLetter(source, offset, reject.reason, detail, value)


def to_line(letter: DeadLetter) -> bytes:
    """One line of JSON, newline included: `value` is text, or `value_base64` holds bytes that are no UTF-8.

    Of a record that is withheld there is neither, but `withheld`.
    """
    line: dict[str, str | int | None] = {
        "topic": letter.source.topic,
        "partition": letter.source.partition,
        "offset": letter.offset,
        "reason": letter.reason.value,
        "detail": letter.detail,
    }
    if letter.withheld:
        return orjson.dumps({**line, "withheld": True}, option=orjson.OPT_APPEND_NEWLINE)
    try:
        line["value"] = None if letter.value is None else letter.value.decode()
    except UnicodeDecodeError:
        line["value_base64"] = base64.b64encode(letter.value or b"").decode()
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def from_line(line: bytes) -> DeadLetter:
    """The letter that `to_line` wrote. Raises ValueError or KeyError for anything else."""
    got = orjson.loads(line)
    text = got.get("value")
    value = base64.b64decode(got["value_base64"], validate=True) if "value_base64" in got else text and text.encode()
    value = b"" if text == "" else value
    source = SourcePartition(got["topic"], got["partition"])
    hidden = got.get("withheld", False)
    return DeadLetter(source, got["offset"], Reason(got["reason"]), got["detail"], value, hidden)
