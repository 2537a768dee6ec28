"""A knob that is turned: what back-offs and counts go by."""

from __future__ import annotations

from typing import NamedTuple

from lepton_stream.autopilot.setting import Codec, Route


class Turn(NamedTuple):
    """A knob, and what it is turned to."""

    knob: str
    to: str


def route_option(section: int, route: Route) -> Turn:
    """Of a section by its number."""
    return Turn(f"route {section}", route)


def flush_option(flush_s: float) -> Turn:
    """Of a number of seconds."""
    return Turn("flush", f"{flush_s:g}")


def codec_option(codec: Codec) -> Turn:
    """Of a codec by its name."""
    return Turn("codec", codec)
