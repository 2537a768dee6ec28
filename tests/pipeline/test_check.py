"""Every refusal of `check`: key, value and wish; and what is not refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lepton_stream.pipeline.check import check
from lepton_stream.pipeline.plan import Call, Default, Field, FileForm, FileTime, Plan, Window
from tests.pipeline.plans import example, problems, small, told, with_fields, with_source, with_window


def test_small_plan_gets_the_defaults() -> None:
    plan = check(small())
    assert plan.windows == (Window("hour", 3_600_000_000, ("station",), (("n", Call("count")),)),)
    assert (plan.version, plan.dedup_memory, plan.topics.partitions) == (1, 1_000_000, 4)
    assert (plan.source.id, plan.source.max_record_bytes, plan.source.file) == (None, 524_288, FileForm())


def test_time_key_and_id_fields_declare_themselves_and_fields_are_sorted() -> None:
    plan = check(with_source(id=["station", "serial", "ts"]))
    assert [(f.name, f.type, f.required) for f in plan.fields] == [
        ("city", "str", True),
        ("pm25", "float", True),
        ("serial", "str", True),
        ("station", "str", True),
        ("ts", "float", True),
        ("wind", "str", False),
    ]


@pytest.mark.parametrize(
    ("unit", "kind"), [("s", "float"), ("ms", "float"), ("us", "int"), ("ns", "int"), ("iso8601", "str")]
)
def test_undeclared_time_has_the_type_of_its_unit(unit: str, kind: str) -> None:
    assert check(with_source(time_unit=unit)).field_named("ts").type == kind


def test_one_field_needs_no_list() -> None:
    plan = check(with_source(key="station", id="station"))
    assert (plan.source.key, plan.source.id) == (("station",), ("station",))


def test_id_all_is_the_whole_record_and_a_list_of_it_a_field() -> None:
    assert check(with_source(id="all")).source.id == "all"
    assert check(with_source(id=["all"])).source.id == ("all",)


def test_on_bad_takes_a_table_or_for_numbers_a_bare_number() -> None:
    plan = check(
        with_fields(
            pm25={"type": "float", "on_bad": 0},
            city={"type": "str", "on_bad": {"default": "?"}},
            up={"type": "bool", "on_bad": {"default": False}},
        )
    )
    assert plan.field_named("pm25").on_bad == Default(0.0)
    assert plan.field_named("city").on_bad == Default("?")
    assert plan.field_named("up").on_bad == Default(False)


def test_rules_of_float_fields_become_floats() -> None:
    field = check(with_fields(pm25={"type": "float", "min": 0, "max": 9, "one_of": [1, 2.5]})).field_named("pm25")
    assert field == Field("pm25", "float", True, 0.0, 9.0, (1.0, 2.5))
    assert [type(v) for v in (field.min, field.max, *(field.one_of or ()))] == [float] * 4


def test_all_problems_are_told_at_once() -> None:
    data = small(nmae="x", version=True, topics={"partitions": 0})
    data["window"][0] |= {"siez": "24h", "results": {"n": "cuont()"}}
    assert [p.key for p in problems(data)] == [
        "nmae",
        "version",
        "topics.partitions",
        "window[0].siez",
        "window[0].results.n",
    ]


REFUSALS: list[tuple[str, Any, str]] = [
    ("not a table", 5, "the pipeline is 5: expects a table"),
    ("unknown key", small(nmae="x"), 'nmae is "x": unknown key (did you mean name?)'),
    ("unknown key, nothing near", small(zzz=1), "zzz is 1: unknown key"),
    ("later section", small(alert=[{"name": "spike"}]), 'alert is [{ name = "spike" }]: not in this version'),
    ("no name", small(name=None), "name is missing: expects a name of small letters, digits, - and _, at most 100"),
    ("bad name", small(name="Air"), 'name is "Air": expects a name of small letters, digits, - and _, at most 100'),
    ("name with line end", small(name="air\n"), 'name is "air\\n": expects a name of small'),
    ("version is bool", small(version=True), "version is true: expects an integer from 1 to 2147483647"),
    ("version is 0", small(version=0), "version is 0: expects an integer from 1"),
    ("date", small(version=date(2026, 1, 2)), "version is datetime.date(2026, 1, 2): expects an integer"),
    ("no source", small(source=None), "source is missing: expects a table [source]"),
    ("source is text", small(source="x"), 'source is "x": expects a table [source]'),
    ("no topic", with_source(topic=None), "source.topic is missing: expects a Kafka topic name"),
    ("bad topic", with_source(topic="a/b"), 'source.topic is "a/b": expects a Kafka topic name'),
    ("topic ..", with_source(topic=".."), 'source.topic is "..": expects a Kafka topic name'),
    ("own topic", with_source(topic="lepton.air.results"), "expects a topic that is not one of the pipeline's own"),
    ("no time", with_source(time=None), "source.time is missing: expects a field name"),
    ("format csv", with_source(format="csv"), 'expects "json"; other formats are for files: [source.file] format'),
    ("format later", with_source(format="avro"), 'source.format is "avro": not in this version, which has "json"'),
    ("unit", with_source(time_unit="mss"), '"iso8601" (did you mean ms?)'),
    ("zone", with_source(time_zone="Europe/Berln"), "the IANA name of a time zone, such as"),
    ("zone hint", with_source(time_zone="Europe/Berln"), "(did you mean Europe/Berlin?)"),
    ("zone directory", with_source(time_zone="Asia"), 'source.time_zone is "Asia": expects the IANA name'),
    ("zone path", with_source(time_zone="/etc/passwd"), 'source.time_zone is "/etc/passwd": expects the IANA name'),
    ("zone type", with_source(time_zone=8), "source.time_zone is 8: expects the IANA name"),
    ("key type", with_source(key=[1]), "source.key is [1]: expects a field or a list of fields"),
    ("key twice", with_source(key=["a", "a"]), 'source.key is ["a", "a"]: expects a field or a list of fields, each'),
    ("key is float", with_source(key="pm25"), 'source.key is "pm25": expects a field of type str or int or bool'),
    (
        "key may be missing",
        with_source(key="wind"),
        'source.key is "wind": expects a required field; wind has required',
    ),
    ("id is empty", with_source(id=[]), 'source.id is []: expects a list of fields, or "all"'),
    ("id may be missing", with_source(id="wind"), 'source.id is "wind": expects a required field; wind has required'),
    ("max_ahead number", with_source(max_ahead=5), 'source.max_ahead is 5: expects a duration such as "10s" or "1h"'),
    ("max_ahead", with_source(max_ahead="5"), 'source.max_ahead is "5": expects a duration such as'),
    ("bytes", with_source(max_record_bytes="1PB"), 'source.max_record_bytes is "1PB": expects a size such as "512KiB"'),
    ("bytes 0", with_source(max_record_bytes=0), "source.max_record_bytes is 0: expects a size such as"),
    ("bytes bool", with_source(max_record_bytes=True), "source.max_record_bytes is true: expects a size such as"),
    ("idle", with_source(idle="advnce"), "(did you mean advance?)"),
    ("idle_timeout", with_source(idle_timeout="0s"), 'source.idle_timeout is "0s": expects a duration'),
    ("dedup", small(dedup={"memory": 0}), "dedup.memory is 0: expects an integer from 1 to 2147483648"),
    ("dedup float", small(dedup={"memory": 1e6}), "dedup.memory is 1000000.0: expects an integer"),
    ("dedup key", small(dedup={"memry": 1}), "dedup.memry is 1: unknown key (did you mean memory?)"),
    ("replication", small(topics={"replication": 0}), "topics.replication is 0: expects an integer from 1 to 32767"),
    (
        "objective",
        small(objective={"freshness_p99": "200"}),
        'objective.freshness_p99 is "200": expects a duration such as',
    ),
    (
        "objective in us",
        small(objective={"freshness_p99": "1500us"}),
        'objective.freshness_p99 is "1500us": expects a duration such as "10s" or "1h", in whole milliseconds',
    ),
    (
        "objective key",
        small(objective={"freshness_p9": "1s"}),
        'objective.freshness_p9 is "1s": unknown key (did you mean freshness_p99?)',
    ),
    ("fields", small(fields=["pm25"]), 'fields is ["pm25"]: expects a table [fields]: name = type'),
    ("field name", with_fields(**{'a"b': "str"}), 'fields."a\\"b" is "a\\"b": expects a field name'),
    (
        "field type",
        with_fields(x="flaot"),
        'fields.x.type is "flaot": expects "str" or "int" or "float" or "bool" (did',
    ),
    ("field table", with_fields(x=5), 'fields.x is 5: expects a type such as "float", or a table'),
    ("field without type", with_fields(x={"min": 0}), "fields.x.type is missing: expects"),
    ("required", with_fields(x={"type": "str", "required": 1}), "fields.x.required is 1: expects true or false"),
    ("min is text", with_fields(x={"type": "float", "min": "0"}), 'fields.x.min is "0": expects a finite number'),
    ("min is bool", with_fields(x={"type": "float", "min": True}), "fields.x.min is true: expects a finite number"),
    (
        "min is nan",
        with_fields(x={"type": "float", "min": float("nan")}),
        "fields.x.min is nan: expects a finite number",
    ),
    (
        "max is inf",
        with_fields(x={"type": "float", "max": float("inf")}),
        "fields.x.max is inf: expects a finite number",
    ),
    (
        "min on text",
        with_fields(x={"type": "str", "min": 0}),
        "fields.x.min is 0: only fields of type float or int have",
    ),
    ("float on int", with_fields(x={"type": "int", "min": 0.5}), "fields.x.min is 0.5: expects an integer of 64 bits"),
    (
        "wide int",
        with_fields(x={"type": "int", "max": 2**63}),
        "fields.x.max is 9223372036854775808: expects an integer of",
    ),
    (
        "giant int",
        with_fields(x={"type": "int", "max": 16**9999}),
        "fields.x.max is an integer of 39997 bits: expects a",
    ),
    (
        "min > max",
        with_fields(x={"type": "int", "min": 5, "max": 4}),
        "fields.x.min is 5: expects at most max, which is 4",
    ),
    ("one_of empty", with_fields(x={"type": "str", "one_of": []}), "fields.x.one_of is []: expects a list of values"),
    ("one_of type", with_fields(x={"type": "str", "one_of": ["a", 1]}), "fields.x.one_of is 1: expects text, since"),
    ("one_of bool", with_fields(x={"type": "int", "one_of": [True]}), "fields.x.one_of is true: expects an integer"),
    (
        "on_bad",
        with_fields(x={"type": "str", "on_bad": "rejct"}),
        "number or { default = VALUE } (did you mean reject?)",
    ),
    ("on_bad list", with_fields(x={"type": "str", "on_bad": []}), "fields.x.on_bad is []: expects"),
    (
        "clip",
        with_fields(x={"type": "float", "on_bad": "clip"}),
        'fields.x.on_bad is "clip": expects min or max to clip to',
    ),
    (
        "default type",
        with_fields(x={"type": "str", "on_bad": 5}),
        "fields.x.on_bad is 5: expects text, since the field is",
    ),
    (
        "default above max",
        with_fields(x={"type": "int", "max": 9, "on_bad": {"default": 10}}),
        "fields.x.on_bad is 10: expects a default that is good by the field's own min, max and one_of",
    ),
    (
        "default not one of",
        with_fields(x={"type": "str", "one_of": ["a"], "on_bad": {"default": "b"}}),
        'fields.x.on_bad is "b": expects a default that is good',
    ),
    (
        "default with more",
        with_fields(x={"type": "str", "on_bad": {"default": "b", "more": 1}}),
        'fields.x.on_bad is { default = "b", more = 1 }: expects "reject"',
    ),
    ("no window", small(window=None), "window is missing: expects at least one [[window]], in double brackets"),
    (
        "window table",
        small(window={"name": "x"}),
        'window is { name = "x" }: expects at least one [[window]], in double',
    ),
    ("window empty", small(window=[]), "window is []: expects at least one [[window]]"),
    ("window text", small(window=["x"]), 'window[0] is "x": expects a table [[window]]'),
    ("kind", with_window(kind="sliding"), 'window[0].kind is "sliding": not in this version, which has "tumbling" or'),
    ("kind misspelt", with_window(kind="tumblin"), 'expects "tumbling" or "hopping" (did you mean tumbling?)'),
    ("slide", with_window(slide="1m"), 'window[0].slide is "1m": not in this version'),
    ("window name", with_window(name="an hour"), 'window[0].name is "an hour": expects a name of small letters'),
    ("no size", with_window(size=None), "window[0].size is missing: expects a duration"),
    ("size 0", with_window(size="0s"), 'window[0].size is "0s": expects a duration such as "10s" or "1h", above 0'),
    ("size negative", with_window(size="-1h"), 'window[0].size is "-1h": expects a duration'),
    (
        "size in us",
        with_window(size="1500us"),
        'window[0].size is "1500us": expects a duration such as "10s" or "1h", in',
    ),
    ("offset", with_window(offset="1h"), 'window[0].offset is "1h": expects less than the size, 1h'),
    ("offset in us", with_window(offset="1us"), "in whole milliseconds"),
    (
        "lateness auto",
        with_window(lateness="auto"),
        'window[0].lateness is "auto": "auto" is not in this version; give',
    ),
    ("emit early", with_window(emit="early"), 'window[0].emit is "early": not in this version, which has "final" or'),
    (
        "group_by",
        with_window(group_by="citi"),
        'window[0].group_by is "citi": no such field in [fields] (did you mean city?)',
    ),
    (
        "group float",
        with_window(group_by="pm25"),
        'window[0].group_by is "pm25": expects a field of type str or int or bool',
    ),
    ("group missing", with_window(group_by=["wind"]), 'window[0].group_by is "wind": expects a required field'),
    ("no results", with_window(results=None), "window[0].results is missing: expects a table: column ="),
    ("empty results", with_window(results={}), "window[0].results is {}: expects a table: column ="),
    ("result type", with_window(results={"n": 5}), 'window[0].results.n is 5: expects a call such as "mean(field)"'),
    (
        "result call",
        with_window(results={"n": "mean("}),
        'window[0].results.n is "mean(": column 6: expects a field or',
    ),
    (
        "result field",
        with_window(results={"n": "mean(pm52)"}),
        "column 6: no field pm52 in [fields] (did you mean pm25?)",
    ),
    ("result group", with_window(results={"station": "count()"}), "expects a name that is not one of group_by"),
    *(
        (f"result {c}", with_window(results={c: "count()"}), f"every result has a column {c} of its own")
        for c in ("window", "window_start", "window_end", "final", "version")
    ),
    (
        "group final",
        with_source(key="final"),
        'window[0].group_by is "final": every result has a column final of its own',
    ),
    (
        "same window",
        small(window=small()["window"] * 2),
        'window[1].name is "hour": expects a name of its own; another',
    ),
]


@pytest.mark.parametrize(("data", "line"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
def test_one_fault_is_told_once_with_key_value_and_wish(data: Any, line: str) -> None:
    lines = told(data)
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    ("unit", "kind"), [("s", "str"), ("ms", "bool"), ("us", "float"), ("ns", "float"), ("iso8601", "int")]
)
def test_declared_time_must_fit_its_unit(unit: str, kind: str) -> None:
    data = with_fields(ts=kind)
    data["source"]["time_unit"] = unit
    assert f"{kind}" in told(data)[0]
    assert told(data)[0].startswith('source.time is "ts": expects a field of type')


def test_int_seconds_are_a_time() -> None:
    assert check(with_fields(ts="int")).field_named("ts").type == "int"


@pytest.mark.parametrize("on_bad", ["null", "clip", 5])
def test_time_and_id_are_never_made_up(on_bad: object) -> None:
    data = with_fields(ts={"type": "float", "min": 0, "on_bad": on_bad})
    data["source"]["id"] = ["ts"]
    assert [(p.key, p.value) for p in problems(data)] == [("source.time", '"ts"'), ("source.id", '"ts"')]
    assert 'on_bad = "reject"' in problems(data)[0].wish


def test_key_may_have_a_default_but_not_become_null() -> None:
    check(with_fields(station={"type": "str", "on_bad": {"default": "?"}}))
    assert 'not on_bad = "null"' in told(with_fields(station={"type": "str", "on_bad": "null"}))[0]


def test_time_that_may_be_missing_is_refused() -> None:
    assert "expects a required field" in told(with_fields(ts={"type": "float", "required": False}))[0]


def test_field_of_a_wrong_type_is_told_once_however_often_it_is_used() -> None:
    data = with_fields(pm25="flot", station="strr")
    data["window"][0]["results"]["mean"] = "mean(pm25)"
    assert [p.key for p in problems(data)] == ["fields.pm25.type", "fields.station.type"]


def test_group_by_is_key_unless_given() -> None:
    assert check(with_window(group_by=["city"])).windows[0].group_by == ("city",)
    assert check(with_window(group_by=[])).windows[0].group_by == ()


def csv(**keys: Any) -> dict[str, Any]:
    return with_source(file={"format": "csv", **keys})


def test_file_form_is_read() -> None:
    time = {"columns": ["d", "t"], "zone": "Asia/Shanghai", "format": "%d.%m.%Y %H:%M"}
    form = check(csv(delimiter=";", null="NA", rename={"PM2.5": "pm25"}, time=time)).source.file
    made = FileTime(("d", "t"), "Asia/Shanghai", "%d.%m.%Y %H:%M")
    assert form == FileForm("csv", ";", null=("NA",), rename=(("PM2.5", "pm25"),), time=made)


def test_file_without_header_names_its_columns() -> None:
    form = check(csv(header=False, columns=["ts", "station"])).source.file
    assert (form.header, form.columns) == (False, ("ts", "station"))


DAY = ["y", "m", "d"]
FILE_REFUSALS: list[tuple[str, Any, str]] = [
    ("table", with_source(file="x.csv"), 'source.file is "x.csv": expects a table [source.file]'),
    (
        "format",
        csv(format="avro"),
        'source.file.format is "avro": not in this version, which has "json" or "csv" or "parquet" or "arrow"',
    ),
    ("delimiter", csv(delimiter=";;"), 'source.file.delimiter is ";;": expects one character such as'),
    ("delimiter quote", csv(delimiter='"'), "source.file.delimiter is"),
    ("delimiter apostrophe", csv(delimiter="'"), "source.file.delimiter is"),
    ("delimiter letter", csv(delimiter="a"), "source.file.delimiter is"),
    ("header", csv(header="no"), 'source.file.header is "no": expects true or false'),
    ("no columns", csv(header=False), "expects columns, since header = false"),
    ("columns and header", csv(columns=["a"]), 'source.file.columns is ["a"]: expects header = false beside it'),
    ("null", csv(null=[0]), "source.file.null is [0]: expects a list of words"),
    ("rename field", csv(rename={"X": "pm52"}), 'source.file.rename.X is "pm52": no such field in [fields] (did'),
    ("rename twice", csv(rename={"X": "pm25", "Y": "pm25"}), "expects a field of its own; column X has this one"),
    ("rename quoted", csv(rename={"P.M": 1}), 'source.file.rename."P.M" is 1: expects a field name'),
    ("time", csv(time="ts"), 'source.file.time is "ts": expects a table such as { columns = [...], zone = ... }'),
    (
        "time columns",
        csv(time={"columns": ["y"]}),
        'is ["y"]: expects year, month, day and perhaps hour, minute, second',
    ),
    ("time zone", csv(time={"columns": DAY, "zone": "Asia/Shangai"}), "(did you mean Asia/Shanghai?)"),
    (
        "time format",
        csv(time={"columns": ["t"], "format": "%H:%M"}),
        "expects a strptime format that tells year, month",
    ),
    ("time bad format", csv(time={"columns": ["t"], "format": "%Q"}), "expects a strptime format that tells year"),
    ("json delimiter", with_source(file={"delimiter": ";"}), 'is ";": is for files with format = "csv"'),
    ("column", csv(header=False, columns=["a"], rename={"b": "pm25"}), "no such column in source.file.columns"),
    ("time column", csv(header=False, columns=DAY, time={"columns": ["y", "m", "dd"]}), "(did you mean d?)"),
    (
        "iso time",
        with_source(time_unit="iso8601", file={"format": "csv", "time": {"columns": DAY}}),
        "makes a number of the time; expects source.time_unit s, ms, us or ns",
    ),
]


@pytest.mark.parametrize(("data", "line"), [r[1:] for r in FILE_REFUSALS], ids=[r[0] for r in FILE_REFUSALS])
def test_fault_of_the_file_form_is_told_once(data: Any, line: str) -> None:
    lines = told(data)
    assert len(lines) == 1
    assert line in lines[0]


def test_example_of_the_design_is_a_plan() -> None:
    plan = example()
    assert isinstance(plan, Plan)
    assert plan.field_named("pm25") == Field("pm25", "float", True, 0.0, 1000.0)
    assert plan.windows[0].lateness_us == 600_000_000
