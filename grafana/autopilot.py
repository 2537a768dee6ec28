"""The row of the Overview that tells how the work is carried out, and what the autopilot decided about it."""

from __future__ import annotations

from lepton_stream.grafana.screen import PIPELINE, Panel, Query, Row, by, of

DECISIONS = "lepton_decisions_total"
DELIVERED, PROMISED = "lepton_decision_delivered", "lepton_decision_promised"
_ONE = "pipeline, worker, knob, about, measure"
RATIO = f"{by(_ONE, of(DELIVERED), 'max')} / {by(_ONE, of(PROMISED), 'max')}"
_MADE = by("pipeline, knob, choice", f"{DECISIONS}{{{PIPELINE}}}")
NEW_DECISION = (
    f"({_MADE} > {_MADE.replace('}', '} offset 1m')}) or ({_MADE} unless {_MADE.replace('}', '} offset 1m')})"
)
"""Those made in the last minute; the first of its kind has no earlier count to be compared with."""

AUTOPILOT = Row(
    "Autopilot",
    (
        Panel(
            "Routes",
            "How many workers send the rows of each window section as rows, as partials, or mixed. Good: one line for "
            "each section, as many as there are workers; several mean that workers see different data, or that one is "
            "trying another way. Why: lepton-stream explain PIPELINE.",
            "none",
            (Query(by("window, route", of("lepton_setting_route")), "{{window}} {{route}}"),),
        ),
        Panel(
            "Flush interval",
            "How long a claim waits for more records behind its first one, by worker. Good: level; well below "
            "objective.freshness_p99, where the plan has one. It rises where flushes cost much, and falls when results "
            "get old.",
            "s",
            (Query(by("worker", of("lepton_setting_flush_seconds"), "max"), "worker {{worker}}"),),
        ),
        Panel(
            "Codec",
            "How many workers compress shuffle frames with which codec. Good: level.",
            "none",
            (Query(by("codec", of("lepton_setting_codec")), "{{codec}}"),),
        ),
        Panel(
            "Decisions",
            "Decisions since the service started, by knob and choice, all workers together. Good: a few steps at the "
            "start and after the data has changed, then level lines. Nothing: the autopilot is off, or has found "
            "nothing better.",
            "none",
            (Query(by("knob, choice", of(DECISIONS)), "{{knob}}: {{choice}}"),),
            width=12,
        ),
        Panel(
            "Delivered of promised",
            "What the last measured decision about each knob delivered, as a share of what it had promised; of costs "
            "and ages. Good: near 1. Well above 1: it brought less than was hoped, and may have been rolled back.",
            "none",
            (Query(RATIO, "{{knob}} {{about}}, worker {{worker}}"),),
            width=12,
        ),
    ),
)
