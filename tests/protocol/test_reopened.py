"""A run with an end that was broken off, and another one after more records have come: no window closes too early."""

from __future__ import annotations

from collections import Counter

from lepton_stream.protocol.metadata import claim_of
from lepton_stream.shuffle.frame import decode
from tests.protocol.defects import NONE, Defect
from tests.protocol.oracle import _accounts, _conservation, _end, _letters, _results
from tests.protocol.quick import quick_fingerprints
from tests.protocol.simulate import Simulation
from tests.protocol.truth import Truth, truth_of
from tests.protocol.world import Violation
from tests.protocol.wrong_preparers import OneEra

SEEDS = 250


class Reopened(Simulation):
    """The first run sees the beginnings of the logs and is broken off; the second one sees all there is."""

    def __init__(self, seed: int, defect: Defect) -> None:
        super().__init__(seed, defect)
        self.stage.until_end, self.stage.rash, self.stage.run, self.forge = True, False, "first", False
        self.seen = 0

    def first_run(self) -> None:
        """Until some source has told its end, and a little longer."""
        left = self.rng.randint(0, 30)
        while self.live and left:
            left -= bool(self._ended())
            self.advance_or_fail()
        ended = self._ended()
        self.world.met["some had ended"] += 0 < ended < len(self.world.logs)
        for task in (*self.live.values(), *self.zombies):
            task.life.dead = True
            task.steps.close()
        self.live, self.zombies = {}, []
        while self.world.flights:
            self.world.arrive()
        frames = [decode(data) for log in self.world.shuffle for data in log]
        self.seen = max((max(f.high, f.idle) for f in frames), default=0)

    def _ended(self) -> int:
        claims = [claim_of(text, "model") for (kind, _), (_, text) in self.world.commits.items() if kind == "s"]
        return sum(claim.ended for claim in claims)

    def advance_or_fail(self) -> None:
        self.advance()
        if self.faults and self.rng.random() < 0.02:
            self.faults -= 1
            self.fault()

    def second_run(self) -> None:
        """All is there now."""
        w = self.world
        w.visible = [len(log) for log in w.logs]
        w.ends.clear()
        self.stage.run = "second"
        self.stage.rested.clear()
        self.rebalance(0.0)
        while self.live:
            self.advance_or_fail()
        self.drain()
        self.rebalance(0.0)
        while self.live:
            self.advance()
        self.judge()

    def judge(self) -> None:
        """What lies beyond all that the first run has seen is exact; nothing is lost from the rest."""
        w = self.world
        truth = truth_of(self.stage.jobs[0].plan, w.logs, [_end(w, s) for s in range(len(w.logs))])
        self.stage.rash = True  # records may come too late for windows that the first run has closed
        _accounts(self.stage, truth)
        _letters(w, truth)
        _conservation(self.stage, _results(w), truth)
        self.beyond(truth)

    def beyond(self, truth: Truth) -> None:
        found = _results(self.world)
        for cell in truth.cells:
            if cell[1] * 1000 <= self.seen:
                continue
            self.world.met["cells beyond"] += 1
            row, wanted = found.get(cell), truth.result(cell)
            if row is None or not row["final"] or any(row[n] != wanted[n] for n in wanted if n in row):
                raise Violation(f"{cell}: {row}, truth {wanted}")


def run(seed: int, defect: Defect = NONE) -> Counter[str]:
    """Raises Violation."""
    simulation = Reopened(seed, defect)
    with quick_fingerprints():
        simulation.first_run()
        simulation.second_run()
    return simulation.world.met


def test_a_run_after_one_that_was_broken_off_closes_no_window_too_early() -> None:
    met = Counter[str]()
    for seed in range(SEEDS):
        met += run(seed)
    assert met["some had ended"] > SEEDS // 5
    assert met["cells beyond"] > SEEDS


def test_runs_that_cannot_be_told_apart_close_windows_too_early() -> None:
    wrong = 0
    for seed in range(SEEDS):
        try:
            run(seed, Defect(preparer=OneEra))
        except Violation:
            wrong += 1
    assert wrong
