"""What the autopilot may do."""

from __future__ import annotations

from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["off", "advise", "act"]
"""`advise`: it decides and tells, and changes nothing. `act`: what it decides is done."""
