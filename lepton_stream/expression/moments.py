"""Parts of the event time, in UTC or local in a zone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lepton_stream.columns import Index, Numbers
from lepton_stream.formats.zones import DAY, SECOND, utc_to_local

_MINUTE, _HOUR = 60 * SECOND, 3600 * SECOND
_THURSDAY = 3  # 1970 began on one


def _part(unit: int, of: int, first: int, time: Index, zone: str) -> Numbers:
    return Numbers((utc_to_local(time, zone) // unit + first) % of)


STEPS: dict[str, Callable[[Index, str], Numbers]] = {
    "hour": partial(_part, _HOUR, 24, 0),
    "minute": partial(_part, _MINUTE, 60, 0),
    "weekday": partial(_part, DAY, 7, _THURSDAY),
}
