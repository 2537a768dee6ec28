"""The same input twice, run after run, two pipelines on one source, and a second worker that joins."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

import pytest

from tests.acceptance.commands import but_version
from tests.data.planted import generate
from tests.kafka_pipeline.expected import Expected, assert_orderly, letters_of, write_planted
from tests.kafka_pipeline.pipe import PLANTED, Pipe, until
from tests.reference.murmur2 import partition_of

pytestmark = pytest.mark.kafka
START_S = 1_700_010_000
REST = {"status": "ok"}


def test_every_record_of_a_second_pass_is_a_duplicate_and_no_result_changes(pipe: Pipe) -> None:
    sound = [r.value for r in generate(10_000, seed=71) if r.trouble != "broken"]
    file = pipe.folder / "in.jsonl"
    file.write_bytes(b"".join(value + b"\n" for value in sound))
    pipe.feed(file)
    first = pipe.to_the_end()
    pipe.feed(file)
    second = pipe.to_the_end()
    assert second.stats["read"] == 2 * len(sound)
    assert second.stats["duplicate"] == first.stats["duplicate"] + len(sound)
    same = ("accepted", "late", "dead_lettered", "results")
    assert {n: second.stats[n] for n in same} == {n: first.stats[n] for n in same}
    assert second.rows == first.rows
    assert_orderly(pipe, second)


def test_a_second_run_with_an_end_counts_windows_that_came_since_whatever_partition_is_first(pipe: Pipe) -> None:
    first, then = pipe.folder / "first.jsonl", pipe.folder / "then.jsonl"
    first.write_bytes(b"".join(r.value + b"\n" for r in generate(1000, seed=72)))
    # hours apart in event time from one partition to the next, and the earlier the more records
    devices = [(d, partition_of(f"dev-{d}".encode(), 4)) for d in range(40)]
    rows = [
        {"device": f"dev-{d}", "ts": START_S + 36_000 * p + n, "event_id": f"x{d}-{n}", "value": n, **REST, "seq": n}
        for d, p in devices
        for n in range(1000 >> p)
    ]  # fmt: skip
    rows.sort(key=itemgetter("ts"))
    then.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pipe.feed(first)
    before = pipe.to_the_end()
    pipe.feed(then)
    done = pipe.to_the_end()
    assert done.stats["accepted"] == before.stats["accepted"] + len(rows)
    assert done.stats["late_by_window"] == {}
    assert sum(row["n"] for row in done.rows) == done.stats["accepted"]
    assert_orderly(pipe, done)


def test_two_pipelines_on_one_source_do_not_disturb_each_other(pipe: Pipe, bootstrap: str, tmp_path: Path) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 8000, seed=73)
    text = PLANTED.read_text().replace('size = "1m"', 'size = "2m"')
    folder = tmp_path / "other"
    folder.mkdir()
    with Pipe(folder, bootstrap, text, source=pipe.source) as other:
        other.apply()
        pipe.feed(file)
        here, there = pipe.ending(workers=1), other.ending(workers=1)
        done, others = pipe.done(here), other.done(there)
        Expected(pipe, file).holds_for(done)
        Expected(other, file).holds_for(others)
        assert but_version(done.rows) != but_version(others.rows)
        assert_orderly(other, others)


def test_partitions_that_move_to_a_second_worker_in_mid_window_keep_what_they_have(pipe: Pipe) -> None:
    file = write_planted(pipe.folder / "in.jsonl", 30_000, seed=74)
    expected = Expected(pipe, file)
    first, feeding = pipe.run(workers=1), pipe.feeding(file, rate=1500)

    def open_windows() -> bool:
        seen = pipe.look()
        pointers = (seen.pointer(tp) for tp in pipe.partitions(pipe.names.shuffle))
        return any(p is not None and p.oldest is not None for p in pointers)

    until(lambda: pipe.counted() > 2000 and open_windows(), 60, "windows are open at the first worker")
    second = pipe.run(workers=1)
    at = pipe.counted()
    until(lambda: pipe.members() == 2, 60, "the second worker is there")
    assert feeding.process.poll() is None
    until(lambda: pipe.counted() > at + 2000, 60, "both go on")
    for one in (first, second):
        one.process.terminate()
    assert [one.wait(40) for one in (first, second)] == [143, 143], first.said + second.said
    assert feeding.wait() == 0
    done = pipe.to_the_end()
    expected.holds_for(done)
    assert letters_of(pipe) == expected.letters
    assert_orderly(pipe, done)
