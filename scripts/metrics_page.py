"""docs/metrics.md, from the catalogue of metrics and log facts."""

from __future__ import annotations

from lepton_stream.telemetry.address import DEFAULT_HOST, DEFAULT_PORT, VARIABLE
from lepton_stream.telemetry.catalogue import FACTS, METRICS
from lepton_stream.telemetry.probes import LIVE_S

INTRODUCTION = f"""# Metrics, probes and logs

A run on Kafka serves three paths on a port of its own, {DEFAULT_HOST}:{DEFAULT_PORT} unless told otherwise:

    lepton-stream run PIPELINE --metrics 0.0.0.0:9100    # HOST:PORT, PORT or off; or ${VARIABLE}

- `/metrics`: the Prometheus text format. Everything below is there; nothing below is ever counted once a record.
- `/live`: 200 while every worker's event loop answers, 503 and the reason as JSON when one has not for {LIVE_S:.0f} s.
- `/ready`: 200 when every worker has joined the group and restored its partitions, 503 with the reasons until then.

`lepton-stream probe [live|ready]` asks them, for health checks and scripts;
[deploy.md](deploy.md) says who should ask what.

A port that was asked for and is taken ends the run with exit code 2 and a message; the default port gives way to a
free one, and the run says which. With `--workers N` one address answers for all: each worker sends what it knows to
the parent once a second. There is no login: bind to another address only where the network is yours. A run over files
serves only when asked (`--metrics`, or ${VARIABLE}), while it runs; its topic is the file's name.

**What to rely on.** Durable counters come from checkpoints: a checkpoint holds the whole account of a source
partition, so at every scrape, after any crash, `lepton_records_read_total` is the sum of the four outcomes, and a
restart goes on where the last checkpoint was. They appear once their partition is restored, and follow the records by
about two seconds (one for the checkpoint, one for the telling). The other counters begin at zero with the command; a
worker that is started again by its parent takes nothing back. Where workers run as separate commands, on several
machines, each tells of the partitions that it owns: `sum by (topic, partition, outcome)` gives the whole.

**Time.** No metric mixes event time with a wall clock, but for `lepton_event_to_result_seconds`, which is about both:
it leaves out windows that ended more than a day before their result, so a replay of old data does not spoil it.
`lepton_lag_seconds` compares record timestamps only; a broker older than Kafka 3.0 cannot tell the newest, and then it
is only there while nothing waits. A gauge of a partition that nobody owns at the moment is absent.

## Metrics
"""


def metrics_page(note: str) -> str:
    """The page; `note`: where to edit instead."""
    metrics = [
        f"| `{m.name}` | {m.kind}{', durable' if m.durable else ''} | {', '.join(m.labels)} | {m.unit} | {m.help} |"
        for m in METRICS
    ]
    facts = [f"| `{f.event}` | {f.level.lower()} | {', '.join(f.fields)} | {f.help} |" for f in FACTS]
    return (
        note
        + INTRODUCTION
        + "\n| Name | Kind | Labels | Unit | Meaning |\n| --- | --- | --- | --- | --- |\n"
        + "\n".join(metrics)
        + "\n\n## Log\n\n"
        + "The log is text for people, warnings and errors; with `--log-format json` (or $LEPTON__LOG_FORMAT) stderr "
        + "holds\none JSON object a line: `ts`, `level`, `event`, in a crew's worker `worker`, and the fields below. "
        + "Lines of other\nlibraries are the event `log` with `logger` and `text`. What comes too often is counted "
        + "(`hidden`) instead of shown;\ncontrol characters are escaped; passwords are replaced by `***`.\n\n"
        + "| Event | Level | Fields | Meaning |\n| --- | --- | --- | --- |\n"
        + "\n".join(facts)
        + "\n"
    )
