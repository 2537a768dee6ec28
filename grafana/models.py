"""The row of the Overview that tells what models do: how much they score, and how often they say something."""

from __future__ import annotations

from lepton_stream.grafana.screen import Panel, Query, Row, by, rate

SCORED, EVENTS = "lepton_scored_total", "lepton_events_total"
MODEL = "{{pipeline}} {{model}}"
LABELS = "pipeline, model"
A_THOUSAND = f"1e3 * {by(LABELS, rate(EVENTS))} / ({by(LABELS, rate(SCORED))} > 0)"

MODELS = Row(
    "Models",
    (
        Panel(
            "Records scored",
            "Records that each model has scored each second, warm-up left out. Good: as many as are accepted for it. "
            "Fewer: keys that are new or were forgotten warm up, or a where keeps records out. None, while records are "
            "read: its rows wait for a watermark that stands still.",
            "recps",
            (Query(by(LABELS, rate(SCORED)), MODEL),),
        ),
        Panel(
            "Events of models",
            "Events published each second, by model; alarms, unless the model tells all scores. Good: none or few. "
            "Look at them with: lepton-stream tail PIPELINE --events.",
            "cps",
            (Query(by(LABELS, rate(EVENTS)), MODEL),),
        ),
        Panel(
            "Events a thousand scored",
            "How many of a thousand scored records became events. Good: level, and below 10 for alarms. A rise that "
            "stays means that the source has changed, or that threshold and least_deviation no longer fit it; a model "
            "that tells all scores has 1,000.",
            "none",
            (Query(A_THOUSAND, MODEL),),
        ),
    ),
)
