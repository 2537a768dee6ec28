"""Does it live, and is it ready? Answers with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lepton_stream.telemetry.tally import Whole

LIVE_S = 15.0
"""A worker whose event loop has not answered for so long is stuck; steps take some 50 ms."""

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Probe:
    """`reasons`: why not, empty where all is well."""

    reasons: tuple[str, ...]
    workers: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"ok": self.ok, "reasons": list(self.reasons), "workers": list(self.workers)}


def live(whole: Whole, now: float) -> Probe:
    """Every worker that has ever spoken still answers. One that is being started is no reason to end the others."""
    reasons = [
        f"worker {worker}: its event loop has not answered for {now - heard.at:.0f} s"
        for worker, heard in sorted(whole.heard.items())
        if now - heard.at > LIVE_S and not heard.snapshot.may_wait
    ]
    return Probe(tuple(reasons), _workers(whole, now))


def ready(whole: Whole, now: float) -> Probe:
    """Every worker lives, has joined the group, and has restored its partitions."""
    reasons = list(live(whole, now).reasons)
    reasons += [f"worker {worker}: it does not report (it starts, or is started again)" for worker in whole.silent]
    for worker, heard in sorted(whole.heard.items()):
        waiting = heard.snapshot.restoring
        if not heard.snapshot.joined:
            reasons.append(f"worker {worker}: it waits for the group to assign partitions")
        elif waiting:
            reasons.append(f"worker {worker}: restoring {', '.join(waiting[:_NAMED])}")
    return Probe(tuple(reasons), _workers(whole, now))


def _workers(whole: Whole, now: float) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "worker": worker,
            "last_step_age_seconds": round(max(0.0, now - heard.at), 3),
            "joined": heard.snapshot.joined,
            "restoring": list(heard.snapshot.restoring[:_NAMED]),
        }
        for worker, heard in sorted(whole.heard.items())
    )
