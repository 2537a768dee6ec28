"""The first row of the Overview: three numbers, Fresh, Right and Fast, with the colours that judge them."""

from __future__ import annotations

from lepton_stream.grafana.screen import NEUTRAL, PIPELINE, ZERO_IS_GOOD, Panel, Query, Row, of, quantile, rate

READ, OUTCOMES, DEAD = "lepton_records_read_total", "lepton_records_total", "lepton_dead_letters_total"
DEAD_OUTCOME = f'{OUTCOMES}{{{PIPELINE}, outcome="dead_lettered"}}'
CPU, EVENT_TO_RESULT = "lepton_process_cpu_seconds_total", "lepton_event_to_result_seconds"

UNACCOUNTED = f"abs(sum({of(READ)}) - sum({of(OUTCOMES)}))"
"""The sums are taken over the same scrape; whatever is counted as read has an outcome in it."""
DEAD_SHARE = f"sum(increase({DEAD_OUTCOME}[$__range])) / clamp_min(sum(increase({of(READ)}[$__range])), 1)"
CPU_PER_MILLION = f"1e6 * sum({rate(CPU)}) / (sum({rate(READ)}) > 0)"

VERDICTS = Row(
    "",
    (
        Panel(
            "Fresh",
            "How far the results are behind. Waiting: the data's own time between the last record prepared and the "
            "newest in the log; green below 10 s, red from 60 s, 0 when nothing waits. Result age: 99 of 100 final "
            "results were out within this time after their window ended; it holds the lateness that you set, so "
            "compare it with that. No number: no window closed lately, or old data is being replayed.",
            "s",
            (
                Query(f"max({of('lepton_lag_seconds')})", "waiting"),
                Query(quantile(0.99, EVENT_TO_RESULT), "result age, p99", steps=NEUTRAL),
            ),
            height=6,
            steps=(("green", None), ("yellow", 10.0), ("red", 60.0)),
        ),
        Panel(
            "Right",
            "Whether every record counted. Unaccounted: records read minus accepted, duplicate, late and "
            "dead-lettered ones; it is 0, and anything else is a defect. Dead letters: their share of the records "
            "read in the time shown; green below 0.1 %, red from 1 %.",
            "none",
            (
                Query(UNACCOUNTED, "unaccounted"),
                Query(DEAD_SHARE, "dead letters", "percentunit", (("green", None), ("yellow", 0.001), ("red", 0.01))),
            ),
            height=6,
            steps=ZERO_IS_GOOD,
        ),
        Panel(
            "Fast",
            "What it does and what that costs. Records read each second, all partitions: as many as your sources "
            "send, yellow when none. CPU seconds for a million records: less is better; a few in most pipelines, "
            "yellow from 20, red from 100. No number: nothing was read.",
            "recps",
            (
                Query(f"sum({rate(READ)})", "read"),
                Query(CPU_PER_MILLION, "CPU a million", "s", (("green", None), ("yellow", 20.0), ("red", 100.0))),
            ),
            height=6,
            steps=(("yellow", None), ("green", 0.001)),
        ),
    ),
)
