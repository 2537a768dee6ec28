"""Every key that a pipeline may have: name, shape, help, default. Adding a key is one line here.

`pipeline.check` reads plans by these tables, and `pipeline.schema` makes the JSON Schema of them.
"""

from __future__ import annotations

from lepton_stream.pipeline.kinds import (
    BOOLEAN,
    CALL,
    EXPRESSION,
    NUMBER,
    ON_BAD,
    SHARE,
    VALUES,
    ZONE,
    choice,
    duration,
    integer,
    size,
    text,
    words,
)
from lepton_stream.pipeline.shapes import REQUIRED, Each, Key, Table, Tables

NAME = text("^[a-z0-9][a-z0-9_-]{0,99}$", "a name of small letters, digits, - and _, at most 100")
TOPIC = text("^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,245}$", "a Kafka topic name: letters, digits, . _ and -, at most 245")
FIELD_NAME = text("^[^\\u0000-\\u001f\\u007f\"']{1,200}$", "a field name, without quotes and control characters")
COLUMN = text("^[^\\u0000-\\u001f\\u007f]{1,200}$", "a column name, without control characters")
DELIMITER = text("^[\\t\\u0020!#-&(-/:-@\\[-`{-~]$", "one character such as , or ; that is no letter, digit or quote")
FORMAT = text("^[^\\u0000]*%[^\\u0000]*$", 'a strptime format such as "%Y-%m-%d %H:%M:%S"')
WHOLE_MS = 1_000
LEAST_MEMORY, MOST_MEMORY = 2**26, 2**50

_LATER_FORMATS = ("msgpack", "avro", "protobuf")

FILE_FORMAT = choice("json", "csv", "parquet", "arrow", later=_LATER_FORMATS)
FILE_TIME = Table(
    "expects a table such as { columns = [...], zone = ... }",
    (
        Key("columns", words("a list of file columns", least=1), "Columns that the event time is made of", REQUIRED),
        Key("zone", ZONE, "IANA name of the zone in which the time is local", "UTC"),
        Key("format", FORMAT, "strptime format of the columns joined by one space; else year, month, day, ..."),
    ),
)
FILE = Table(
    "expects a table [source.file]",
    (
        Key("format", FILE_FORMAT, "Format of input files; of .parquet, .arrow and .feather it is their own", "json"),
        Key("delimiter", DELIMITER, "CSV: the character between columns (,)"),
        Key("header", BOOLEAN, "CSV: the first line names the columns (true)"),
        Key("columns", words("a list of column names", least=1), "CSV: the columns of a file without a header"),
        Key("null", words("a list of words", blank=True), "CSV: words that stand for no value; only empty if left out"),
        Key("rename", Each(COLUMN, FIELD_NAME, "expects a table: file column = field"), "File column = field"),
        Key("time", FILE_TIME, "Event time put together from several columns"),
    ),
)
SOURCE = Table(
    "expects a table [source]",
    (
        Key("topic", TOPIC, "Topic that the records come from", REQUIRED),
        Key("time", FIELD_NAME, "Field with the event time", REQUIRED),
        Key(
            "format",
            choice("json", later=_LATER_FORMATS, instead="; other formats are for files: [source.file] format"),
            "Format of the topic's records",
            "json",
        ),
        Key("time_unit", choice("s", "ms", "us", "ns", "iso8601"), "Unit of the event time", "s"),
        Key("time_zone", ZONE, "Zone of ISO 8601 times that name none", "UTC"),
        Key("key", words("a field or a list of fields"), "Fields of the record's key", []),
        Key(
            "id",
            words('a list of fields, or "all"', least=1, alone="all"),
            'Fields that make two records the same; "all": every byte; left out: no dedup',
        ),
        Key("max_ahead", duration(), "How far an event time may lie ahead of the record's own timestamp", "1h"),
        Key("max_record_bytes", size(1, 2**26), "Longest record that is read", "512KiB"),
        Key("idle", choice("advance", "wait"), "What the watermark does when a source falls silent", "advance"),
        Key("idle_timeout", duration(least=1), "How long a source is silent before it is idle", "30s"),
        Key("where", EXPRESSION, "Condition; accepted records for which it is not true enter no window"),
        Key("file", FILE, "The form of input files where it differs from the topic's records"),
    ),
)
FIELD = Table(
    'expects a type such as "float", or a table such as { type = "float", min = 0 }',
    (
        Key("type", choice("str", "int", "float", "bool"), "Type of the field", REQUIRED),
        Key("required", BOOLEAN, "It must be there and not null", True),
        Key("min", NUMBER, "Smallest value that is good"),
        Key("max", NUMBER, "Largest value that is good"),
        Key("one_of", VALUES, "The values that are good"),
        Key("on_bad", ON_BAD, "What happens to a bad value", "reject"),
        Key("pseudonym", BOOLEAN, "Text: what follows sees a keyed hash of it instead", False),
    ),
    short="type",
)
WINDOW = Table(
    "expects a table [[window]]",
    (
        Key("name", NAME, "Name of the window, part of its results' key", REQUIRED),
        Key("kind", choice("tumbling", "hopping", later=("sliding", "session", "count")), "Kind of window", "tumbling"),
        Key("size", duration(least=1, step=WHOLE_MS), "How long a window is", REQUIRED),
        Key("every", duration(least=1, step=WHOLE_MS), "Hopping: how often a window begins; size is a multiple of it"),
        Key("offset", duration(step=WHOLE_MS), "Shifts where windows begin (midnight UTC, 1970, otherwise)", "0s"),
        Key("lateness", duration(), "How far behind the newest record of its partition one may be", "0s"),
        Key("grace", duration(), "How long after it closed a window still takes accepted records", "0s"),
        Key("emit", choice("final", "updates", later=("early",)), "When results are published", "final"),
        Key("group_by", words("a field or a list of fields"), "Fields that make a group; left out: source.key"),
        Key("where", EXPRESSION, "Condition; records for which it is not true do not enter this window"),
        Key(
            "results",
            Each(COLUMN, CALL, 'expects a table: column = "function(field)"; at least one', at_least=1),
            "Result column = call",
            REQUIRED,
        ),
        Key(
            "derive",
            Each(COLUMN, EXPRESSION, 'expects a table [window.derive]: column = "expression"'),
            "More result columns: column = expression of results, group fields and the columns above it",
            {},
        ),
    ),
    later=("slide", "gap", "order", "rows"),
)
MODEL = Table(
    "expects a table [[model]]",
    (
        Key("name", NAME, "Name of the model; its events carry it", REQUIRED),
        Key("by", words("a field or a list of fields"), "Fields that make a key; left out: source.key"),
        Key(
            "score",
            CALL,
            'Kind, field and number: "robust_z(pm25, 64)", "ewma(pm25, 0.1)", "drift(pm25, 0.02)"',
            REQUIRED,
        ),
        Key("threshold", NUMBER, "Deviations, above 0, from which a score is an alarm", REQUIRED),
        Key("warmup", integer(2, 100_000), "Values of a key before its first score; left out: docs/models.md"),
        Key("least_deviation", NUMBER, "No deviation counts as smaller; in units of the field", 0),
        Key("lateness", duration(), "How far behind the newest record of its partition one may be", "0s"),
        Key("forget", duration(least=1), "A key that was silent for longer begins anew", "30d"),
        Key(
            "emit",
            choice("alarms", "onsets", "all"),
            "Which scores become events; onsets: the first alarm of several in a row",
            "alarms",
        ),
        Key("where", EXPRESSION, "Condition; records for which it is not true do not enter this model"),
    ),
    later=("order",),
)
ALARM = Table(
    "expects a table [[alarm]]",
    (
        Key("name", NAME, "Name of the alarm; its events carry it", REQUIRED),
        Key("by", words("a field or a list of fields"), "Fields that make a key; left out: source.key"),
        Key("field", FIELD_NAME, "Field or derived column that is watched", REQUIRED),
        Key("below", NUMBER, "It opens for values below this one"),
        Key("above", NUMBER, "It opens for values above this one; an alarm has either below or above"),
        Key("back", NUMBER, "It closes for values that are back at this one, or past it; left out: the threshold"),
        Key("open_after", duration(), "How long values must have been beyond the threshold before it opens", "0s"),
        Key("open_values", integer(1, 1_000_000), "How many values in a row it takes to open it, at least", 1),
        Key("close_after", duration(), "How long values must have been back before it closes", "0s"),
        Key("close_values", integer(1, 1_000_000), "How many values in a row it takes to close it, at least", 1),
        Key("lateness", duration(), "How far behind the newest record of its partition one may be", "0s"),
        Key("forget", duration(least=1), "A key that was silent for longer begins anew", "30d"),
        Key("where", EXPRESSION, "Condition; records for which it is not true do not enter this alarm"),
    ),
    later=("order",),
)
PIPELINE = Table(
    "expects a table",
    (
        Key("name", NAME, "Name of the pipeline, part of its topics' names", REQUIRED),
        Key("version", integer(1, 2**31 - 1), "Version of the pipeline: a new one starts with new state", 1),
        Key("source", SOURCE, "Where records come from", REQUIRED),
        Key("fields", Each(FIELD_NAME, FIELD, "expects a table [fields]: name = type"), "Typed fields", {}),
        Key(
            "derive",
            Each(FIELD_NAME, EXPRESSION, 'expects a table [derive]: name = "expression"'),
            "Derived columns: name = expression of fields and of the columns above it",
            {},
        ),
        Key(
            "dedup",
            Table(
                "expects a table [dedup]",
                (Key("memory", integer(1, 2**31), "Records of a partition that are remembered", 1_000_000),),
            ),
            "Removing duplicates",
            {},
        ),
        Key(
            "dead_letters",
            Table(
                "expects a table [dead_letters]",
                (
                    Key("ceiling", SHARE, "Share of dead letters above which a worker on Kafka stops; 1: never", 0.5),
                    Key("among", integer(100, 10**9), "Records of a partition that it is a share of", 10_000),
                    Key(
                        "raw",
                        BOOLEAN,
                        "Whether dead letters and late records hold the record as it came; left out: they do, unless a "
                        "field is a pseudonym",
                    ),
                ),
            ),
            "When dead letters stop a worker, and what they hold",
            {},
        ),
        Key(
            "topics",
            Table(
                "expects a table [topics]",
                (
                    Key("partitions", integer(1, 10_000), "Partitions of the topics that are created", 4),
                    Key("replication", integer(1, 32_767), "Copies of each partition", 1),
                ),
            ),
            "What `topics apply` creates",
            {},
        ),
        Key("memory", size(LEAST_MEMORY, MOST_MEMORY), "What state and buffers of one worker may take"),
        Key(
            "objective",
            Table(
                "expects a table [objective]",
                (
                    Key(
                        "freshness_p99",
                        duration(least=1, step=WHOLE_MS),
                        "How old 99 of 100 results may be when they can be read; what `run --autopilot act` keeps",
                    ),
                ),
            ),
            "What the autopilot is to keep; changes no result",
            {},
        ),
        Key("window", Tables(WINDOW, "expects at least one [[window]], in double brackets"), "Windows", REQUIRED),
        Key("model", Tables(MODEL, "expects tables [[model]], in double brackets"), "Models that score records"),
        Key("alarm", Tables(ALARM, "expects tables [[alarm]], in double brackets"), "Alarms that open and close"),
    ),
    later=("autopilot", "privacy", "rules", "sample", "sink", "join", "alert"),
)
