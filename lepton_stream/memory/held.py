"""From what a worker holds to what it does: pause its sources, write checkpoints early, or stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lepton_stream.errors import MemoryBudgetError
from lepton_stream.memory.budget import Budget, about
from lepton_stream.memory.shares import Shares, shares_of
from lepton_stream.pipeline.plan import Plan

NEAR = 0.85
"""Of the state's share: from here on checkpoints are made as soon as they say anything new."""
LOW = 0.9
"""Of base and budget: sources that were paused go on below it."""


class Dedup(Protocol):
    """`lepton_stream.dedup.memory.DedupMemory`."""

    @property
    def bytes(self) -> int:
        """Memory in use."""

    def __len__(self) -> int: ...


class Table(Protocol):
    """`lepton_stream.windows.table.Table`. `capacity`: cells for which there is room."""

    @property
    def bytes(self) -> int:
        """Memory in use."""

    @property
    def capacity(self) -> int:
        """Cells."""


class Held(NamedTuple):
    """What a worker holds: bytes, and of state how many entries (fingerprints, cells)."""

    dedup: int = 0
    windows: int = 0
    buffers: int = 0
    ids: int = 0
    cells: int = 0

    @property
    def state(self) -> int:
        """Bytes that only time, or a checkpoint, sets free."""
        return self.dedup + self.windows


def held_by(dedups: Iterable[Dedup], tables: Iterable[Table]) -> Held:
    """What these hold together; nothing of it is walked through."""
    dedups, tables = list(dedups), list(tables)
    return Held(
        dedup=sum(one.bytes for one in dedups),
        windows=sum(one.bytes for one in tables),
        ids=sum(map(len, dedups)),
        cells=sum(one.capacity for one in tables),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """`pause`: sources hand out nothing. `flush`: checkpoints come early. `over`: state alone is more than its share.

    Who is over takes nothing more in; when no checkpoint frees enough either, it stops.
    """

    pause: bool = False
    flush: bool = False
    over: bool = False


def decide(budget: int, shares: Shares, held: Held, resident: int, base: int, paused: bool) -> Step:
    """What to do. `resident`: of the whole process, 0 if unknown; `base`: of the process before it held anything.

    A process that is larger than base and budget holds what nobody has counted: sources wait then, as long as there is
    something to work off. With nothing left to work off waiting would not help, and they go on.
    """
    over = held.state > shares.state_bytes
    limit = base + budget
    large = resident > (limit * LOW if paused else limit)
    return Step(
        pause=over or (large and held.buffers > 0),
        flush=over or large or held.state > NEAR * shares.state_bytes,
        over=over,
    )


def too_much(budget: Budget, held: Held, plan: Plan, partitions: int) -> MemoryBudgetError:
    """Why a worker on Kafka stops, and what to do about it."""
    return MemoryBudgetError(
        f"{_head(budget, held, plan)} in {partitions} partitions. This worker stops before the system ends it. "
        "Nothing is lost: what its checkpoints hold is safe, the rest is read again by whoever goes on. "
        f"{'; '.join(_remedies(budget, plan, held, ', or start more workers'))}"
    )


def refuse_too_much(budget: Budget, held: Held, plan: Plan, partitions: int) -> None:
    """Raises MemoryBudgetError when the state of a run over files does not fit: it begins anew with the next run."""
    if held.state > shares_of(budget.bytes, 1).state_bytes:
        raise MemoryBudgetError(
            f"{_head(budget, held, plan)} in {partitions} partitions. The run stops before the system ends it; the "
            f"results so far are right. {'; '.join(_remedies(budget, plan, held))}"
        )


def _head(budget: Budget, held: Held, plan: Plan) -> str:
    state = shares_of(budget.bytes, 1).state_bytes
    return (
        f"{plan.name}: state takes {about(held.state)}, and of a memory of {about(budget.bytes)} {about(state)} are "
        f"for state: {' and '.join(_parts(held))}"
    )


def _parts(held: Held) -> Iterable[str]:
    parts = [(held.windows, f"{about(held.windows)} window tables with room for {held.cells:,} cells")]
    parts += [(held.dedup, f"{about(held.dedup)} dedup memory with {held.ids:,} ids")]
    return [text for size, text in sorted(parts, reverse=True) if size]


def _remedies(budget: Budget, plan: Plan, held: Held, or_else: str = "") -> Iterable[str]:
    yield f"Give it more (--memory {about(2 * budget.bytes).replace(' ', '')}){or_else}"
    if held.windows >= held.dedup:
        by = sorted({*(n for w in plan.windows for n in w.group_by), *(n for m in plan.in_order for n in m.by)})
        grouped = f", or fewer values of {', '.join(by)}" if by else ""
        yield f"else it takes a shorter size, lateness or grace of windows{grouped}, in a new `version` of the plan"
    else:
        yield f"else it takes a shorter dedup.memory (now {plan.dedup_memory:,}), in a new `version` of the plan"
