"""How soon a silent worker is taken for dead: a default, and the environment's word."""

from __future__ import annotations

from collections.abc import Mapping

from lepton_stream.errors import UsageError
from lepton_stream.runtime.kafka.app import Timing
from lepton_stream.runtime.kafka.connect import SESSION

LEAST, MOST = 1.0, 1800.0
BEATS = 4
"""Heartbeats in a session: some may be lost, and a busy worker sends them late."""
REQUEST_BEYOND = 10.0


def timing_of(environ: Mapping[str, str]) -> Timing:
    """The default, or `LEPTON__KAFKA__SESSION_SECONDS` (1 to 1800) with heartbeats to match. Raises UsageError.

    The broker has bounds of its own (`group.min.session.timeout.ms`, 6 s unless it was set) and refuses what is outside
    them. A short session finds dead workers sooner, and takes slow ones for dead.
    """
    text = environ.get(SESSION)
    if text is None:
        return Timing()
    try:
        session = float(text)
    except ValueError:
        session = 0.0
    if not LEAST <= session <= MOST:
        raise UsageError(f"{SESSION} is {text!r}: expects seconds from {LEAST:.0f} to {MOST:.0f}")
    default = Timing()
    # A request to join waits for as long as the group does: Faust refuses a request timeout within the session's.
    return Timing(
        session=session,
        heartbeat=min(default.heartbeat, session / BEATS),
        request=max(default.request, session + REQUEST_BEYOND),
    )
