"""The row of the Overview that tells what a million records cost, by pipeline; docs/cost.md says what is in it."""

from __future__ import annotations

from lepton_stream.grafana.screen import Panel, Query, Row, by, rate
from lepton_stream.grafana.verdicts import CPU, READ

SENT, MONEY = "lepton_bytes_sent_total", "lepton_cost_total"
RECORDS = f"({by('pipeline', rate(READ))} > 0)"


def a_million(metric: str) -> str:
    """So much of it for a million records, by pipeline; nothing where nothing is read."""
    return f"1e6 * {by('pipeline', rate(metric))} / {RECORDS}"


MONEY_A_MILLION = f"1e6 * {by('pipeline, currency', rate(MONEY))} / on (pipeline) group_left () {RECORDS}"

COST = Row(
    "Cost",
    (
        Panel(
            "CPU a million records",
            "CPU seconds that the workers use for a million records. Good: level from day to day; higher where little "
            "comes, as a service at rest takes some too. A step up without a change of yours is a regression.",
            "s",
            (Query(a_million(CPU), "{{pipeline}}"),),
        ),
        Panel(
            "Sent a million records",
            "Bytes sent to the broker for a million records: frames, state, results, dead letters and late records, "
            "compressed. Good: level; it rises with the number of groups, and with dead letters.",
            "decbytes",
            (Query(a_million(SENT), "{{pipeline}}"),),
        ),
        Panel(
            "Money a million records",
            "What CPU time and bytes sent cost for a million records, at the prices that the service was started "
            "with. Good: level. Empty: no price is set (run --cpu-hour-price, --gigabyte-price). The broker's own "
            "machines are not in it.",
            "none",
            (Query(MONEY_A_MILLION, "{{pipeline}} {{currency}}"),),
        ),
        Panel(
            "Sent by topic",
            "Where the bytes go, each second. Good: mostly the shuffle topic; state above it means checkpoints of "
            "much that does not change.",
            "Bps",
            (Query(by("topic", rate(SENT)), "{{topic}}"),),
            stacked=True,
        ),
    ),
)
