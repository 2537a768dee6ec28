"""The Overview: is it fresh, is it right, is it fast? And below, where to look when one of them is not."""

from __future__ import annotations

from lepton_stream.grafana.autopilot import AUTOPILOT
from lepton_stream.grafana.cost import COST
from lepton_stream.grafana.models import MODELS
from lepton_stream.grafana.screen import RATE, Panel, Query, Row, Screen, by, of, quantile, rate
from lepton_stream.grafana.verdicts import DEAD, EVENT_TO_RESULT, OUTCOMES, READ, VERDICTS

STAGES, CHUNK, CHECKPOINT = "lepton_stage_cpu_seconds_total", "lepton_chunk_seconds", "lepton_checkpoint_seconds"
PLACE = "{{topic}}[{{partition}}]"

TRAFFIC = Row(
    "What comes and goes",
    (
        Panel(
            "Records read",
            "Records read each second, by topic, as far as checkpoints hold them. Good: the rate of your sources; "
            "after a stop it is higher until the backlog is gone.",
            "recps",
            (Query(by("topic", rate(READ)), "{{topic}}"),),
        ),
        Panel(
            "Outcomes",
            "What became of them, stacked: together they are the records read. Good: nearly all accepted.",
            "recps",
            (Query(by("outcome", rate(OUTCOMES)), "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Dead letters by reason",
            "Records that could not be used, by reason. Good: empty, or a low and steady level. A step up usually "
            "means that a producer changed its format; look at them with: lepton-stream dlq show PIPELINE.",
            "recps",
            (Query(by("reason", rate(DEAD)), "{{reason}}"),),
        ),
        Panel(
            "Results",
            "Results published each second, by window section. Good: bursts whenever windows close. Nothing for "
            "longer than a window's size, while records are read, means that the watermark stands still.",
            "cps",
            (Query(by("window", rate("lepton_results_total")), "{{window}}"),),
        ),
        Panel(
            "Late for one window",
            "Accepted records that came too late for this section, though not for all. Good: none or few; with many, "
            "raise the section's lateness.",
            "recps",
            (Query(by("window", rate("lepton_late_by_window_total")), "{{window}}"),),
        ),
        Panel(
            "Mended values",
            "Bad values that on_bad replaced, by rule. Good: a low and steady level; a rise means that a source went "
            "bad.",
            "cps",
            (Query(by("rule", rate("lepton_mended_total")), "{{rule}}"),),
        ),
        Panel(
            "Filtered",
            "Accepted records that where keeps out: of every window, or of this one. Good: the share that you know of "
            "your data; nothing where there are no filters.",
            "recps",
            (
                Query(f"sum({rate('lepton_filtered_total')})", "every window"),
                Query(by("window", rate("lepton_filtered_by_window_total")), "{{window}}"),
            ),
        ),
    ),
)

WAITING = Row(
    "What waits",
    (
        Panel(
            "Lag",
            "Records in the log that are not prepared yet, by source partition. Good: near 0, or falling. One "
            "partition that rises alone has more than its share of the keys; all rising: add workers.",
            "short",
            (Query(by("topic, partition", of("lepton_lag_records"), "max"), PLACE),),
        ),
        Panel(
            "Lag in time",
            "The same in the data's own time: what the newest record is ahead of the last one prepared. Good: below "
            "10 s.",
            "s",
            (Query(by("topic, partition", of("lepton_lag_seconds"), "max"), PLACE),),
        ),
        Panel(
            "Frames on their way",
            "Frames that prepare has sent and no checkpoint of merge holds yet, by shuffle partition. Good: a "
            "saw-tooth that comes back down with every checkpoint.",
            "short",
            (Query(by("partition", of("lepton_shuffle_lag_records"), "max"), "{{partition}}"),),
        ),
        Panel(
            "Watermark",
            "Up to which event time each shuffle partition is complete. Good: lines that rise together. A flat line "
            "while records are read: one source partition holds the others back.",
            "dateTimeAsIso",
            (
                Query(
                    f"1000 * {by('partition', of('lepton_watermark_timestamp_seconds'), 'min')}",
                    "{{partition}}",
                ),
            ),
            width=16,
        ),
        Panel(
            "Since the last checkpoint",
            "Seconds since each shuffle partition's last checkpoint. Good: a few seconds while records come; it "
            "rises when there is nothing new to write.",
            "s",
            (
                Query(
                    f"time() - {by('partition', of('lepton_checkpoint_timestamp_seconds'), 'max')}",
                    "{{partition}}",
                ),
            ),
        ),
    ),
)

TIMES = Row(
    "How long it takes",
    (
        Panel(
            "Event to result",
            "From a window's end to its final result being acknowledged, the lateness waited for included. Good: the "
            "lateness plus a second or two, and p99 close to p50.",
            "s",
            tuple(Query(quantile(q, EVENT_TO_RESULT, "window"), f"{{{{window}}}} p{q * 100:g}") for q in (0.5, 0.99)),
        ),
        Panel(
            "Chunks",
            "From taking up a chunk to being done with it, by agent. Good: well below a second; prepare waits for "
            "its frames to be acknowledged, so a slow broker shows here first.",
            "s",
            tuple(Query(quantile(q, CHUNK, "agent"), f"{{{{agent}}}} p{q * 100:g}") for q in (0.5, 0.99)),
        ),
        Panel(
            "Checkpoints",
            "A whole checkpoint: state written, pointer committed, results published. Good: p99 below a second; it "
            "grows with the state and with a slow broker.",
            "s",
            tuple(Query(quantile(q, CHECKPOINT), f"p{q * 100:g}") for q in (0.5, 0.99)),
        ),
    ),
)

MACHINES = Row(
    "State and workers",
    (
        Panel(
            "State",
            "Memory of the window tables and of the dedup memory. Good: level over days. A steady rise means groups "
            "that never repeat: look at group_by.",
            "bytes",
            (
                Query(f"sum({of('lepton_state_bytes')})", "windows"),
                Query(f"sum({of('lepton_dedup_bytes')})", "dedup"),
            ),
        ),
        Panel(
            "Groups held",
            "Cells in the window tables, one for each group and open window. Good: level; it falls when windows close.",
            "short",
            (Query(f"sum({of('lepton_state_groups')})", "cells"),),
        ),
        Panel(
            "CPU by stage",
            "Where the CPU time goes, as shares of all stages. Good: the same picture from day to day; a stage that "
            "doubles from one release to the next is a regression.",
            "percentunit",
            (Query(f"{by('stage', rate(STAGES))} / scalar(sum({rate(STAGES)}))", "{{stage}}"),),
            stacked=True,
        ),
        Panel(
            "Workers",
            "Worker processes that answer, and whether the service is ready (1). Good: as many as you started, and "
            "ready.",
            "none",
            (
                Query(f"sum({of('lepton_workers')})", "workers"),
                Query(f"min({of('lepton_ready')})", "ready"),
            ),
        ),
        Panel(
            "Rebalances and restarts",
            "Times that partitions were handed out anew, and crashed workers started again, in the interval. Good: 0 "
            "save when you deploy, or when partitions move by load; a steady beat means that a worker cannot keep its "
            "session.",
            "none",
            (
                Query(f"sum(increase({of('lepton_rebalances_total')}[{RATE}]))", "rebalances"),
                Query(f"sum(increase({of('lepton_worker_restarts_total')}[{RATE}]))", "restarts"),
            ),
        ),
        Panel(
            "Memory of workers",
            "Resident memory of each worker process. Good: level after the first hour.",
            "bytes",
            (Query(by("worker", of("lepton_process_resident_bytes"), "max"), "worker {{worker}}"),),
        ),
        Panel(
            "Load of partitions",
            "Cores that each partition asks for, stacked. Good: together well below what the workers have, and none "
            "alone near one worker's.",
            "none",
            (Query(by("topic, partition", of("lepton_partition_load_cores"), "max"), PLACE),),
            stacked=True,
        ),
        Panel(
            "Capacity of workers",
            "The share of a core that each worker's event loop gets while it works. Good: near 1 and alike; where one "
            "is lower, run with --placement load (docs/placement.md), or find out who takes its processor.",
            "none",
            (Query(by("worker", of("lepton_worker_capacity_cores"), "min"), "worker {{worker}}"),),
        ),
    ),
)

OVERVIEW = Screen(
    "lepton-overview",
    "Lepton Stream: Overview",
    "Fresh, right, fast: the three numbers to look at; below, where to look when one of them is not green.",
    (VERDICTS, TRAFFIC, MODELS, WAITING, TIMES, MACHINES, AUTOPILOT, COST),
)
