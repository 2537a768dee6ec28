"""What a dashboard is made of, as plain values: queries, panels, rows. Nothing of Grafana is imported here."""

from __future__ import annotations

from dataclasses import dataclass

RATE = "$__rate_interval"
"""Grafana's: at least four scrapes long, so that every rate has points."""
PIPELINE = 'pipeline=~"$pipeline"'

Steps = tuple[tuple[str, float | None], ...]
"""Colours and from which value on they hold, ascending; the first holds from minus infinity: None."""
ZERO_IS_GOOD: Steps = (("green", None), ("red", 1.0))
NEUTRAL: Steps = (("blue", None),)


@dataclass(frozen=True, slots=True)
class Query:
    """`unit` and `steps` replace the panel's for this query alone; `legend` names its series."""

    expr: str
    legend: str
    unit: str | None = None
    steps: Steps | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """`description`: what it shows and what is good, in a sentence or two; `width`: of 24."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 7
    steps: Steps = ()
    stacked: bool = False

    @property
    def is_stat(self) -> bool:
        """A number with a colour, where there are thresholds; a graph otherwise."""
        return bool(self.steps)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading; the first row of a dashboard has none."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """A dashboard. `uid`: its lasting name, part of its address; links and provisioning rely on it."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them, in reading order."""
        return tuple(panel for row in self.rows for panel in row.panels)


def of(metric: str) -> str:
    """The metric of the chosen pipelines."""
    return f"{metric}{{{PIPELINE}}}"


def rate(metric: str) -> str:
    """Per second, over the interval that suits the zoom."""
    return f"rate({of(metric)}[{RATE}])"


def by(labels: str, expr: str, how: str = "sum") -> str:
    """One series for each value of the labels."""
    return f"{how} by ({labels}) ({expr})"


def quantile(q: float, histogram: str, labels: str = "") -> str:
    """A quantile of a histogram, one series for each value of the labels."""
    kept = f"le, {labels}" if labels else "le"
    return f"histogram_quantile({q:g}, {by(kept, rate(f'{histogram}_bucket'))})"
