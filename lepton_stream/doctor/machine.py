"""Judges this machine and what is installed on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lepton_stream.doctor.finding import Finding, fail, ok, unknown, warn
from lepton_stream.memory.budget import BASE, Budget

GiB = 1 << 30
LEAST_MEMORY = GiB
"""Of one worker: its inboxes, frames on their way and the state of a few partitions."""
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The compiled path: whether it runs, and why or why not. `installed`: what it needs is here."""

    active: bool
    why: str
    installed: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    """`packages`: version by name, None where it is missing. `wanted`: what we ask of them, as `name>=1,<2`.

    `cpus`: that this process may use, in cores; `memory`: bytes it may use, None where the system does not tell.
    """

    python: tuple[int, int, int]
    product: str
    packages: Mapping[str, str | None]
    wanted: Sequence[str]
    compiled: Compiled
    cpus: float
    memory: int | None


def judge_machine(m: Machine) -> list[Finding]:
    """All findings about the machine."""
    return [_python(m), *_packages(m), _compiled(m), _cpus(m), _memory(m)]


def _python(m: Machine) -> Finding:
    what = f"lepton-stream {m.product} on Python {'.'.join(map(str, m.python))}"
    if m.python[:2] < OLDEST_PYTHON:
        return fail("version", what, "install Python 3.11 or newer")
    return ok("version", what)


def _packages(m: Machine) -> Iterable[Finding]:
    good = []
    for line in m.wanted:
        name, limits = parse(line)
        version = m.packages.get(name)
        if version is None:
            yield fail("packages", f"{name} is not installed", f"pip install '{line}'")
        elif not all(holds(version, sign, limit) for sign, limit in limits):
            yield fail("packages", f"{name} {version} is not what we are built on ({line})", f"pip install '{line}'")
        else:
            good.append(f"{name} {version}")
    if good:
        yield ok("packages", ", ".join(good))


def parse(line: str) -> tuple[str, list[tuple[str, str]]]:
    """Name and limits of a requirement.

    >>> parse("aiokafka<0.15,>=0.14")
    ('aiokafka', [('<', '0.15'), ('>=', '0.14')])
    """
    name = re.match(r"[A-Za-z0-9._-]+", line)
    return (name.group() if name else line), re.findall(r"(<=|>=|==|<|>)\s*([0-9][0-9.]*)", line)


def holds(version: str, sign: str, limit: str) -> bool:
    """Whether a version is within a limit; what follows the numbers (`rc1`) is left out of account."""
    have, wanted = _numbers(version), _numbers(limit)
    size = max(len(have), len(wanted))
    a, b = (n + (0,) * (size - len(n)) for n in (have, wanted))
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b}[sign]


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(n) for n in found.group().split(".")) if found else ()


def _compiled(m: Machine) -> Finding:
    if m.compiled.active:
        return ok("compiled path", m.compiled.why)
    what = f"not in use, results are the same but slower: {m.compiled.why}"
    missing = "pip install 'lepton-stream[compiled]'"
    return warn(
        "compiled path", what, "unset LEPTON_STREAM_COMPILED, or mend what it says" if m.compiled.installed else missing
    )


def _cpus(m: Machine) -> Finding:
    return ok("cpu", f"{m.cpus:g} cores may be used; a worker uses one")


def judge_budget(budget: Budget, room: int | None) -> Finding:
    """What a worker may hold of its own accord. `room`: bytes that this process may use, None if unknown."""
    if room is not None and budget.bytes + BASE > room:
        what = f"{budget}, and {room / GiB:.1f} GiB may be used: the system would end a worker before it stops itself"
        return warn("memory budget", what, "lower --memory, $LEPTON__MEMORY or the plan's memory")
    return ok("memory budget", str(budget))


def _memory(m: Machine) -> Finding:
    if m.memory is None:
        return unknown("memory", "this system does not tell", f"give each worker at least {LEAST_MEMORY // GiB} GiB")
    what = f"{m.memory / GiB:.1f} GiB may be used"
    if m.memory < LEAST_MEMORY:
        return warn("memory", what, f"give each worker at least {LEAST_MEMORY // GiB} GiB")
    return ok("memory", what)
