"""Runs over Parquet and Arrow files: the results of the same records as JSON lines; whole rows in dead letters."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lepton_stream import Pipeline, PlanError, UsageError
from lepton_stream import kernels as k
from lepton_stream.formats import arrow_files
from lepton_stream.formats.dead_letters import DeadLetter
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.feed import waves
from lepton_stream.runtime.local import LocalRun, Options
from tests.runtime.tables import pa, pq, write

FORMS = [".parquet", ".arrow", ".arrows"]


def pipeline(id: str | Sequence[str] = "id", **source: Any) -> Pipeline:  # noqa: A002  (the key's name)
    return (
        Pipeline("tables")
        .source("events", time="ts", key="device", id=id, **source)
        .field("value", float, min=-50, max=50)
        .field("n", int, required=False, on_bad="null")
        .field("ok", bool, required=False)
        .window("minute", size="1m", lateness="5s", group_by="device", c=k.count(), mean=k.mean("value"), n=k.sum("n"))
    )


def events(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """With repeats, nulls, values out of bounds and late ones."""
    draw, rows = random.Random(seed), list[dict[str, Any]]()
    for i in range(count):
        if rows and draw.random() < 0.05:
            rows.append(dict(draw.choice(rows[-50:])))
            continue
        row: dict[str, Any] = {"id": f"é{i}" if i % 7 == 0 else f"e{i}", "ts": 1e9 + i / 10 - draw.choice([0, 0, 8])}
        row |= {"device": f"d{draw.randrange(5)}", "value": draw.gauss(20, 15) if draw.random() > 0.02 else None}
        row |= {"n": draw.choice([None, 1, 2**40]), "ok": draw.choice([None, True, False]), "note": "x" * (i % 9)}
        rows.append(row)
    return rows


def run(
    what: Pipeline, inputs: Sequence[Path], partitions: int | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any], list[DeadLetter]]:
    letters: list[DeadLetter] = []
    local = LocalRun(what.plan, list(inputs), Options(partitions=partitions, bury=letters.extend, secret=b"s" * 16))
    rows = [row for batch in local for row in batch.rows()]
    for row in rows:
        del row["version"]
    stats = local.stats()
    told = {name: stats[name] for name in ("read", "accepted", "duplicate", "late", "dead_lettered", "mended")}
    return sorted(rows, key=json.dumps), told, sorted(letters, key=lambda letter: (letter.source, letter.offset))


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("partitions", [None, 3])
@pytest.mark.parametrize("form", FORMS)
def test_a_copy_of_json_lines_gives_the_same(tmp_path: Path, form: str, partitions: int | None) -> None:
    parts = [events(4000), events(900, seed=2)]
    text = [lines(tmp_path / f"{i}.jsonl", rows) for i, rows in enumerate(parts)]
    tables = [write(tmp_path / f"{i}{form}", pa.Table.from_pylist(rows), 700) for i, rows in enumerate(parts)]
    results, told, letters = run(pipeline(), text, partitions)
    again, told_again, letters_again = run(pipeline(), tables, partitions)
    assert again == results
    assert told_again == told
    assert min(told["duplicate"], told["late"], told["dead_lettered"]["missing_field"]) > 10
    assert [(w.offset, w.reason, w.detail) for w in letters_again] == [(w.offset, w.reason, w.detail) for w in letters]
    assert [json.loads(w.value or b"") for w in letters_again] == [json.loads(w.value or b"") for w in letters]


@pytest.mark.parametrize("batch", [1, 7, 5000])
def test_results_do_not_depend_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    table = write(tmp_path / "t.parquet", pa.Table.from_pylist(events(600)), 250)
    expected = run(pipeline(), [table])
    monkeypatch.setattr(arrow_files, "ROWS_A_BATCH", batch)
    assert run(pipeline(), [table]) == expected


def test_tables_and_lines_in_one_run(tmp_path: Path) -> None:
    rows = events(500)
    mixed = [lines(tmp_path / "a.jsonl", rows), write(tmp_path / "a.parquet", pa.Table.from_pylist(rows))]
    twice = [mixed[0], lines(tmp_path / "b.jsonl", rows)]
    assert run(pipeline(), mixed)[:2] == run(pipeline(), twice)[:2]
    with pytest.raises(UsageError, match=r"a\.parquet: is of another form than .*a\.jsonl"):
        run(pipeline(), mixed, partitions=2)


def test_all_as_id_compares_whole_rows(tmp_path: Path) -> None:
    rows = [{"id": "a", "ts": 1e9, "device": "d", "value": 1.0, "note": note} for note in ("x", "x", "y")]
    table = pa.Table.from_pylist(rows)
    for form in FORMS:
        assert run(pipeline("all"), [write(tmp_path / f"t{form}", table)])[1]["duplicate"] == 1


MOMENTS = [datetime(2024, 3, 31, 0, 30, tzinfo=UTC) + timedelta(minutes=30 * i, microseconds=250_000) for i in range(9)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("time_unit", ["s", "ms", "us", "ns", "iso8601"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_timestamps_are_event_times_in_every_unit(tmp_path: Path, unit: str, time_unit: str, zone: str | None) -> None:
    """A column without a zone is local in `time_zone`."""
    berlin = ZoneInfo("Europe/Berlin")
    text = time_unit == "iso8601"
    given = [m if zone else m.astimezone(berlin).replace(tzinfo=None) for m in MOMENTS]
    column = pa.array(given, pa.timestamp("us", zone)).cast(pa.timestamp(unit, zone), safe=False)
    table = pa.table({"ts": column, "device": ["d"] * 9, "value": [1.0] * 9, "id": [str(i) for i in range(9)]})
    what = (
        Pipeline("moments")
        .source("events", time="ts", time_unit=time_unit, time_zone="Europe/Berlin", key="device", id="id")
        .field("ts", str if text else (float if time_unit == "s" else int))
        .window("half", size="30m", lateness="9h", group_by="device", c=k.count())
    )
    rows, told, _ = run(what, [write(tmp_path / "t.parquet", table)])
    assert told["accepted"] == 9
    starts = sorted(row["window_start"] for row in rows)
    assert starts == [int(m.replace(microsecond=0).timestamp() * 1000) for m in MOMENTS]


def test_wrong_columns_are_told_together_before_anything_is_read(tmp_path: Path) -> None:
    table = pa.table({"ts": ["2024"], "device": [1.5], "valu": [1.0], "n": [2.5], "ok": [1], "id": ["x"]})
    with pytest.raises(PlanError) as caught:
        run(pipeline(), [write(tmp_path / "t.parquet", table)])
    assert "fields.value: expects a column of this name in the file" in str(caught.value)
    assert 'did you mean "valu"' in str(caught.value)
    table = table.rename_columns(["ts", "device", "value", "n", "ok", "id"])
    with pytest.raises(PlanError) as caught:
        run(pipeline(), [write(tmp_path / "t.parquet", table)])
    for told in (
        'fields.ts.type is "float": the file\'s column "ts" holds string, the plan expects a number (did you mean',
        'fields.device.type is "str": the file\'s column "device" holds double, the plan expects a string',
        'fields.n.type is "int": the file\'s column "n" holds double, the plan expects an integer',
        'fields.ok.type is "bool": the file\'s column "ok" holds int64, the plan expects true or false',
    ):
        assert told in str(caught.value)
    assert "t.parquet" in str(caught.value)


def test_values_that_json_could_not_hold_are_dead_letters_with_the_whole_row(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    bad = pa.array([b"a", b"\xff", b"c", b"d"]).view(pa.string())
    data = {"ts": [1e9] * 4, "id": bad, "device": ["d"] * 4, "value": [nan, 1.0, inf, 2.0]}
    data |= {"n": pa.array([1, 1, 1, 2**63], pa.uint64()), "raw": [b"\x00"] * 4, "list": [[1]] * 4}
    _, told, letters = run(pipeline(), [write(tmp_path / "t.parquet", pa.table(data))])
    assert [(w.offset, w.reason.value, w.detail) for w in letters] == [
        (0, "wrong_type", "value: expected a number, got a number that is not finite"),
        (1, "decode_error", "id: not UTF-8"),
        (2, "wrong_type", "value: expected a number, got a number that is not finite"),
    ]
    assert told["mended"] == {"n.type": 1}
    row = json.loads(letters[1].value or b"")
    assert row == {"ts": 1e9, "id": "�", "device": "d", "value": 1.0, "n": 1, "raw": "AA==", "list": [1]}


def test_every_width_of_number_and_text_is_read(tmp_path: Path) -> None:
    """Also from slices, whose buffers begin elsewhere."""
    count = 40
    for number in (pa.int8(), pa.int16(), pa.uint32(), pa.int64(), pa.uint64()):
        for value in (pa.float16(), pa.float32(), pa.float64(), pa.int8(), number):
            for text in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.string_view()):
                table = pa.table(
                    {
                        "ts": pa.array([10**9] * count),
                        "id": pa.array([f"é{i}" for i in range(count)]).cast(text),
                        "device": pa.array(["d", "e"] * (count // 2)).cast(text),
                        "value": pa.array([float(i) if i % 3 else None for i in range(count)]).cast(value),
                        "n": pa.array([i if i % 5 else None for i in range(count)], number),
                        "ok": pa.array([None, True, False, True] * (count // 4)),
                    }
                ).slice(3, 30)
                rows, told, _ = run(pipeline(), [write(tmp_path / "t.arrow", table, 11)])
                kept = [i for i in range(3, 33) if i % 3]
                assert told["accepted"] == len(kept)
                assert told["duplicate"] == 0
                assert sum(row["c"] * row["mean"] for row in rows) == pytest.approx(sum(kept), abs=1e-9)
                assert sum(row["n"] for row in rows) == sum(i for i in kept if i % 5)


def test_renamed_columns_and_a_time_of_several(tmp_path: Path) -> None:
    what = (
        Pipeline("air")
        .source("events", time="ts", key="station", id=["station", "ts"])
        .field("pm25", float, required=False)
        .file(format="parquet", rename={"PM2.5": "pm25"}, time={"columns": ["year", "month", "day", "hour"]})
        .window("day", size="24h", group_by="station", c=k.count(), mean=k.mean("pm25"))
    )
    table = pa.table(
        {
            "year": [2013] * 3,
            "month": [3] * 3,
            "day": [1, 1, 32],
            "hour": [0, 1, 2],
            "PM2.5": [1, 3, 5],
            "station": ["a"] * 3,
        }
    )
    path = tmp_path / "without_a_suffix"
    pq.write_table(table, path)
    rows, told, letters = run(what, [path])
    assert [(row["c"], row["mean"]) for row in rows] == [(2, 2.0)]
    assert told["dead_lettered"] == {"timestamp_invalid": 1}
    assert json.loads(letters[0].value or b"") == {
        "year": 2013, "month": 3, "day": 32, "hour": 2, "pm25": 5, "station": "a",
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_file_is_told(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"t{form}", pa.Table.from_pylist(events(2000)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="damaged"):
        run(pipeline(), [path])
    path.write_bytes(b"no such thing" * 9)
    with pytest.raises(UsageError, match=r"t\.\w+: is not .* or is damaged"):
        run(pipeline(), [path])


def test_without_pyarrow_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"needs pyarrow, .* pip install 'lepton-stream\[arrow\]'"):
        run(pipeline(), [tmp_path / "t.parquet"])


def test_files_that_are_not_there_and_folders_are_told(tmp_path: Path) -> None:
    for form in (".parquet", ".arrow"):
        with pytest.raises(UsageError, match="cannot be read: No such file"):
            run(pipeline(), [tmp_path / f"none{form}"])
        (tmp_path / f"folder{form}").mkdir()
        with pytest.raises(UsageError, match="is a directory"):
            run(pipeline(), [tmp_path / f"folder{form}"])


def test_an_arrow_stream_is_read_from_a_pipe_and_parquet_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "t.arrows", pa.Table.from_pylist(events(1000)))
    expected = run(pipeline(), [path])
    for form in ("arrow", "parquet"):
        what = pipeline().file(format=form)
        with path.open("rb") as stdin:
            options = Options(stdin=stdin, secret=b"s" * 16)
            if form == "parquet":
                with pytest.raises(UsageError, match="Parquet is read from its end"):
                    LocalRun(what.plan, "-", options)
                continue
            local = LocalRun(what.plan, "-", options)
            assert sum(len(list(batch.rows())) for batch in local) == len(expected[0])
            assert local.account.read == expected[1]["read"]


def test_feed_sends_rows_as_json_with_the_keys_and_partitions_of_json_lines(tmp_path: Path) -> None:
    rows = events(300)
    sent = []
    for path in (lines(tmp_path / "a.jsonl", rows), write(tmp_path / "a.parquet", pa.Table.from_pylist(rows), 90)):
        inputs = open_inputs([path], pipeline().plan, 0, None)
        values: list[Any] = []
        keys: list[bytes | None] = []
        partition: list[int] = []
        for wave in waves(inputs, pipeline().plan, 3):
            values += [json.loads(value or b"") for value in wave.block.values]
            keys += wave.keys
            partition += wave.block.partition.tolist()
        sent.append((values, keys, partition))
    assert sent[0] == sent[1]
