"""The autopilot of one worker: it watches what the work costs and turns routes, flush interval and codec."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from lepton_stream.autopilot import choose
from lepton_stream.autopilot.choose import INTERVALS_S, Choice
from lepton_stream.autopilot.codecs import CPU_ONLY, Worth
from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.freshness import Freshness
from lepton_stream.autopilot.hysteresis import DEFAULT, BackOff, Patience, Turns
from lepton_stream.autopilot.load import Load, Recent, Sums, differs
from lepton_stream.autopilot.mode import Mode
from lepton_stream.autopilot.model import CostModel
from lepton_stream.autopilot.moves import Move
from lepton_stream.autopilot.seen import FoldSeen, PrepareSeen
from lepton_stream.autopilot.setting import Setting
from lepton_stream.autopilot.telling import CODEC_COST, COST, FRESH, MILLION, Scene, turned
from lepton_stream.autopilot.turn import Turn
from lepton_stream.pipeline.plan import Plan

_LONG_AGO = float("-inf")


class Pilot:
    """`start`: the setting before anything was seen. `freshness_s`: the goal for the 99th percentile, None: no goal.

    `weigh`: what bytes are worth. `partitions`: of the shuffle topic, None: as many as the plan wants.
    The worker tells what it has seen (`prepared`, `folded`, `fresh`), calls `look` about once a second, and takes
    `setting` for whatever it begins then. Times are handed in, in seconds, on a clock that does not go back.
    """

    def __init__(
        self,
        plan: Plan,
        start: Setting,
        *,
        mode: Mode,
        freshness_s: float | None = None,
        patience: Patience = DEFAULT,
        weigh: Worth = CPU_ONLY,
        partitions: int | None = None,
    ) -> None:
        if len(start.routes) != len(plan.windows):
            raise ValueError(f"{len(start.routes)} routes for {len(plan.windows)} window sections")
        self.setting = start
        self.mode, self.freshness_s, self._patience = mode, freshness_s, patience
        self._names = tuple(w.name for w in plan.windows)
        self._model = CostModel(plan, weigh, partitions)
        self._recent, self._freshness = Recent(len(plan.windows)), Freshness()
        self._back_off, self._turns = BackOff(patience), Turns(patience)
        self._move: Move | None = None
        self._advised: dict[Setting, float] = {}
        self._looked: float | None = None
        self._moved = _LONG_AGO
        self._lowered = _LONG_AGO
        self._told = 0

    def prepared(self, seen: PrepareSeen) -> None:
        """A range was prepared and sent."""
        if self.mode != "off":
            self._recent.now.prepared(seen)

    def folded(self, seen: FoldSeen) -> None:
        """A run of frames was folded."""
        if self.mode != "off":
            self._recent.now.fold(seen)

    def fresh(self, late_s: float, results: int) -> None:
        """So many results could be read that long after their window could close."""
        if self.mode != "off":
            self._freshness.add(late_s, results)

    def look(self, now_s: float) -> list[Decision]:
        """Learn from what was seen since the last look, and decide; earlier decisions come again when complete."""
        if self.mode == "off":
            return []
        last, self._looked = self._looked, now_s
        if last is None or now_s <= last:
            return []
        self._learn(self._recent.roll(now_s - last), now_s)
        load = self._recent.load()
        if load is None:
            return []
        told = self._judge(load, now_s)
        told += self._keep_fresh(load, now_s)
        if self._may_move(load, now_s):
            told += self._improve(load, now_s)
        return told

    def _learn(self, seen: Sums, now_s: float) -> None:
        self._model.observe(seen, self.setting.codec if self._recent.looks else None)
        self._freshness.roll(now_s)
        if self._recent.changed:
            self._turns.changed()

    def _may_move(self, load: Load, now_s: float) -> bool:
        """Enough was seen of this setting and this data, nothing is being judged, and there is something to gain."""
        calm = self._move is None and now_s - self._moved >= self._patience.stay_s
        return calm and self._enough(load) and self._cost(load) * load.pace >= self._patience.least_use

    def _enough(self, load: Load) -> bool:
        return self._recent.looks >= self._patience.looks and load.flushes >= self._patience.flushes

    def _scene(self, load: Load) -> Scene:
        return Scene(self._model, load, self.setting, self._names, self._cost(load), self._freshness.p99_s)

    def _cost(self, load: Load) -> float:
        """CPU seconds a record that the knobs decide on: measured, but for merging, which others do with us."""
        own = load.route + load.compress + load.flush
        return own + self._model.fold_cost(load, self.setting.routes) + self._travel(load)

    def _travel(self, load: Load) -> float:
        """What bytes on their way take, CPU seconds a record; compressing them is measured."""
        return self._model.codecs.travel_s(self.setting.codec, load.frame_bytes, load.sent_bytes)

    def _measured(self, load: Load, measure: str) -> float | None:
        """What a decision has promised, as it is now; None where nothing tells."""
        if measure == FRESH:
            return self._freshness.measured
        return (load.compress + self._travel(load) if measure == CODEC_COST else self._cost(load)) * MILLION

    def _limit_s(self) -> float:
        """The longest interval that may be chosen now."""
        now = self.setting.flush_s
        if self.freshness_s is None:
            return max(self._patience.calm_s, now)
        p99_s = self._freshness.measured
        if p99_s is None:
            return max(min(self._patience.calm_s, self.freshness_s / 4.0), now)
        return max(self._room_s(p99_s, self.freshness_s), now)

    def _room_s(self, p99_s: float, goal_s: float) -> float:
        """The interval that meets the goal with some margin.

        By chance windows may end just before claims for a while, so that results look fresher than the interval allows.
        """
        now = self.setting.flush_s
        return now + self._patience.margin * goal_s - max(p99_s, now)

    def _improve(self, load: Load, now_s: float) -> list[Decision]:
        """The most that can be gained now, if it is enough; else a try of what is not known well."""

        def may(turn: Turn, *, before: int = 1) -> bool:
            return self._turns.lately(turn.knob, now_s) <= before and self._back_off.open(turn, now_s, load.cells)

        model, at, p = self._model, self.setting, self._patience
        calmed = now_s - self._lowered < p.back_off_s
        limit_s = at.flush_s if calmed else self._limit_s()
        best = choose.plan(model, load, at, limit_s, p, may)
        if best is not None:
            gain = 1.0 - best.cost / best.now
            return self._turn(load, best, now_s, f"predicted to take {gain:.0%} off what the knobs decide on")
        packed = choose.codec(model, load, at, p, may)
        if packed is not None:
            gain = 1.0 - packed.cost / packed.now
            return self._turn(load, packed, now_s, f"predicted to take {gain:.0%} off what codec and bytes cost")
        tried = choose.untried(model, load, at, p, partial(may, before=0)) if self.mode == "act" else None
        if tried is None or tried.hoped is None:
            return []
        why = (
            f"not tried on this data: predicted {tried.cost / tried.now - 1.0:+.0%}, but by what is known of its costs "
            f"it may take off {1.0 - tried.hoped / tried.now:.0%}"
        )
        return self._turn(load, tried, now_s, why)

    def _turn(self, load: Load, choice: Choice, now_s: float, why: str) -> list[Decision]:
        """Turn to what costs less."""
        measure = COST if self.setting.codec == choice.setting.codec else CODEC_COST
        level = self._measured(load, measure) or 0.0
        after = choice.cost if choice.hoped is None else choice.hoped
        return self._go(load, choice.setting, now_s, why, (measure, level * after / choice.now), level)

    def _go(
        self,
        load: Load,
        to: Setting,
        now_s: float,
        why: str,
        promised: tuple[str, float],
        level: float,
        *,
        judged: bool = True,
    ) -> list[Decision]:
        """Tell and do it; in mode "advise" tell it, and not again for a while."""
        at, acting = self.setting, self.mode == "act"
        if not acting:
            if now_s - self._advised.get(to, _LONG_AGO) < self._patience.back_off_s:
                return []
            self._advised[to] = now_s
        self._told += 1
        told = tuple(turned(self._scene(load), to, why, promised, self._told))
        if acting:
            _, expected = self._model.at_interval(load, at.flush_s, to.flush_s)
            self._move = Move(at, to, now_s, told, level, judged, load.cells, expected)
            self.setting, self._moved = to, now_s
            for turn in self._move.turns():
                self._turns.turned(turn.knob, now_s)
            self._recent.forget()  # what was seen belongs to the old one
            if to.flush_s != at.flush_s:
                self._freshness.moved(now_s, to.flush_s - at.flush_s)
        return list(told)

    def _judge(self, load: Load, now_s: float) -> list[Decision]:
        """Complete the last move once it has shown what it brings; undo it if that is next to nothing."""
        move, p = self._move, self._patience
        if move is None or now_s - move.at_s < p.judge_s or not self._enough(load):
            return []
        delivered = self._measured(load, move.measure)
        if delivered is None:
            return []
        self._move = None
        told = move.completed(delivered)
        if differs(load.cells, move.expected):
            self._turns.changed()
            return told
        if not move.judged or not move.disappoints(delivered, p.kept):
            return told
        rests = [self._back_off.failed(turn, now_s, move.cells) for turn in move.turns()]
        why = (
            f"rolled back: {move.level - move.promised:.3g} {move.measure} were promised, {move.level - delivered:.3g} "
            f"have arrived; not tried again for {max(rests) / 60.0:.0f} minutes while the data stays like this"
        )
        promised = (move.measure, move.level)
        return told + self._go(load, move.before, now_s, why, promised, delivered, judged=False)

    def _keep_fresh(self, load: Load, now_s: float) -> list[Decision]:
        """Shorten the interval when results are older than the goal and the interval can help that."""
        goal, p99_s, at = self.freshness_s, self._freshness.measured, self.setting
        if goal is None or p99_s is None or p99_s <= goal or at.flush_s == 0.0 or p99_s - at.flush_s > goal:
            return []
        room_s = self._room_s(p99_s, goal)
        flush_s = max((s for s in INTERVALS_S if s <= room_s and s < at.flush_s), default=0.0)
        why = f"results are {p99_s:.3g} s old, more than the {goal:g} s of the objective"
        promised = (FRESH, p99_s + flush_s - at.flush_s)
        done: list[Decision] = []
        if self._move is not None:  # it will never be known what it would have brought by itself
            measured = self._measured(load, self._move.measure)
            done = [] if measured is None else self._move.completed(measured)
        self._lowered = now_s
        return done + self._go(load, replace(at, flush_s=flush_s), now_s, why, promised, p99_s, judged=False)
