"""The frozen plan that both front ends make and every later stage reads.

All times are integer microseconds. Nothing here checks anything: `pipeline.check` did before a plan exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lepton_stream.expression.typed import Expression

FieldType: TypeAlias = Literal["str", "int", "float", "bool"]
Scalar: TypeAlias = str | int | float | bool
Format: TypeAlias = Literal["json"]
FileFormat: TypeAlias = Literal["json", "csv", "parquet", "arrow"]
TimeUnit: TypeAlias = Literal["s", "ms", "us", "ns", "iso8601"]
Emit: TypeAlias = Literal["final", "updates"]


@dataclass(frozen=True, slots=True)
class Default:
    """`on_bad = { default = VALUE }`: what a bad value is replaced with."""

    value: Scalar


OnBad: TypeAlias = Literal["reject", "null", "clip"] | Default


@dataclass(frozen=True, slots=True)
class Field:
    """One typed field of a record and its rules.

    `required`: it must be there and not null. `on_bad` says what happens to a value that is missing though required,
    of the wrong type, outside [min, max] or not in `one_of`; `clip` mends only what is outside [min, max] and rejects
    the rest. `pseudonym`: what comes after cleaning sees a keyed hash of the text instead of it.
    """

    name: str
    type: FieldType
    required: bool = True
    min: float | int | None = None
    max: float | int | None = None
    one_of: tuple[Scalar, ...] | None = None
    on_bad: OnBad = "reject"
    pseudonym: bool = False


@dataclass(frozen=True, slots=True)
class FileTime:
    """Event time put together from file columns.

    Without `format`: numeric columns year, month, day and then hour, minute, second as far as given. With `format`
    (strptime): the columns joined by one space. `zone` is an IANA name; the time is local there.
    """

    columns: tuple[str, ...]
    zone: str = "UTC"
    format: str | None = None


@dataclass(frozen=True, slots=True)
class FileForm:
    """`[source.file]`: the form of an input file where it differs from the topic's records.

    A file's name counts before `format`: `.parquet`, `.arrow` and `.feather` files are read as such under any plan.
    """

    format: FileFormat = "json"
    delimiter: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()
    null: tuple[str, ...] = ("",)
    rename: tuple[tuple[str, str], ...] = ()
    time: FileTime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from and how one is read.

    `key`: fields whose canonical bytes are the record's key (`--partitions`, `feed`). `id`: fields that make two
    records the same, or "all" for the whole record's bytes, or None for no dedup. `max_ahead_us`: how far an event
    time may lie ahead of the record's timestamp. `where`: accepted records for which it is not true enter no window.
    """

    topic: str
    time: str
    format: Format = "json"
    time_unit: TimeUnit = "s"
    time_zone: str = "UTC"
    key: tuple[str, ...] = ()
    id: tuple[str, ...] | Literal["all"] | None = None
    max_ahead_us: int = 3_600_000_000
    max_record_bytes: int = 524_288
    idle: Literal["advance", "wait"] = "advance"
    idle_timeout_us: int = 30_000_000
    file: FileForm = FileForm()
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that is computed of others, and of the derived columns before it."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """One result column: `mean(pm25)` is Call("mean", ("pm25",))."""

    function: str
    args: tuple[str | int | float, ...] = ()

    def __str__(self) -> str:
        return f"{self.function}({', '.join(str(a) for a in self.args)})"


@dataclass(frozen=True, slots=True)
class Window:
    """One `[[window]]` section. Window k covers [k*step + offset, k*step + offset + size) in event time.

    The step is the size of tumbling windows, `every_us` of hopping ones, whose size is a multiple of it.

    `grace_us`: how long after it closed a window still takes a record that `prepare` accepted (then it is revised).
    `where`: records for which it is not true do not enter. `derived`: columns computed of the results of a window.
    """

    name: str
    size_us: int
    group_by: tuple[str, ...]
    results: tuple[tuple[str, Call], ...]
    offset_us: int = 0
    lateness_us: int = 0
    grace_us: int = 0
    emit: Emit = "final"
    kind: Literal["tumbling", "hopping"] = "tumbling"
    where: Expression | None = None
    every_us: int | None = None
    derived: tuple[Derived, ...] = ()

    @property
    def step_us(self) -> int:
        """From the start of a window to the start of the next."""
        return self.size_us if self.every_us is None else self.every_us

    @property
    def overlap(self) -> int:
        """How many windows an event time lies in."""
        return self.size_us // self.step_us


@dataclass(frozen=True, slots=True)
class Model:
    """One `[[model]]` section: every record is scored against those of its key that came before it in event time.

    `score`: the kind with its field and parameter, both written out. `threshold`: deviations from which a score is an
    alarm. `warmup`: values of a key that come before its first score. `least_deviation`: in units of the field; no
    deviation counts as smaller. `forget_us`: a key that was silent for longer begins anew. `where`: records for which
    it is not true do not enter.
    """

    name: str
    by: tuple[str, ...]
    score: Call
    threshold: float
    warmup: int = 20
    least_deviation: float = 0.0
    lateness_us: int = 0
    forget_us: int = 2_592_000_000_000
    emit: Literal["alarms", "onsets", "all"] = "alarms"
    where: Expression | None = None

    @property
    def field(self) -> str:
        """The field that is scored."""
        return str(self.score.args[0])


@dataclass(frozen=True, slots=True)
class Alarm:
    """One `[[alarm]]` section: it opens for a key whose value stays beyond a threshold, and closes when it stays back.

    `side`: where values are beyond `threshold`; strictly so. `back`: the value is back from there on, on the other
    side; between the two nothing begins. `open_values` values in a row, over at least `open_after_us`, open it;
    `close_values` and `close_after_us` close it. `forget_us`: a key that was silent for longer begins anew. `where`:
    records for which it is not true do not enter.
    """

    name: str
    by: tuple[str, ...]
    field: str
    side: Literal["below", "above"]
    threshold: float
    back: float
    open_after_us: int = 0
    open_values: int = 1
    close_after_us: int = 0
    close_values: int = 1
    lateness_us: int = 0
    forget_us: int = 2_592_000_000_000
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """When dead letters stop a worker: more than the share `ceiling` of `among` records in a row, by source partition.

    A share of 1 never stops: there cannot be more. `raw`: whether what is set aside holds the record as it came; None:
    it does, unless a field is a pseudonym.
    """

    ceiling: float = 0.5
    among: int = 10_000
    raw: bool | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """What `topics apply` creates."""

    partitions: int = 4
    replication: int = 1


@dataclass(frozen=True, slots=True)
class Objective:
    """What the autopilot is to keep. `freshness_p99_us`: how old 99 of 100 results may be when they can be read.

    None: nothing is asked, and CPU alone counts. It changes no result.
    """

    freshness_p99_us: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole pipeline. `fields` has every field that is read, time, key and id fields included, sorted by name.

    `memory`: bytes that state and buffers of one worker may take, None: a share of what there is.
    """

    name: str
    source: Source
    fields: tuple[Field, ...]
    windows: tuple[Window, ...]
    version: int = 1
    dedup_memory: int = 1_000_000
    topics: Topics = field(default_factory=Topics)
    dead_letters: DeadLetters = DeadLetters()
    memory: int | None = None
    derived: tuple[Derived, ...] = ()
    models: tuple[Model, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    objective: Objective = Objective()

    @property
    def in_order(self) -> tuple[Model | Alarm, ...]:
        """Models, then alarms: the sections that take records one by one, in event-time order, and publish events."""
        return (*self.models, *self.alarms)

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        """Fields that are replaced by pseudonyms."""
        return tuple(f.name for f in self.fields if f.pseudonym)

    @property
    def sets_aside_raw(self) -> bool:
        """Whether dead letters and late records are kept as they came."""
        raw = self.dead_letters.raw
        return not self.pseudonyms if raw is None else raw

    @property
    def types(self) -> dict[str, FieldType]:
        """The type of every field and derived column, by name."""
        return {f.name: f.type for f in self.fields} | {d.name: d.expression.root.kind for d in self.derived}

    def field_named(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for f in self.fields:
            if f.name == name:
                return f
        raise KeyError(name)
