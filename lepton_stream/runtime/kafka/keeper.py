"""Keeps a worker within its memory: owners tell what they hold, once a chunk; a look four times a second judges it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lepton_stream import clock
from lepton_stream.chunk import SourcePartition
from lepton_stream.memory.budget import BASE, Budget
from lepton_stream.memory.held import Held, Step, decide, too_much
from lepton_stream.memory.shares import Shares, shares_of
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.allocator import give_back_freed_memory
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.meter import Meter, Samples

LOOK_S = 0.25
SOON_S = 0.05
"""Who has to wait for memory looks again after so long."""
NOTHING = Held()
PAGE = os.sysconf("SC_PAGE_SIZE")
STATM = Path("/proc/self/statm")


class Keeper:
    """`shares`: what each partition may hold. `step`: what is to be done now; owners ask before they take more in."""

    def __init__(self, budget: Budget, plan: Plan, meter: Meter, resident: Callable[[], int]) -> None:
        """`resident`: bytes of this process, 0 if unknown."""
        self.budget, self._plan, self._meter, self._resident = budget, plan, meter, resident
        self._base = max(BASE, resident())
        self.shares = shares_of(budget.bytes, 1)
        self.step = Step()
        self.held = NOTHING
        self._by: dict[SourcePartition, Held] = {}
        self._looked = clock.elapsed_s()
        meter.declare(c.MEMORY_PAUSED_SECONDS, [()])

    def share(self, partitions: int) -> Shares:
        """The worker owns so many partitions now. Raises MemoryBudgetError where the budget is too small for them."""
        self._by, self.held, self.step = {}, NOTHING, Step()
        self.shares = shares_of(self.budget.bytes, partitions)
        return self.shares

    def note(self, tp: SourcePartition, held: Held) -> None:
        """A partition's state is so large now. Takes the same time however much that is."""
        before = self._by.get(tp, NOTHING)
        self._by[tp] = held
        self.held = Held(*(all_ - old + new for all_, old, new in zip(self.held, before, held, strict=True)))
        if self.held.state > self.shares.state_bytes:
            self.step = Step(pause=True, flush=True, over=True)  # at once: the next look may be many chunks away

    def look(self, buffers: int, *, settled: bool) -> None:
        """Judge it all anew. `buffers`: bytes that wait or are worked on.

        Raises MemoryBudgetError if state is too large and `settled`: no checkpoint is due that could free some.
        """
        dedup, windows, _, ids, cells = self.held
        self.held = Held(dedup, windows, buffers, ids, cells)
        resident, paused, now = self._resident(), self.step.pause, clock.elapsed_s()
        self.step = decide(self.budget.bytes, self.shares, self.held, resident, self._base, paused)
        if paused:
            self._meter.add(c.MEMORY_PAUSED_SECONDS, now - self._looked)
        self._looked = now
        if self.step.pause:
            if not paused:
                give_back_freed_memory()
            held = self.held
            told = {"budget": self.budget.bytes, "state": held.state, "buffers": held.buffers, "resident": resident}
            tell(c.MEMORY_SHORT, **told)
        if self.step.over and settled:
            raise self.stopping()

    def stopping(self) -> Exception:
        """Why the worker ends now: what it must keep does not fit."""
        return too_much(self.budget, self.held, self._plan, len(self._by))

    def gauges(self, worker: str) -> Samples:
        """As metrics tell it."""
        return {
            c.MEMORY_BUDGET.name: {(worker,): self.budget.bytes},
            c.MEMORY_STATE.name: {(worker, "dedup"): self.held.dedup, (worker, "windows"): self.held.windows},
            c.MEMORY_BUFFERS.name: {(worker,): self.held.buffers},
            c.MEMORY_PAUSED.name: {(worker,): int(self.step.pause)},
        }


def resident_bytes() -> int:
    """Memory of this process, 0 where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE
    except OSError:
        return 0
