"""Files into the source topic: the order, partitions and bytes of the local runtime, and keys beside them."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from aiokafka.record.default_records import DefaultRecordBatch

import lepton_stream
from lepton_stream.chunk import SourcePartition
from lepton_stream.pipeline.plan import Field, FileForm, FileTime, Plan, Source
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.inputs import open_inputs
from lepton_stream.runtime.kafka.bulk import Bulk, Packed, packed_headers, split
from lepton_stream.runtime.kafka.compress import Compression
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.errors import SendFailed
from lepton_stream.runtime.kafka.feed import Fed, Feed, waves
from lepton_stream.runtime.kafka.produce import BATCH_BYTES, Producer
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.schedule import AtOnce, Pace, Rate
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.partitioned import Partition, chunks
from lepton_stream.windows.watermark import NEVER
from tests.kafka.helpers_kafka import MakeTopic

DATA = Path(lepton_stream.__file__).parent / "data/iot/air_quality"
FIELDS = (Field("device", "str"), Field("n", "int", required=False), Field("ts", "float"))
PLAN = Plan("p", Source("events", "ts", key=("device",)), FIELDS, ())
LINES = [json.dumps({"device": f"dev-{i % 7}", "ts": 1000 + i // 3, "n": i}).encode() for i in range(500)]
BROKEN = [b"", b"{", b"\xff\xfe", b'{"device": 7, "ts": 1}', b'{"ts": 2}', b'{"device":"dev-1","ts":null}']


def write(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)


def files(tmp_path: Path) -> list[str]:
    return [write(tmp_path / "a.jsonl", LINES[::2] + BROKEN), write(tmp_path / "b.jsonl", BROKEN + LINES[1::2])]


def fed_records(paths: list[str], plan: Plan, partitions: int) -> dict[int, list[tuple[bytes | None, bytes | None]]]:
    """(key, value) by partition, as they would be sent."""
    out: dict[int, list[tuple[bytes | None, bytes | None]]] = {p: [] for p in range(partitions)}
    for wave in waves(open_inputs(list(paths), plan, 0, io.BytesIO()), plan, partitions):
        for tp, bulk in wave.bulks(plan.source.topic, 5).items():
            out[tp.partition] += zip(bulk.keys, bulk.values, strict=True)
    return out


@pytest.mark.parametrize("partitions", [1, 3])
def test_each_partition_holds_what_the_local_runtime_puts_there_in_the_same_order(
    tmp_path: Path, partitions: int
) -> None:
    inputs = open_inputs(list(files(tmp_path)), PLAN, 0, None)
    cut = [Partition(SourcePartition("events", p)) for p in range(partitions)]
    expected: dict[int, list[bytes | None]] = {p: [] for p in range(partitions)}
    for partition, chunk in chunks(inputs, PLAN, cut):
        expected[partition.source.partition] += chunk.values.to_list()
    got = fed_records(files(tmp_path), PLAN, partitions)
    assert {p: [value for _, value in records] for p, records in got.items()} == expected
    assert sum(map(len, expected.values())) == len(LINES) + 2 * len(BROKEN)


def test_a_key_is_the_canonical_key_and_none_where_it_cannot_be_read(tmp_path: Path) -> None:
    got = {value: key for records in fed_records(files(tmp_path), PLAN, 3).values() for key, value in records}
    assert [got[line] for line in LINES[:3]] == [b"dev-0", b"dev-1", b"dev-2"]
    assert {got[line] for line in BROKEN} == {None}


def test_several_key_fields_make_a_json_key_and_no_key_field_none(tmp_path: Path) -> None:
    path = [write(tmp_path / "a.jsonl", [b'{"device":"d","n":3,"ts":1.0}'])]
    two = replace(PLAN, source=replace(PLAN.source, key=("device", "n")))
    assert fed_records(path, two, 1)[0][0][0] == b'["d",3]'
    without = replace(PLAN, source=replace(PLAN.source, key=()))
    assert fed_records(path, without, 1)[0][0][0] is None


def test_a_bulk_keeps_headers_times_and_the_producer_that_signed_it() -> None:
    headers: list[list[tuple[str, bytes | None]]] = [[], [("é", b""), ("none", None)], [("long", b"x" * 300)]]
    times = np.array([1_700_000_000_123, 1, 9_000_000_000_000])
    bulk = Bulk([b"k"] * 3, [b"v"] * 3, times, [packed_headers(h) for h in headers])
    packed = Packed(bulk, BATCH_BYTES, Compression())
    unsigned = packed.size()
    packed._set_producer_state(7, 3, 40)
    data = bytes(packed._build())
    batch = DefaultRecordBatch(data)
    assert batch.validate_crc()
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 3, 40)
    assert [(r.timestamp, list(r.headers)) for r in batch] == list(zip(times.tolist(), headers, strict=True))
    assert batch.max_timestamp == times.max()
    assert len(data) == unsigned
    assert [len(part.values) for part in split(bulk, 100)] == [2, 1]


CSV = FileForm("csv", null=("", "NA"), rename=(("Dev", "device"),), time=FileTime(("year", "month", "day", "hour")))
CSV_PLAN = replace(PLAN, source=replace(PLAN.source, file=CSV))
HEADER = b"Dev,year,month,day,hour,n,other"


def csv_objects(tmp_path: Path, rows: list[bytes], plan: Plan = CSV_PLAN) -> list[bytes | None]:
    return [value for _, value in fed_records([write(tmp_path / "a.csv", [HEADER, *rows])], plan, 1)[0]]


def test_csv_rows_become_objects_of_the_plans_fields_with_the_time_in_its_field(tmp_path: Path) -> None:
    got = csv_objects(tmp_path, [b'"a, b",1970,1,2,3,7,x', b"c,1970,1,2,4,NA,y"])
    assert [json.loads(v or b"") for v in got] == [
        {"device": "a, b", "n": 7, "ts": 97200.0},
        {"device": "c", "n": None, "ts": 100800.0},
    ]


def test_a_cell_of_the_wrong_type_travels_as_its_text_and_keeps_the_rest_of_the_row(tmp_path: Path) -> None:
    got = csv_objects(tmp_path, [b"a,1970,1,2,3,many,x", b"b,1970,1,2,4,99999999999999999999,y", b"c,1970,1,2,5,1,z"])
    assert got[0] == b'{"device":"a","n":"many","ts":97200.0}'
    assert got[1] == b'{"device":"b","n":99999999999999999999,"ts":100800.0}'
    assert json.loads(got[2] or b"")["n"] == 1


def test_rows_that_cannot_be_split_or_have_no_time_go_as_they_are(tmp_path: Path) -> None:
    bad = [b"a,1970", b"a,1970,13,2,3,1,x", b'"a,1970,1,2,3,1,x']
    assert csv_objects(tmp_path, bad) == bad


def test_rules_of_fields_are_left_to_the_pipeline(tmp_path: Path) -> None:
    strict = (Field("device", "str", one_of=("z",)), Field("n", "int", min=100), Field("ts", "float"))
    got = csv_objects(tmp_path, [b"a,1970,1,2,3,7,x", b"NA,1970,1,2,4,NA,x"], replace(CSV_PLAN, fields=strict))
    assert [json.loads(v or b"")["n"] for v in got] == [7, None]
    assert json.loads(got[1] or b"")["device"] is None


def test_a_bulk_is_the_batch_that_other_clients_read() -> None:
    keys: list[bytes | None] = [None, b"", b"k" * 200, b"key"] * 50
    values: list[bytes | None] = [b"v" * n if n else None for n in (0, 1, 63, 64, 127, 128, 8191, 8192, 20_000, 5)] * 20
    for compression in (Compression("none"), Compression("lz4"), Compression("zstd")):
        batch = DefaultRecordBatch(
            bytes(Packed(Bulk(keys, values, 1_700_000_000_123), BATCH_BYTES, compression)._build())
        )
        assert batch.validate_crc()
        records = list(batch)
        assert [(r.key, r.value) for r in records] == list(zip(keys, values, strict=True))
        assert [r.offset for r in records] == list(range(200))
        assert {(r.timestamp, len(r.headers)) for r in records} == {(1_700_000_000_123, 0)}


def test_bulks_are_split_below_the_batch_size_and_a_long_record_goes_alone() -> None:
    bulk = Bulk([b"k"] * 6, [b"x" * n for n in (10, 10, 5000, 10, 900, 10)], 1)
    parts = list(split(bulk, 1000))
    assert [len(p.values) for p in parts] == [2, 1, 3]
    assert [v for p in parts for v in p.values] == list(bulk.values)
    assert list(split(Bulk([], [], 1), 1000)) == []


def test_a_rate_sends_evenly_and_makes_up_for_delays() -> None:
    rate, time = Rate(10.0), np.zeros(100, np.int64)
    assert [rate.due(0, 0.0, time), rate.due(1, 0.05, time), rate.due(1, 0.1, time)] == [1, 0, 1]
    assert rate.due(5, 2.0, time) == 16
    assert rate.due(0, 1e6, time) == 100
    assert rate.wait_s(1, 0.05, time) == pytest.approx(0.05)


def test_a_pace_keeps_the_gaps_of_event_time() -> None:
    time = np.array([NEVER, 7_000_000, 8_000_000, 8_000_000, 10_000_000], np.int64)
    pace = Pace(2.0)
    assert pace.due(0, 0.0, time) == 2
    assert pace.due(2, 0.49, time[2:]) == 0
    assert pace.wait_s(2, 0.1, time[2:]) == pytest.approx(0.4)
    assert [pace.due(2, 0.5, time[2:]), pace.due(4, 1.5, time[4:])] == [2, 1]
    assert Pace(1.0).due(0, 0.0, np.full(3, NEVER)) == 3


def test_waiting_is_never_so_short_that_every_record_goes_alone() -> None:
    assert Rate(1e6).wait_s(5, 0.000004, np.zeros(1, np.int64)) == 0.02


async def no_sleep(_seconds: float) -> None:
    raise AssertionError("nothing has to wait")


@pytest.mark.kafka
async def test_fed_records_are_in_the_topic_byte_for_byte_with_the_time_of_sending(
    connection: Connection, make_topic: MakeTopic, name: str, tmp_path: Path
) -> None:
    topic = await make_topic(3)
    plan = replace(PLAN, source=replace(PLAN.source, topic=topic))
    fed, told = Fed(), list[int]()
    async with Producer(connection) as producer:
        going = Feed(
            topic, producer, AtOnce(), no_sleep, lambda f: told.append(f.records), now_ms=lambda: 1_700_000_000_000
        )
        await going.send(waves(open_inputs(list(files(tmp_path)), plan, 0, None), plan, 3), fed)
    assert (fed.records, told[-1]) == (512, 512)
    assert fed.bytes == sum(map(len, LINES)) + 2 * sum(map(len, BROKEN))
    assert fed.keyless == 2 * len(BROKEN)
    expected = fed_records(files(tmp_path), plan, 3)
    for p, records in expected.items():
        got = []
        async for chunk in read_range(connection, SourcePartition(topic, p), 0, fed.partitions[p]):
            got += list(zip(chunk.keys.to_list() if chunk.keys else [], chunk.values.to_list(), strict=True))
            assert set(chunk.timestamp.tolist()) <= {1_700_000_000_000_000}
        assert got == records


@pytest.mark.kafka
async def test_after_a_refused_bulk_nothing_more_leaves(
    connection: Connection, make_topic: MakeTopic, name: str
) -> None:
    tp = SourcePartition(await make_topic(1, settings={"max.message.bytes": "2000"}), 0)
    async with Producer(connection, compression=Compression("none")) as producer:
        await producer.send_bulk({tp: Bulk([None], [b"x"], 1)})
        for _ in range(2):
            with pytest.raises(SendFailed, match="partition 0: 1 records not acknowledged"):
                await producer.send_bulk({tp: Bulk([None], [b"x" * 5000], 1)})


def test_a_schedule_that_waits_sleeps_and_goes_on(tmp_path: Path) -> None:
    seconds = iter(np.arange(0.0, 1e4, 0.01).tolist())
    sent, slept = list[int](), list[float]()

    class Collector:
        async def send_bulk(self, bulks: dict[SourcePartition, Bulk]) -> None:
            sent.append(sum(len(b.values) for b in bulks.values()))

    async def sleep(wait: float) -> None:
        slept.append(wait)

    path = [write(tmp_path / "a.jsonl", LINES[:20])]
    going = Feed("t", Collector(), Rate(20.0), sleep, lambda _: None, lambda: next(seconds), lambda: 1)  # type: ignore[arg-type]
    asyncio.run(going.send(waves(open_inputs(list(path), PLAN, 0, None), PLAN, 1), Fed()))
    assert sent == [1] * 20
    assert slept


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_csv_file_fed_as_json_gives_the_results_and_the_account_of_the_file_itself(
    tmp_path: Path, partitions: int
) -> None:
    plan = find("iot/air_quality")
    with gzip.open(DATA / "dingling.csv.gz") as file:
        rows = file.read().splitlines()
    cells = [row.split(b",") for row in rows]
    cells[50][6], cells[60][2], cells[70][15] = b"many", b"13", b'"'
    odd = write(tmp_path / "odd.csv", [b",".join(c) for c in cells] + [b"1,2"])
    given = [odd, str(DATA / "shunyi.csv.gz")]
    fed = fed_records(given, plan, partitions)
    as_topic = replace(plan, source=replace(plan.source, file=FileForm()))
    lines = [write(tmp_path / f"{p}.jsonl", [value or b"" for _, value in records]) for p, records in fed.items()]
    from_csv = LocalRun(plan, given, Options(partitions=partitions))
    results = [row for batch in from_csv for row in batch.rows()]
    # Each partition's records as a file of its own: files are source partitions, as the topic's partitions are.
    from_json = LocalRun(as_topic, lines, Options())
    again = [row for batch in from_json for row in batch.rows()]
    assert sorted_rows(again) == sorted_rows(results)
    ours, theirs = from_json.account, from_csv.account
    assert (ours.read, ours.accepted, ours.duplicate, ours.late) == (
        theirs.read, theirs.accepted, theirs.duplicate, theirs.late
    )  # fmt: skip
    assert ours.dead_lettered.total() == theirs.dead_lettered.total() > 0
    assert ours.dead_lettered["wrong_type"] == theirs.dead_lettered["wrong_type"] == 1


def sorted_rows(rows: list[dict[str, object]]) -> list[str]:
    """All fields but the version: it counts checkpoints."""
    return sorted(json.dumps({k: v for k, v in row.items() if k != "version"}) for row in rows)
