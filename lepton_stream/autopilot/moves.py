"""A move that was made and waits to be judged: what it promised, what it brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lepton_stream.autopilot.decision import Decision
from lepton_stream.autopilot.growth import Cells
from lepton_stream.autopilot.setting import Setting
from lepton_stream.autopilot.turn import Turn, codec_option, flush_option, route_option


@dataclass(frozen=True, slots=True)
class Move:
    """From `before` to `after` at `at_s`, `told` as decisions. `level`: of the measure that was promised, before it.

    `judged`: whether it is undone if it disappoints. `cells`: when it was chosen; `expected`: what they should be
    afterwards, if the data stays the same.
    """

    before: Setting
    after: Setting
    at_s: float
    told: tuple[Decision, ...]
    level: float
    judged: bool
    cells: tuple[Cells, ...]
    expected: tuple[Cells, ...]

    @property
    def measure(self) -> str:
        """The name of what was promised."""
        return self.told[0].promised[0]

    @property
    def promised(self) -> float:
        """What it should come to."""
        return self.told[0].promised[1]

    def turns(self) -> Iterator[Turn]:
        """Of each knob."""
        for number, (a, b) in enumerate(zip(self.before.routes, self.after.routes, strict=True)):
            if a != b:
                yield route_option(number, b)
        if self.before.flush_s != self.after.flush_s:
            yield flush_option(self.after.flush_s)
        if self.before.codec != self.after.codec:
            yield codec_option(self.after.codec)

    def completed(self, delivered: float) -> list[Decision]:
        """What was told, with what it brought."""
        return [replace(d, delivered=delivered) for d in self.told]

    def disappoints(self, delivered: float, kept: float) -> bool:
        """Whether less than the share `kept` of the promised gain has arrived."""
        return self.level - delivered < kept * (self.level - self.promised)
