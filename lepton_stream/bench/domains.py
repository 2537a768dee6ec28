"""How fast every shipped pipeline is: its own sample again and again through the installed command, on one core."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lepton_stream.bench.command import measured
from lepton_stream.bench.engine import figures, timed
from lepton_stream.bench.replay import Replay
from lepton_stream.bench.report import spread, table
from lepton_stream.bench.stock import Tell
from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.pseudonym_secret import VARIABLE, demo_secret

BAR, BAR_WITH_MODELS = 300_000, 100_000
"""Events a second on one core that a shipped pipeline must exceed."""
_TURNED = {"median": "median", "lowest": "highest", "highest": "lowest"}
"""What becomes of a spread whose inverse is taken."""
_COUNTED = ("read", "accepted", "duplicate", "late", "results")


def domains(names: Sequence[str], records: int, runs: int, tell: Tell) -> dict[str, Any]:
    """Measure each; figures by name. Raises UsageError for an unknown name, IntegrityError for a wrong account."""
    return {name: _one(name, records, runs, tell) for name in names}


def _one(name: str, records: int, runs: int, tell: Tell) -> dict[str, Any]:
    tell(f"{name}: repeating its sample")
    replay = Replay.of(name)
    command = measured(more=_secret_for(replay.plan))
    copies = -(-records // len(replay.events))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _, once = timed(command, *replay.write(folder, 1, "once"), folder)
        plan, events = replay.write(folder, copies, "events")
        done = []
        for number in range(1, runs + 1):
            tell(f"{name}: run {number} of {runs}")
            run, totals = timed(command, plan, events, folder)
            refuse_other(name, copies, once, totals)
            done.append(run)
        size = events.stat().st_size
    count = copies * len(replay.events)
    made_of = {"events": count, "event_bytes": round(size / count - 1, 1), "models": len(replay.plan.models)}
    return {**made_of, "results": totals["results"], **figures(done)}


def _secret_for(plan: Plan) -> dict[str, str]:
    """What the environment lacks for a plan with pseudonyms."""
    secret = demo_secret(plan, os.environ)
    return {} if secret is None else {VARIABLE: secret.decode()}


def refuse_other(name: str, copies: int, once: Mapping[str, Any], totals: Mapping[str, Any]) -> None:
    """Raises IntegrityError unless so many copies count so many times what one counts."""
    wanted = {what: copies * once[what] for what in _COUNTED}
    wanted |= {reason: copies * n for reason, n in once["dead_lettered"].items()}
    found = {what: totals[what] for what in _COUNTED} | dict(totals["dead_lettered"])
    if found != wanted:
        raise IntegrityError(f"bench: {copies} copies of the sample of {name} count {found}, and should be {wanted}")


def domains_lines(told: Mapping[str, Any]) -> list[str]:
    """What was found, the slowest first."""
    pipelines = sorted(told["pipelines"].items(), key=lambda item: _a_core(item[1])["median"])
    rows = [
        [
            f"`{name}`",
            spread(_a_core(found)),
            spread(found["events_per_second"]),
            f"{found['events']:,}",
            f"{found['event_bytes']:.0f}",
            f"{found['results']:,}",
            f"{found.get('models', 0)}",
        ]
        for name, found in pipelines
    ]
    head = ("Pipeline", "Events/s a core", "Events/s by the clock", "Events", "Bytes each", "Results", "Models")
    below = [name for name, found in pipelines if _a_core(found)["median"] <= _bar(found)]
    verdict = f"not {', '.join(below)}" if below else "all do"
    bars = f"More than {BAR:,} events a second on one core, {BAR_WITH_MODELS:,} with models"
    return [*table(head, rows), "", f"{bars}: {verdict}."]


def _bar(found: Mapping[str, Any]) -> int:
    return BAR_WITH_MODELS if found.get("models") else BAR


def _a_core(found: Mapping[str, Any]) -> dict[str, float]:
    """Events for each CPU second: what the core gives that the run has to itself, also where others are on it now."""
    cpu = found["cpu_seconds_per_million"]
    return {**cpu, **{name: 1e6 / cpu[of] for name, of in _TURNED.items()}}
