"""docs/pipelines.md: every shipped pipeline, read off its TOML; its own page is linked where there is one."""

from __future__ import annotations

from pathlib import Path

from lepton_stream.pipeline.durations import duration_text
from lepton_stream.pipeline.plan import Plan, Window
from lepton_stream.pipeline.source import about, find, shipped

PAGES = Path(__file__).resolve().parents[1] / "docs" / "pipelines"
TEXT = """# Shipped pipelines

Each is a TOML file of a page, with a sample of real data or a generator of its shape. By its name every command finds
it:

    lepton-stream demo                            # which there are
    lepton-stream demo finance/fx_ticks           # one at work, on a broker in memory
    lepton-stream check finance/fx_ticks          # what it does, key by key
    lepton-stream bench domains                   # how fast each is here, on one core

{table}

To have one of your own, copy the TOML file from `lepton_stream/pipelines/`, change it, and name the file instead. No
pipeline has code of its own: what its TOML cannot say yet becomes a function, a format or a word of the expressions,
for every pipeline.
"""


def pipelines_page() -> str:
    """The whole page, without the note that it is generated."""
    rows = [_row(name, find(name)) for name in shipped()]
    head = ["| Pipeline | What it does | Reads | Windows | Models, alarms |", "| --- | --- | --- | --- | --- |"]
    return TEXT.format(table="\n".join([*head, *rows]))


def _row(name: str, plan: Plan) -> str:
    windows = ", ".join(map(_window, plan.windows))
    return f"| {_named(name)} | {about(name)} | `{plan.source.topic}` | {windows} | {_in_order(plan)} |"


def _named(name: str) -> str:
    page = PAGES / f"{name}.md"
    return f"[`{name}`](pipelines/{name}.md)" if page.exists() else f"`{name}`"


def _in_order(plan: Plan) -> str:
    alarms = (f"`{a.field} {'<' if a.side == 'below' else '>'} {a.threshold:g}`" for a in plan.alarms)
    return ", ".join([*(f"`{model.score}`" for model in plan.models), *alarms])


def _window(window: Window) -> str:
    every = "" if window.every_us is None else f" every {duration_text(window.every_us)}"
    return f"{duration_text(window.size_us)}{every} by {', '.join(window.group_by) or 'nothing'}"
