"""What every format offers: a chunk's raw values in, typed columns and rejected records out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from lepton_stream.chunk import Values
from lepton_stream.columns import Columns, Index


class Reason(StrEnum):
    """Why a record was dead-lettered: a closed set, safe as a metric label."""

    DECODE_ERROR = "decode_error"  # not a document of this format: truncated, trailing bytes, bad UTF-8, NaN, empty
    NOT_AN_OBJECT = "not_an_object"  # a document, but null, a scalar or a list
    NULL_VALUE = "null_value"  # no value at all: a tombstone
    TOO_LARGE = "too_large"  # longer than source.max_record_bytes
    TOO_DEEP = "too_deep"  # nested deeper than MAX_DEPTH
    MISSING_FIELD = "missing_field"  # required, but absent or null
    WRONG_TYPE = "wrong_type"
    INT_OUT_OF_RANGE = "int_out_of_range"  # an integer field outside int64
    BELOW_MIN = "below_min"
    ABOVE_MAX = "above_max"
    NOT_ONE_OF = "not_one_of"
    TIMESTAMP_INVALID = "timestamp_invalid"  # no point in time can be made of it
    DECOMPRESSION_LIMIT = "decompression_limit"  # of a batch that opens to more than is read: one letter for all of it
    TIMESTAMP_FUTURE = "timestamp_future"  # further ahead of the record's own timestamp than source.max_ahead


class Reject(NamedTuple):
    """A record that will be dead-lettered. `row`: its place in the chunk; `detail`: field and wish, never its data."""

    row: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """`rows` int64[m]: which records of the chunk decoded, ascending; `columns`: each m long, one for every plan field.

    `mended` counts values that on_bad replaced, by rule name such as `pm25.type`.
    """

    rows: Index
    columns: Columns
    rejects: list[Reject]
    mended: dict[str, int] = field(default_factory=dict)


class Decoder(Protocol):
    """A record's bytes decide about that record alone: no value can move, split or join its neighbours."""

    def decode(self, values: Values) -> Decoded:
        """Decode a chunk's values. Never raises for what the bytes hold."""
        ...

    def unlisted(self, value: bytes) -> Iterable[str]:
        """Names of the fields of a record that decoded which the plan does not list."""
        ...
