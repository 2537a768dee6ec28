"""Results as they come: the newest version only, no tombstones, from where one asks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from lepton_stream.chunk import SourcePartition
from lepton_stream.cli.main import outcome
from lepton_stream.cli.tail import identity_of, table_of
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.board import Board, LastFew
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.provision import apply
from lepton_stream.runtime.kafka.tail import Bounds, Quiet, follow
from tests.kafka.test_admin import TOML, plan_of, short

P0, P1 = SourcePartition("r", 0), SourcePartition("r", 1)


def result(version: int, n: int = 1, station: str = "a", final: bool = True) -> bytes:
    bounds = {"window": "day", "window_start": 0, "window_end": 86_400_000}
    return orjson.dumps({"station": station, **bounds, "n": n, "final": final, "version": version})


def test_a_lower_version_never_replaces_a_higher_one() -> None:
    board = Board()
    shown = [board.take(b"k", result(v)) for v in (3, 2, 3, 5, 4)]
    assert [row and row["version"] for row in shown] == [3, None, None, 5, None]
    assert board.take(b"other", result(1)) is not None


def test_tombstones_are_skipped_and_forget_no_version() -> None:
    board = Board()
    board.take(b"k", result(3))
    assert board.take(b"k", None) is None
    assert board.take(b"k", result(2)) is None
    assert board.unreadable == 0


@pytest.mark.parametrize("value", [b"", b"{", b"7", b"[]", b"{}", b'{"window":"d","version":"1"}', b'{"version":1}'])
def test_records_that_are_no_results_are_counted_and_left_out(value: bytes) -> None:
    board = Board()
    assert board.take(b"k", value) is None
    assert board.take(None, result(1)) is None
    assert board.unreadable == 2


def test_the_versions_of_the_keys_that_changed_last_are_remembered() -> None:
    board = Board(most=2)
    for key in (b"a", b"b", b"a", b"c"):
        board.take(key, result(5))
    board.take(b"a", result(6))
    assert board.take(b"c", result(4)) is None
    assert board.take(b"a", result(5)) is None
    assert board.take(b"b", result(4)) is not None


def test_the_last_few_are_those_published_last_across_partitions() -> None:
    few = LastFew(2)
    news = [((t, p, 0), {"t": t, "p": p}) for t, p in ((5, 1), (1, 1), (9, 0))]
    assert few.pass_on(news, caught_up=False) == []
    assert few.pass_on([((7, 1, 1), {"t": 7, "p": 1})], caught_up=True) == [{"t": 7, "p": 1}, {"t": 9, "p": 0}]
    assert few.pass_on([((1, 0, 0), {"late": 1})], caught_up=True) == [{"late": 1}]


def test_it_is_quiet_when_all_there_was_is_read_and_then_nothing_came() -> None:
    quiet = Quiet(2.0, {P0: 5, P1: 0}, 10.0)
    looks = (({P0: 3, P1: 0}, 0, 100.0), ({P0: 5, P1: 0}, 2, 101.0))
    assert [(quiet.came(*look), quiet.caught_up) for look in looks] == [(False, False), (False, True)]
    assert [quiet.came({P0: 5, P1: 0}, 0, t) for t in (102.9, 103.0)] == [False, True]
    forever = Quiet(None, {}, 0.0)
    assert not forever.came({}, 0, 1e9)


def test_the_last_records_begin_within_the_log() -> None:
    bounds = Bounds({P0: 10, P1: 0}, {P0: 12, P1: 100})
    assert bounds.from_last(5) == {P0: 10, P1: 95}
    assert bounds.from_last(0) == {P0: 12, P1: 100}
    assert bounds.from_start() == {P0: 10, P1: 0}


def test_versions_of_one_result_share_a_row_of_the_table() -> None:
    first, second, other = (orjson.loads(r) for r in (result(1), result(2, n=9, final=False), result(1, station="b")))
    assert identity_of(first) == identity_of(second) != identity_of(other)
    table = table_of("t", [second, {**other, "station": "[red]b"}])
    assert [c.header for c in table.columns][:3] == ["station", "window", "window_start"]
    assert list(table.columns[0].cells) == ["a", "\\[red]b"]
    assert list(table.columns[2].cells) == ["1970-01-01 00:00:00"] * 2


@pytest.mark.kafka
def test_tail_prints_the_newest_versions_as_json_lines_and_leaves_when_it_is_quiet(
    connection: Connection, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = tmp_path / "p.toml"
    pipeline.write_text(TOML.format(name=short(name)))
    results = f"lepton.{short(name)}.results"

    async def publish() -> None:
        async with Admin(connection) as admin:
            await apply(plan_of(short(name)), admin)
        a, b = SourcePartition(results, 0), SourcePartition(results, 1)
        sent = [
            Record(a, result(1), b"a", timestamp_ms=1), Record(a, result(2, n=7), b"a", timestamp_ms=2),
            Record(a, None, b"fence", timestamp_ms=3), Record(a, result(1), b"a", timestamp_ms=4),
            Record(b, result(1, station="b"), b"b", timestamp_ms=5), Record(b, b"junk", b"j", timestamp_ms=6),
        ]  # fmt: skip
        async with Producer(connection) as producer:
            await producer.send_all(sent)

    asyncio.run(publish())
    command = ["tail", str(pipeline), "--broker", connection.bootstrap, "--until-quiet", "0"]
    assert outcome([*command, "--from-start"]) == 0
    told = capsys.readouterr()
    rows = [orjson.loads(line) for line in told.out.splitlines()]
    assert [(r["station"], r["version"], r["n"]) for r in rows if r["station"] == "a"] == [("a", 1, 1), ("a", 2, 7)]
    assert [r["version"] for r in rows if r["station"] == "b"] == [1]
    assert "1 records are no results" in told.err
    assert outcome([*command, "--last", "1"]) == 0
    assert orjson.loads(capsys.readouterr().out)["station"] in ("a", "b")
    assert outcome([*command]) == 0
    assert capsys.readouterr().out == ""
    assert outcome([*command, "--last", "1", "--from-start"]) == 2


@pytest.mark.kafka
async def test_what_comes_later_is_followed(connection: Connection, name: str) -> None:
    async with Admin(connection) as admin:
        await apply(plan_of(name), admin)
    tp = SourcePartition(f"lepton.{name}.results", 0)
    got: list[bytes] = []
    async with Producer(connection) as producer:
        async for look in follow(connection, {tp: 0}, Quiet(None, {tp: 0}, 0.0)):
            got += [record.value for record in look.records]
            if len(got) == 3:
                break
            await producer.send_all([Record(tp, b"%d" % len(got), b"k")])
    assert len(got) == 3


async def test_a_broker_that_is_not_there_is_told() -> None:
    looks = follow(Connection("127.0.0.1:1"), {P0: 0}, Quiet(None, {}, 0.0))
    with pytest.raises(BrokerError, match="nothing listens there"):
        await anext(looks)
