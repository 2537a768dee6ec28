"""Files of every form and packing give the same results; each is a source partition of its own."""

from __future__ import annotations

import gzip
import heapq
import io
import itertools
import lzma
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from lepton_stream.errors import PlanError, UsageError
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.local import LocalRun, Options
from tests.runtime.events import as_csv, event, events, plan_file

COUNT = 500


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", data)
    return held.getvalue()


def as_it_is(data: bytes) -> bytes:
    return data


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": as_it_is,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".xz": lzma.compress,
    ".zip": zipped,
}


def rows(run: LocalRun) -> list[dict[str, Any]]:
    return [row for batch in run for row in batch.rows()]


def figures(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((r["window_start"], r["device"], r["n"], r["mean"]) for r in found)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    plan = load(plan_file(tmp_path_factory.mktemp("plan")))
    records = [orjson.loads(line) for line in events(COUNT).splitlines()]
    return figures(rows(LocalRun(plan, records)))


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_every_form_and_packing_gives_the_same_results(
    tmp_path: Path, form: str, packing: str, wanted: list[tuple[Any, ...]]
) -> None:
    path = tmp_path / f"events.{form}{packing}"
    path.write_bytes(PACKED[packing](events(COUNT) if form == "json" else as_csv(COUNT)))
    run = LocalRun(load(plan_file(tmp_path, form)), path)
    assert figures(rows(run)) == wanted
    assert (run.account.read, run.account.accepted) == (COUNT, COUNT)
    assert sum(n for _, _, n, _ in wanted) == COUNT


def test_standard_input_is_a_source_too(tmp_path: Path, wanted: list[tuple[Any, ...]]) -> None:
    stdin = io.BufferedReader(io.BytesIO(gzip.compress(events(COUNT))))
    run = LocalRun(load(plan_file(tmp_path)), "-", Options(stdin=stdin))
    assert figures(rows(run)) == wanted


def test_each_input_has_its_own_account_its_own_lateness_and_its_own_memory(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "empty.jsonl"]
    files[0].write_bytes(events(300, first=200))
    files[1].write_bytes(events(300) + event(5))  # far behind a's times, and the ids of a from 200 on
    files[2].write_bytes(b"")
    run = LocalRun(load(plan_file(tmp_path)), files)
    found = rows(run)
    accounts = {s.topic: a for s, a in run.accounts.items()}
    assert [accounts[str(f)].read for f in files] == [300, 301, 0]
    assert [accounts[str(f)].duplicate for f in files] == [0, 1, 0]
    assert run.account.late == 0
    assert sum(r["n"] for r in found) == 600


def test_with_partitions_inputs_are_merged_by_time_and_share_memory(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    files[0].write_bytes(events(300, first=200))
    files[1].write_bytes(events(300))
    run = LocalRun(load(plan_file(tmp_path)), files, Options(partitions=3))
    found = rows(run)
    assert (run.account.read, run.account.duplicate, run.account.late) == (600, 100, 0)
    assert figures(found) == figures(rows(LocalRun(load(plan_file(tmp_path)), events(500).splitlines())))


@pytest.mark.parametrize("seed", range(4))
def test_a_merge_of_inputs_is_that_of_the_running_maximum_with_ties_to_the_first(tmp_path: Path, seed: int) -> None:
    """Seen through dedup with a memory of one place: an id is a duplicate only right behind itself."""
    draw = random.Random(seed)
    streams = [[(draw.randrange(40), draw.choice("xy")) for _ in range(draw.randrange(60))] for _ in range(3)]
    merged: list[tuple[float, int, str]] = []
    keyed = []
    for number, stream in enumerate(streams):
        high, listed = float("-inf"), []
        for t, identity in stream:
            high = max(high, t)
            listed.append((high, number, identity))
        keyed.append(listed)
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(b"".join(b'{"t":%d,"device":"d","id":"%s","value":1}\n' % (t, i.encode()) for t, i in stream))
    merged = list(heapq.merge(*keyed, key=lambda item: item[:2]))
    wanted = sum(a[2] == b[2] for a, b in itertools.pairwise(merged))
    toml = plan_file(tmp_path)
    toml.write_text(toml.read_text().replace("memory = 20000", "memory = 1"))
    run = LocalRun(load(toml), [tmp_path / f"{n}.jsonl" for n in range(3)], Options(partitions=1))
    rows(run)
    assert run.account.duplicate == wanted > 0


def test_a_name_that_is_not_utf8_is_told_in_words_that_json_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.jsonl"
    path.write_bytes(events(3) + b"broken\n")
    letters: list[Any] = []
    run = LocalRun(load(plan_file(tmp_path)), [path], Options(bury=letters.extend))
    rows(run)
    assert orjson.loads(orjson.dumps(run.stats()))["read"] == 4
    assert "\ufffd" in letters[0].source.topic


def test_inputs_opened_before_one_that_fails_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "good.jsonl"
    path.write_bytes(events(3))
    with pytest.raises(UsageError, match=r"nothere\.jsonl"):  # an open file would be a ResourceWarning, an error here
        LocalRun(load(plan_file(tmp_path)), [path, tmp_path / "nothere.jsonl"])
    csv = tmp_path / "x.csv"
    csv.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(PlanError):
        LocalRun(load(plan_file(tmp_path, "csv")), [csv])


@pytest.mark.parametrize("said", ['rename = { Gadget = "device" }', 'time = { columns = ["y", "m", "d"] }'])
def test_what_is_said_of_columns_is_refused_for_json_lines(tmp_path: Path, said: str) -> None:
    path, plan = tmp_path / "in.jsonl", plan_file(tmp_path)
    path.write_bytes(events(3))
    plan.write_text(plan.read_text().replace('format = "json"', said))
    with pytest.raises(PlanError, match=rf"in\.jsonl.*\n.*source\.file\.{said[:4]}.*JSON lines"):
        LocalRun(load(plan), [path])


def test_standard_input_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="once"):
        LocalRun(load(plan_file(tmp_path)), ["-", "-"], Options(stdin=io.BytesIO()))


def test_a_file_named_twice_is_refused_in_whatever_way_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "good.jsonl"
    path.write_bytes(events(3))
    (tmp_path / "link.jsonl").symlink_to(path)
    for other in (path, tmp_path / "link.jsonl"):
        with pytest.raises(UsageError, match="more than once"):
            LocalRun(load(plan_file(tmp_path)), [path, other])


def test_files_of_one_name_in_two_folders_are_two_inputs(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "good.jsonl" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(events(30))
    run = LocalRun(load(plan_file(tmp_path)), paths)
    rows(run)
    assert (run.account.read, len(run.accounts)) == (60, 2)


def test_many_partitions_give_the_same_figures_over_the_shuffle_partitions_of_the_plan(
    tmp_path: Path, wanted: list[tuple[Any, ...]]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(events(COUNT))
    assert figures(rows(LocalRun(load(plan_file(tmp_path)), [path], Options(partitions=64)))) == wanted


def test_results_come_while_the_input_is_still_open(tmp_path: Path) -> None:
    given: list[bytes] = []

    def live() -> Any:
        for i in range(40_000):
            given.append(b"")
            yield event(i)

    run = iter(LocalRun(load(plan_file(tmp_path)), live()))
    assert len(next(run)) > 0
    assert len(given) < 20_000
