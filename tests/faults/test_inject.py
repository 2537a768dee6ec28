"""The injectors do what they say, and the checks find what they are there for."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from tests.data.planted import KINDS
from tests.faults import inject
from tests.faults.ledger import Acked, Ledger, crc_of
from tests.faults.load import load
from tests.faults.matrix import MATRIX
from tests.faults.node import Node
from tests.faults.truth import Source, assert_accounts, assert_windows
from tests.faults.watcher import Newest
from tests.kafka_pipeline.pipe import alive, until

ROOT = Path(__file__).resolve().parents[2]


class Rec(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_killed_process_is_gone_and_a_frozen_one_stands_still_and_wakes() -> None:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    with inject.frozen(process.pid):
        until(lambda: state_of(process.pid) == "T", 5, "it stands still")
    until(lambda: state_of(process.pid) in "RS", 5, "it goes on")
    inject.kill([process.pid])
    assert not alive(process.pid)
    assert process.wait(5) == -9


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_is_frozen_killed_and_back_with_what_it_had(node: Node) -> None:
    topic = "kept-through-death"
    inject.recreate(node.bootstrap, topic, 3)
    node.freeze()
    assert not node.answers()
    node.thaw()
    until(node.answers, 10, "it answers again")
    node.kill()
    assert not node.running
    assert not node.answers()
    node.start()
    assert topic in inject.topics(node.bootstrap)


@pytest.mark.kafka
@pytest.mark.slow
def test_topics_are_configured_widened_and_compacted_to_the_newest_of_each_key(node: Node) -> None:
    topic, at = "made-to-be-changed", node.bootstrap
    inject.recreate(at, topic, 1)
    until(lambda: inject.leads(at, node.place.number, [topic]) == 1, 10, "it has a leader")
    assert inject.in_sync(at, 1)

    async def written() -> None:
        async with AIOKafkaProducer(bootstrap_servers=at, acks="all") as producer:
            for n in range(300):
                await producer.send(topic, b"%d" % n, key=b"k%d" % (n % 3), partition=0)

    asyncio.run(written())
    pipe = SimpleNamespace(bootstrap=at)
    before, left = inject.compact(pipe, topic, 1)  # type: ignore[arg-type]
    assert (before, len(left) < 30) == (300, True)
    newest = {record.key: record.value for record in left if record.value is not None}
    assert newest == {b"k0": b"297", b"k1": b"298", b"k2": b"299"}
    inject.raise_partitions(at, topic, 3)
    until(lambda: inject.leads(at, node.place.number, [topic]) == 3, 10, "it has three partitions")
    inject.configure(at, topic, max_message_bytes="100")

    async def refused() -> None:
        async with AIOKafkaProducer(bootstrap_servers=at, acks="all") as producer:
            await producer.send_and_wait(topic, bytes(200), partition=0)

    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(refused())


@pytest.mark.kafka
@pytest.mark.slow
def test_a_throttled_client_is_slow_and_a_freed_one_is_not(node: Node) -> None:
    topic, at = "made-to-be-slow", node.bootstrap
    inject.recreate(at, topic, 1)

    async def sent() -> float:
        async with AIOKafkaProducer(bootstrap_servers=at, acks="all") as producer:
            began = time.monotonic()
            for _ in range(40):
                await producer.send_and_wait(topic, bytes(100_000), partition=0)
            return time.monotonic() - began

    before = asyncio.run(sent())
    with inject.throttled(at, 100_000):
        slow = asyncio.run(sent())
    after = asyncio.run(sent())
    assert slow > 10
    assert max(before, after) < slow / 2


def of(values: list[tuple[int, int, bytes]]) -> Newest:
    newest = Newest()
    newest.take((b"k%d" % k, json.dumps({"version": v, "n": n.decode()}).encode()) for k, v, n in values)
    return newest


def test_a_reader_finds_versions_that_go_back_and_versions_that_disagree() -> None:
    assert of([(1, 1, b"a"), (1, 1, b"a"), (2, 1, b"b"), (1, 3, b"c")]).wrong == []
    assert "behind 3" in of([(1, 3, b"a"), (1, 2, b"b")]).wrong[0]
    assert "version 3 is" in of([(1, 3, b"a"), (1, 3, b"b")]).wrong[0]


def judged(seed: int = 5) -> tuple[Source, Any, dict[str, Any], list[dict[str, Any]]]:
    """Records, their truth, and an account and rows that fit it."""
    records = [Rec(0, n, r.key, r.value) for n, r in zip(range(3000), load(seed), strict=False)]
    source = Source(records, 1)
    truth = source.truth()
    stats = {"sources": {"t[0]": vars(truth.accounts[0])}}
    figures = ("min", "max", "first", "last", "sum", "mean", "variance")
    rows = [
        {"device": group[0], "window_start": int(str(group[1])) // 1000, "n": s.rows, "final": True}
        | {f: getattr(s, f) for f in figures}
        for group, s in truth.windows["minute"].items()
    ]
    return source, truth, stats, rows


def test_the_judgement_finds_a_record_too_many_a_missing_window_and_a_wrong_sum() -> None:
    _, truth, stats, rows = judged()
    assert_accounts(stats, "t", truth)
    assert assert_windows(rows, truth) == len(rows) > 100
    with pytest.raises(AssertionError):
        assert_windows(rows[1:], truth)
    with pytest.raises(AssertionError):
        assert_windows([rows[0] | {"n": rows[0]["n"] + 1}, *rows[1:]], truth)
    with pytest.raises(AssertionError):
        assert_windows([rows[0] | {"sum": rows[0]["sum"] * (1 + 1e-12)}, *rows[1:]], truth)
    with pytest.raises(AssertionError):
        assert_accounts({"sources": {"t[0]": stats["sources"]["t[0]"] | {"duplicate": 0}}}, "t", truth)


def test_the_judgement_finds_a_lost_record_and_a_missing_or_changed_dead_letter(tmp_path: Path) -> None:
    source, truth, _, _ = judged()
    ledger = Ledger(tmp_path / "ledger")
    first = source.parts[0][0]
    ledger.add([Acked(0, 0, 0, crc_of(first.key, first.value))])
    assert source.holds(ledger) == 1
    ledger.add([Acked(1, 0, 1, 17)])
    with pytest.raises(AssertionError, match="not what was acknowledged"):
        source.holds(ledger)
    ledger.close()
    letters = []
    for d in truth.dead_letters:
        told = {"partition": "0", "offset": str(d.offset), "reason": d.reason}
        headers = tuple((f"lepton.dlq.{name}", text.encode()) for name, text in told.items())
        letters.append(Rec(0, 0, source.parts[0][d.offset].key, d.value, headers))
    source.assert_letters([*letters, letters[0]], truth)
    with pytest.raises(AssertionError, match="missing"):
        source.assert_letters(letters[1:], truth)
    with pytest.raises(AssertionError):
        source.assert_letters([*letters, letters[0]._replace(value=b"other")], truth)


def test_the_load_is_the_same_for_a_seed_and_has_every_trouble() -> None:
    records = [record for _, record in zip(range(30_000), load(3), strict=False)]
    assert records[:100] == [record for _, record in zip(range(100), load(3), strict=False)]
    assert {r.trouble for r in records} == {"", "duplicate", "late", "edge", "broken"}
    assert {r.kind for r in records if r.kind} == set(KINDS)
    keys = [r.key for r in records]
    assert keys.count(b"dev-0") > 50 * keys.count(b"dev-500") > 0


def test_six_rows_at_least_are_part_of_make_test() -> None:
    """A kill, all killed, a freeze, a broker's death, poison, a topic made anew: none of these is marked as slow."""
    smoke = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        text = path.read_text()
        if "pytest.mark.slow" not in text.partition("\ndef ")[0]:  # else all of the file is
            tests = re.findall(r"((?:^@.*\n)*)^def test_f(\d\d)_", text, re.MULTILINE)
            smoke |= {f"F{int(number)}" for marks, number in tests if "mark.slow" not in marks}
    assert smoke >= {"F1", "F2", "F4", "F9", "F19", "F21"}


def test_every_row_of_the_matrix_is_a_test_by_name_or_says_why_not() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for row in MATRIX:
        named = f"def test_f{int(row.number[1:]):02d}_" in text
        assert named == (row.kind == "tested"), row
        assert named or row.note, row
        paths = re.findall(r"tests/\S+\.py", row.note)
        assert all((ROOT / path).exists() for path in paths), row
