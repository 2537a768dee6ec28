"""Decisions as the autopilot makes them, for tests."""

from __future__ import annotations

from lepton_stream.autopilot.decision import Decision, Option

ROUTE = Decision(
    knob="route",
    seen={"rows a cell": 1.25, "hot share": 0.0},
    options=(Option("rows", {"CPU s a million": 1.5}), Option("partials", {"CPU s a million": 2.0})),
    choice="rows",
    why="few rows share a cell",
    promised=("CPU s a million", 1.5),
    about={"window": "minute"},
)
FLUSH = Decision(
    knob="flush",
    seen={"CPU s a flush": 0.002},
    options=(Option("0 s", {"CPU s a million": 2.0}), Option("0.05 s", {"CPU s a million": 1.6})),
    choice="0.05 s",
    why="fewer flushes, and results stay within the objective",
    promised=("CPU s a million", 1.6),
)
