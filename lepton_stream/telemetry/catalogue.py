"""Every metric and every log fact, and nothing is measured or told that does not stand here (docs/metrics.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
AGES = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
RECORDS = (1.0, 10.0, 100.0, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 1e6)
REPLAYED_S = 86_400.0
"""A result that is older than this when it is acknowledged tells of a replay, not of the service's speed."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`labels`: all of bounded number, never keys or values of records. `durable`: goes on where it was over restarts.

    `buckets`: upper bounds of a histogram, +Inf left out.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    help: str
    durable: bool = False
    buckets: tuple[float, ...] = ()


def _durable(name: str, labels: tuple[str, ...], unit: str, text: str) -> Metric:
    return Metric(name, "counter", ("pipeline", *labels), unit, text, durable=True)


def _counter(name: str, labels: tuple[str, ...], unit: str, text: str) -> Metric:
    return Metric(name, "counter", ("pipeline", *labels), unit, text)


def _gauge(name: str, labels: tuple[str, ...], unit: str, text: str) -> Metric:
    return Metric(name, "gauge", ("pipeline", *labels), unit, text)


def _histogram(name: str, labels: tuple[str, ...], unit: str, text: str, buckets: tuple[float, ...]) -> Metric:
    return Metric(name, "histogram", ("pipeline", *labels), unit, text, buckets=buckets)


SOURCE = ("topic", "partition")
READ = _durable("lepton_records_read_total", SOURCE, "records", "Records read, as far as checkpoints hold them.")
OUTCOMES = _durable(
    "lepton_records_total",
    (*SOURCE, "outcome"),
    "records",
    "Records by outcome: accepted, duplicate, late or dead_lettered; the four add up to lepton_records_read_total.",
)
DEAD_LETTERS = _durable("lepton_dead_letters_total", ("reason",), "records", "Dead-lettered records by reason.")
MENDED = _durable("lepton_mended_total", ("rule",), "values", "Bad values that on_bad replaced, by rule.")
LATE_BY_WINDOW = _durable(
    "lepton_late_by_window_total", ("window",), "records", "Accepted records left out of a window they were late for."
)
FILTERED = _durable(
    "lepton_filtered_total", SOURCE, "records", "Accepted records that the source's `where` keeps out of every window."
)
FILTERED_BY_WINDOW = _durable(
    "lepton_filtered_by_window_total",
    ("window",),
    "records",
    "Accepted records that a window's own `where` keeps out of it.",
)
RESULTS = _durable("lepton_results_total", ("window",), "results", "Results published, by window section.")
SCORED = _durable(
    "lepton_scored_total",
    ("model",),
    "records",
    "Records that a model has scored, warm-up left out, or that an alarm has looked at.",
)
EVENTS = _durable("lepton_events_total", ("model",), "events", "Events published, by model or alarm.")

DECISIONS = _counter(
    "lepton_decisions_total",
    ("knob", "choice"),
    "decisions",
    "Decisions of the autopilot by knob and choice; those to stay, and those only advised, are decisions, too.",
)

CHUNK_SECONDS = _histogram(
    "lepton_chunk_seconds",
    ("agent",),
    "seconds",
    "From taking up a chunk to being done with it; for prepare with claim, frames sent and acknowledged, and "
    "back-pressure, for merge the folding alone.",
    SECONDS,
)
CHUNK_RECORDS = _histogram(
    "lepton_chunk_records", (), "records", "Records in a chunk, as prepare takes it up.", RECORDS
)
CHECKPOINT_SECONDS = _histogram(
    "lepton_checkpoint_seconds",
    (),
    "seconds",
    "A whole checkpoint: state written and acknowledged, pointer committed, results published.",
    SECONDS,
)
RESTORE_SECONDS = _histogram(
    "lepton_restore_seconds",
    ("agent",),
    "seconds",
    "From taking a partition over to going on with it: state read again (merge), dedup memory rebuilt (prepare).",
    SECONDS,
)
EVENT_TO_RESULT = _histogram(
    "lepton_event_to_result_seconds",
    ("window",),
    "seconds",
    "From a window's end to its final result being acknowledged, by the broker's clock, one observation a result. "
    "It holds the lateness that was waited for. Results older than a day are left out: lepton_replayed_results_total.",
    AGES,
)
REPLAYED = _counter(
    "lepton_replayed_results_total",
    ("window",),
    "results",
    "Final results of windows that had ended more than a day before: old data is being replayed.",
)

LAG_RECORDS = _gauge(
    "lepton_lag_records", SOURCE, "records", "Records in the source topic that are not prepared and committed yet."
)
LAG_SECONDS = _gauge(
    "lepton_lag_seconds",
    SOURCE,
    "seconds",
    "Between the timestamps of the last record prepared and of the newest in the log; 0 when nothing waits. No wall "
    "clock: a quiet source stays at 0, a replay shows how much of the data's own time is left.",
)
SHUFFLE_LAG = _gauge(
    "lepton_shuffle_lag_records", ("partition",), "records", "Frames that prepare has sent and no checkpoint holds yet."
)
WATERMARK = _gauge(
    "lepton_watermark_timestamp_seconds",
    ("partition",),
    "seconds",
    "Event time up to which a shuffle partition is complete (since 1970); absent before every source was heard of. "
    "On a quiet source it stays once all windows are closed; in a replay it is in the data's past.",
)
CHECKPOINT_TIMESTAMP = _gauge(
    "lepton_checkpoint_timestamp_seconds",
    ("partition",),
    "seconds",
    "When the present owner completed its last checkpoint (since 1970); with nothing new to say none is made.",
)
STATE_BYTES = _gauge("lepton_state_bytes", ("partition",), "bytes", "Memory of a shuffle partition's window tables.")
STATE_GROUPS = _gauge("lepton_state_groups", ("partition",), "groups", "Cells held, one a group and window.")
DEDUP_BYTES = _gauge("lepton_dedup_bytes", SOURCE, "bytes", "Memory of the dedup memory of a source partition.")
DEDUP_IDS = _gauge("lepton_dedup_ids", SOURCE, "ids", "Ids held by the dedup memory, those just out of reach included.")
FORGOTTEN = _gauge(
    "lepton_forgotten_ids",
    SOURCE,
    "offsets",
    "Offsets that the dedup memory should cover and that retention had deleted when the partition was taken over.",
)

REBALANCES = _counter("lepton_rebalances_total", (), "rebalances", "Times that a worker was assigned partitions.")
REFUSED_OWNERS = _counter(
    "lepton_refused_owners_total",
    (),
    "owners",
    "Owners of a partition whose commit or results the broker refused, since another worker owns it by now.",
)
RESTARTS = _counter("lepton_worker_restarts_total", (), "restarts", "Workers that crashed and were started again.")
BYTES_READ = _counter(
    "lepton_bytes_read_total", (), "bytes", "Bytes of record values taken up by prepare; what is read again counts."
)
PREPARED = _counter(
    "lepton_records_prepared_total",
    (),
    "records",
    "Records that this run's workers have prepared; a range that is prepared again after a crash counts again.",
)
BYTES_SENT = _counter(
    "lepton_bytes_sent_total",
    ("topic",),
    "bytes",
    "Bytes of record batches, compressed, that the broker has acknowledged, by topic. Without requests' own bytes, "
    "what is sent anew after an error, and the broker's copies.",
)
COST = _counter(
    "lepton_cost_total",
    ("part", "currency"),
    "money",
    "What CPU time (part: cpu) and bytes sent (part: sent) have cost at the prices that are set (docs/cost.md); "
    "absent without a price. An estimate: the broker's own machines are not in it.",
)
STAGE_CPU = _counter(
    "lepton_stage_cpu_seconds_total",
    ("stage",),
    "seconds",
    "CPU seconds by stage, all workers together. On Kafka of the thread of the loop; `other`: what it does besides the "
    "steps of sources, which is requests, merging, checkpoints and results.",
)
PROCESS_CPU = _counter(
    "lepton_process_cpu_seconds_total", (), "seconds", "CPU seconds of the worker processes, all threads."
)
MEMORY_BUDGET = _gauge(
    "lepton_memory_budget_bytes", ("worker",), "bytes", "What state and buffers of a worker may take (`--memory`)."
)
MEMORY_STATE = _gauge(
    "lepton_memory_state_bytes",
    ("worker", "kind"),
    "bytes",
    "State that a worker holds, room to grow included: dedup or windows. It stops above three quarters of the budget.",
)
MEMORY_BUFFERS = _gauge(
    "lepton_memory_buffer_bytes",
    ("worker",),
    "bytes",
    "What waits in a worker, is worked on, or is sent and not acknowledged; bounded by a quarter of the budget.",
)
MEMORY_PAUSED = _gauge("lepton_memory_paused", ("worker",), "", "1 while a worker's sources are paused for memory.")
MEMORY_PAUSED_SECONDS = _counter(
    "lepton_memory_paused_seconds_total",
    (),
    "seconds",
    "For how long sources were paused for memory, of all workers.",
)
RESIDENT = _gauge("lepton_process_resident_bytes", ("worker",), "bytes", "Resident memory of a worker process.")
LOOP_DELAY = _gauge(
    "lepton_loop_delay_seconds", ("worker",), "seconds", "Longest step of the event loop seen in the last second or so."
)
PARTITION_LOAD = _gauge(
    "lepton_partition_load_cores",
    SOURCE,
    "cores",
    "What the partition's log asks of a worker's event loop: CPU seconds a record, times the records that come in a "
    "second and a sixtieth of those that wait. Of source and shuffle topic, by the owner; absent before any work.",
)
WORKER_CAPACITY = _gauge(
    "lepton_worker_capacity_cores",
    ("worker",),
    "cores",
    "The share of a core that the worker's event loop gets while it works, at most 1. Where the loads of its "
    "partitions add up to more, they fall behind.",
)
SETTING_ROUTE = _gauge(
    "lepton_setting_route",
    ("worker", "window", "route"),
    "",
    "1 for the route that rows of a window section take in this worker: rows, partials or mixed.",
)
SETTING_FLUSH = _gauge(
    "lepton_setting_flush_seconds",
    ("worker",),
    "seconds",
    "How long a claim of this worker waits for more records behind its first one, unless a window may close.",
)
SETTING_CODEC = _gauge(
    "lepton_setting_codec", ("worker", "codec"), "", "1 for the codec that this worker compresses shuffle frames with."
)
PROMISED = _gauge(
    "lepton_decision_promised",
    ("worker", "knob", "about", "measure"),
    "as `measure` says",
    "What the last decision whose outcome is known had promised; absent before there is one.",
)
DELIVERED = _gauge(
    "lepton_decision_delivered",
    ("worker", "knob", "about", "measure"),
    "as `measure` says",
    "What the same decision has delivered.",
)
STEP_AGE = _gauge(
    "lepton_last_step_age_seconds", ("worker",), "seconds", "How long ago the worker's event loop last answered."
)
WORKERS = _gauge("lepton_workers", (), "workers", "Worker processes that answer.")
READY = _gauge("lepton_ready", (), "", "1 while /ready says yes: every worker joined, every partition restored.")
UP = _gauge("lepton_up", (), "", "1: the metrics are served.")
BUILD_INFO = _gauge(
    "lepton_build_info",
    ("version", "path"),
    "",
    "Always 1. path: compiled or portable, the code path that workers run; unknown before any has said it.",
)

METRICS: tuple[Metric, ...] = (
    READ, OUTCOMES, DEAD_LETTERS, MENDED, LATE_BY_WINDOW, FILTERED, FILTERED_BY_WINDOW, RESULTS, SCORED, EVENTS,
    DECISIONS,
    CHUNK_SECONDS, CHUNK_RECORDS, CHECKPOINT_SECONDS, RESTORE_SECONDS, EVENT_TO_RESULT, REPLAYED,
    LAG_RECORDS, LAG_SECONDS, SHUFFLE_LAG, WATERMARK, CHECKPOINT_TIMESTAMP,
    STATE_BYTES, STATE_GROUPS, DEDUP_BYTES, DEDUP_IDS, FORGOTTEN,
    REBALANCES, REFUSED_OWNERS, RESTARTS, BYTES_READ, PREPARED, BYTES_SENT, STAGE_CPU, PROCESS_CPU, COST,
    MEMORY_BUDGET, MEMORY_STATE, MEMORY_BUFFERS, MEMORY_PAUSED, MEMORY_PAUSED_SECONDS, RESIDENT, LOOP_DELAY, STEP_AGE,
    PARTITION_LOAD, WORKER_CAPACITY, SETTING_ROUTE, SETTING_FLUSH, SETTING_CODEC, PROMISED, DELIVERED,
    WORKERS, READY, UP, BUILD_INFO,
)  # fmt: skip
"""All of them, in the order in which they are shown."""

BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the log. `fields`: what it says; `by`: the fields that tell one from another when it floods.

    `level`: a name of the standard library's. `every_s`: seconds between two lines that are alike, 0: all are shown.
    """

    event: str
    level: Literal["INFO", "WARNING", "ERROR"]
    fields: tuple[str, ...]
    help: str
    by: tuple[str, ...] = ()
    every_s: float = 0.0


PARTITION = ("topic", "partition")
WORKER_STARTED = Fact("worker_started", "INFO", ("version", "plan", "group"), "A worker begins.")
METRICS_SERVED = Fact("metrics_served", "INFO", ("url",), "Where metrics and probes are.")
ASSIGNED = Fact("partitions_assigned", "INFO", ("partitions", "generation"), "The group gave this worker partitions.")
REVOKED = Fact("partitions_revoked", "INFO", ("partitions",), "The group takes partitions back.")
RESTORED = Fact("restored", "INFO", (*PARTITION, "checkpoint", "forgotten"), "A partition goes on where it was.")
CHECKPOINT = Fact(
    "checkpoint",
    "INFO",
    (*PARTITION, "checkpoint", "results", "seconds"),
    "State and results are durable; one line in ten seconds for each partition.",
    PARTITION,
    10.0,
)
PLACEMENT_ASKED = Fact(
    "placement_asked",
    "INFO",
    ("use", "capacity"),
    "This worker is overloaded, and asks its group to place partitions anew.",
)
DEAD_LETTERS_RISING = Fact(
    "dead_letters_rising",
    "WARNING",
    (*PARTITION, "dead_lettered", "read", "reason"),
    "More than a hundredth of the records of the last ten seconds were dead-lettered, most often for this reason.",
    PARTITION,
    60.0,
)
MEMORY_SHORT = Fact(
    "memory_short",
    "WARNING",
    ("budget", "state", "buffers", "resident"),
    "Sources are paused: the process or its state is larger than the memory it may take (bytes); one line a minute.",
    (),
    60.0,
)
DECIDED = Fact(
    "decided",
    "INFO",
    ("knob", "about", "choice", "why", "measure", "promised", "delivered"),
    "The autopilot has decided, or knows what a decision has delivered; `lepton-stream explain` shows all of it.",
)
DECISIONS_UNSENT = Fact(
    "decisions_unsent",
    "WARNING",
    ("waiting", "error"),
    "Decisions could not be sent to their topic; they go with the next one. One line a minute.",
    (),
    60.0,
)
WORKER_ENDED = Fact("worker_ended", "INFO", ("worker", "exit_code", "again"), "A worker's process ended by itself.")
SAID = Fact("said", "INFO", ("text",), "What the command line tells people.")
ENDED = Fact(
    "ended",
    "INFO",
    ("account", "results", "seconds", "cost"),
    "The run is over, and this is the durable account; `cost` is of this run alone.",
)
REFUSED = Fact("refused", "ERROR", ("exit_code", "error"), "The command ends with an error (docs/exit-codes.md).")

FACTS = (
    WORKER_STARTED, METRICS_SERVED, ASSIGNED, REVOKED, PLACEMENT_ASKED, RESTORED, CHECKPOINT,
    DEAD_LETTERS_RISING, MEMORY_SHORT, DECIDED, DECISIONS_UNSENT, WORKER_ENDED, SAID, ENDED, REFUSED,
)  # fmt: skip
"""All of them, in the order in which they usually come."""
