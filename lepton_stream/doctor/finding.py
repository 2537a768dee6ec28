"""One thing that was looked at, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lepton_stream.errors import LeptonError

Level: TypeAlias = Literal["ok", "warn", "fail", "unknown"]
"""`warn`: works, but not as well or as safely as it might. `fail`: a run refuses it or would count wrongly. `unknown`:
it could not be looked at."""
LEVELS: tuple[Level, ...] = ("ok", "warn", "fail", "unknown")


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: what was looked at. `remedy`: the next step, "" where nothing has to be done."""

    level: Level
    about: str
    what: str
    remedy: str = ""


def ok(about: str, what: str) -> Finding:
    """All is well."""
    return Finding("ok", about, what)


def warn(about: str, what: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding("warn", about, what, remedy)


def fail(about: str, what: str, remedy: str) -> Finding:
    """It does not work, or not rightly."""
    return Finding("fail", about, what, remedy)


def unknown(about: str, why: str, remedy: str) -> Finding:
    """It could not be looked at."""
    return Finding("unknown", about, f"not checked: {why}", remedy)


def of_error(about: str, error: LeptonError) -> Finding:
    """What a run would refuse, in its own words: messages end with the next step, behind `; ` or `: `."""
    text = str(error)
    what, _, remedy = text.rpartition("; ") if "; " in text else text.rpartition(": ")
    return fail(about, what or remedy, remedy if what else "")


def counts(findings: Iterable[Finding]) -> dict[Level, int]:
    """How many of each level, every level named."""
    levels = [f.level for f in findings]
    return {level: levels.count(level) for level in LEVELS}
