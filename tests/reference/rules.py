"""The plain parameters by which the reference judges records; the same facts as a plan, in words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SECOND = 1_000_000
DEPTH = 32


@dataclass(frozen=True)
class FieldRule:
    """One field: its type and what its values must be. Every broken rule rejects the record."""

    type: Literal["str", "int", "float", "bool"]
    required: bool = True
    min: float | None = None
    max: float | None = None
    one_of: tuple[object, ...] | None = None


@dataclass(frozen=True)
class WindowRule:
    """One tumbling window section over one numeric field; all times in microseconds."""

    name: str
    size_us: int
    group_by: tuple[str, ...]
    value: str
    offset_us: int = 0
    lateness_us: int = 0


@dataclass(frozen=True)
class Rules:
    """All of it. `id` is a tuple of fields, "all" for the record's bytes, or None for no dedup."""

    fields: Mapping[str, FieldRule]
    time: str
    windows: tuple[WindowRule, ...]
    id: tuple[str, ...] | Literal["all"] | None = None
    memory: int = 1_000_000
    ticks_per_second: int = 1
    max_record_bytes: int = 524_288
    max_depth: int = DEPTH
    max_ahead_us: int = 3600 * SECOND
    now_us: int = field(default=2_000_000_000 * SECOND)
