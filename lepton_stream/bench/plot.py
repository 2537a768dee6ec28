"""Curves as a small SVG: no library needed, and the same figures give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, COLUMNS = 300, 200, 3
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 38
BAR, LINE, GRID, TEXT = "#9db4d0", "#1f5fa8", "#d9d9d9", "#333333"


@dataclass(frozen=True, slots=True)
class Point:
    """A value on the horizontal axis, with median, lowest and highest above it."""

    x: float
    median: float
    lowest: float
    highest: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One panel; horizontal places are by rank, since knobs are turned by factors."""

    title: str
    unit: str
    points: Sequence[Point]


def svg(curves: Sequence[Curve]) -> str:
    """All panels, in rows."""
    rows = math.ceil(len(curves) / COLUMNS)
    panels = [
        f'<g transform="translate({i % COLUMNS * WIDTH} {i // COLUMNS * HEIGHT})">{panel(curve)}</g>'
        for i, curve in enumerate(curves)
    ]
    size = f'width="{COLUMNS * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {COLUMNS * WIDTH} {rows * HEIGHT}"'
    font = 'font-family="sans-serif" font-size="11"'
    back = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n{back}\n' + "\n".join(panels) + "\n</svg>\n"


def panel(curve: Curve) -> str:
    """Title, axis with round numbers, bars from lowest to highest, and the line of medians."""
    top = nice(max((p.highest for p in curve.points), default=1.0))
    at = places(curve, top)
    parts = [text(LEFT, 16, f"{curve.title}", anchor="start", weight="bold")]
    for share in (0.0, 0.5, 1.0):
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(text(LEFT - 5, y + 4, short(top * share), anchor="end"))
    for p, (x, low, middle, high) in zip(curve.points, at, strict=True):
        parts.append(f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{BAR}" stroke-width="5"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="3" fill="{LINE}"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 15, p.label))
    line = " ".join(f"{x:.1f},{middle:.1f}" for x, _, middle, _ in at)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1.5"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, curve.unit))
    return "".join(parts)


def places(curve: Curve, top: float) -> list[tuple[float, float, float, float]]:
    """For each point: across, and down for its lowest, median and highest value."""
    n, room = len(curve.points), WIDTH - LEFT - RIGHT

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - max(value, 0.0) / top)

    across = [LEFT + room * (i + 0.5) / n for i in range(n)]
    return [(x, down(p.lowest), down(p.median), down(p.highest)) for x, p in zip(across, curve.points, strict=True)]


def nice(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-12))


def short(value: float) -> str:
    """`0.5`, `20`, `300k`."""
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def text(x: float, y: float, words: str, anchor: str = "middle", weight: str = "normal") -> str:
    """A line of text."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{TEXT}">{escaped}</text>'


def spread_point(x: float, told: Mapping[str, float], label: str) -> Point:
    """From plain values."""
    return Point(x, told["median"], told["lowest"], told["highest"], label)
