"""An automatic decision with its reason: what was seen, what could be done, what was chosen, promised, delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

VERSION = 1


@dataclass(frozen=True, slots=True)
class Option:
    """Something that could be done. `predicted`: what it would come to, by name, in the units that names say."""

    name: str
    predicted: dict[str, float]


@dataclass(frozen=True, slots=True)
class Decision:
    """`knob`: what was turned. `seen`: measured before, by name. `choice`: an option's name. `why`: in words.

    `promised`: (name, value) of the measure that it was chosen by; `delivered`: its value later, None before that.
    `about`: what it holds for, where a knob has several (a window section). `id`: the same before and after `delivered`
    is known; empty: who tells it gives it one.
    """

    knob: str
    seen: dict[str, float]
    options: tuple[Option, ...]
    choice: str
    why: str
    promised: tuple[str, float]
    delivered: float | None = None
    about: dict[str, str] = field(default_factory=dict)
    id: str = ""

    def lines(self) -> Iterator[str]:
        """For people."""
        about = "".join(f", {name} {value}" for name, value in sorted(self.about.items()))
        yield f"{self.knob}{about}: {self.choice}"
        yield f"  why        {self.why}"
        for i, (name, value) in enumerate(sorted(self.seen.items())):
            yield f"  {'' if i else 'seen':<10} {name}: {_shown(value)}"
        for i, option in enumerate(self.options):
            told = ", ".join(f"{name} {_shown(value)}" for name, value in option.predicted.items())
            chosen = " (chosen)" if option.name == self.choice else ""
            yield f"  {'' if i else 'options':<10} {option.name}: {told}{chosen}"
        name, value = self.promised
        yield f"  promised   {name} {_shown(value)}"
        yield f"  delivered  {'not measured yet' if self.delivered is None else f'{name} {_shown(self.delivered)}'}"


def _shown(value: float) -> str:
    """Three digits, more only where they stand before the point: 12,345 rather than 1.23e+04."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:,.3g}"
