"""What the autopilot may turn, while a worker runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lepton_stream.core import Route

__all__ = ["Codec", "Route", "Setting"]

Codec = Literal["none", "lz4", "zstd-1", "zstd-3"]


@dataclass(frozen=True, slots=True)
class Setting:
    """How a worker carries out the plan; nothing in it changes results.

    `routes`: of each window section, in the plan's order. `flush_s`: seconds that a claim waits for more records
    behind its first one, unless a window may close. `codec`: of shuffle frames.
    """

    routes: tuple[Route, ...]
    flush_s: float = 0.0
    codec: Codec = "lz4"
