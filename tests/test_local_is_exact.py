"""The local runtime against the slow reference: every verdict, every dead letter, every window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.core import Route
from lepton_stream.formats.dead_letters import DeadLetter
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime.local import LocalRun, Options
from tests.data.planted import RULES, generate, split
from tests.data.workload import TOML, flush_start_us
from tests.data.workload import write as write_workload
from tests.data.write_planted import part_name
from tests.reference.air_quality import FULL, SAMPLE, by_day
from tests.reference.stream import Account, Truth, evaluate

HERE = Path(__file__).parent
PLANTED = HERE / "data" / "planted.toml"
AIR = HERE.parent / "lepton_stream" / "pipelines" / "iot" / "air_quality.toml"
ONE_ULP = 2.3e-16  # a mean is a rounded sum divided: two roundings, where the reference has one
EXACT = ("n", "sum", "variance", "min", "max", "first", "last")

Rows = dict[tuple[Any, ...], dict[str, Any]]


def rows_of(run: LocalRun, group: str) -> Rows:
    """All results by (group, window start in microseconds). A window that comes twice would be a defect."""
    rows: Rows = {}
    for batch in run:
        for row in batch.rows():
            key = (row[group], row["window_start"] * 1000)
            assert key not in rows
            rows[key] = row
    return rows


def planted_files(folder: Path, partitions: int, memory: int) -> tuple[list[Path], Truth]:
    """The planted records in one file a source partition, and their truth."""
    files, parts = [], {}
    for p, records in split(generate(12_000, seed=11), partitions).items():
        parts[p] = [r.value for r in records]
        files.append(part_name(folder / "events.jsonl", p, partitions))
        files[-1].write_bytes(b"".join(value + b"\n" for value in parts[p]))
    return files, evaluate(parts, replace(RULES, memory=memory))


def assert_windows(found: Rows, truth: Truth) -> None:
    wanted = truth.windows["minute"]
    assert found.keys() == wanted.keys()
    for key, summary in wanted.items():
        row, figures = found[key], vars(summary) | {"n": summary.rows}
        assert {name: row[name] for name in EXACT} == {name: figures[name] for name in EXACT}
        assert row["mean"] == pytest.approx(summary.mean, rel=ONE_ULP, abs=0)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(
    ("partitions", "route", "memory"),
    [
        (1, "rows", 1_000_000),
        (1, "partials", 400),
        (3, "rows", 100),
        (3, "partials", 1_000_000),
        (1, "mixed", 100),
        (3, "mixed", 400),
    ],
)
def test_every_planted_record_gets_its_verdict_and_every_window_its_figures(
    tmp_path: Path, partitions: int, route: Route, memory: int
) -> None:
    files, truth = planted_files(tmp_path, partitions, memory)
    plan = replace(load(PLANTED), dedup_memory=memory)
    letters: list[DeadLetter] = []
    run = LocalRun(plan, files, Options(route=route, bury=letters.extend, run_start_us=RULES.now_us))
    assert_windows(rows_of(run, "device"), truth)
    accounts = {s.partition: Account(**of(a)) for s, a in run.accounts.items()}
    assert accounts == truth.accounts
    # sources take turns, so letters of several come interleaved; an oversized one keeps the start of its bytes
    found = sorted((d.source.partition, d.offset, str(d.reason)) for d in letters)
    assert found == [(d.partition, d.offset, d.reason) for d in truth.dead_letters]
    bytes_of = {(d.partition, d.offset): d.value or b"" for d in truth.dead_letters}
    for letter in letters:
        whole = bytes_of[letter.source.partition, letter.offset]
        assert letter.value == whole[: len(letter.value or b"")]
        assert str(letter.reason) == "too_large" or letter.value == whole


def of(account: Any) -> dict[str, Any]:
    """The product's account in the reference's words."""
    names = ("read", "accepted", "duplicate", "late", "dead_lettered", "late_by_window")
    return {name: getattr(account, name) for name in names}


@pytest.mark.usefixtures("path")
def test_the_workload_of_the_comparison_is_exact(tmp_path: Path) -> None:
    workload = write_workload(tmp_path / "w.jsonl", 20_000)
    run = LocalRun(load(TOML), [tmp_path / "w.jsonl"])
    rows = rows_of(run, "device")
    found = {key: row for key, row in rows.items() if key[1] != flush_start_us(20_000)}
    assert found.keys() == workload.windows.keys()
    for key, window in workload.windows.items():
        count, mean, smallest, largest = window.figures
        assert [found[key][name] for name in ("n", "min", "max")] == [count, smallest, largest]
        assert found[key]["mean"] == pytest.approx(mean, rel=ONE_ULP, abs=0)
    total = run.account
    told = [total.read, total.accepted, total.duplicate, total.late, total.dead_lettered.total()]
    assert told == list(workload.account.values())


@pytest.mark.parametrize("folder", [SAMPLE, FULL], ids=["sample", "full"])
def test_the_air_quality_pipeline_gives_the_figures_of_polars(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("the full data set is not here (set LEPTON_SHARED)")
    rows = rows_of(LocalRun(load(AIR), sorted(folder.glob("*.csv.gz"))), "station")
    wanted = by_day(folder)
    assert len(rows) == wanted.height
    for day in wanted.rows(named=True):
        row = rows[day["station"], day["window_start_us"]]
        assert [row[n] for n in ("n", "pm25_n", "pm25_missing")] == [day[n] for n in ("n", "pm25_n", "missing")]
        assert [row["pm25_min"], row["pm25_max"]] == [day["min"], day["max"]]
        for name, figure in (("pm25_mean", day["mean"]), ("pm25_std", day["std"])):
            assert row[name] == (None if figure is None else pytest.approx(figure, rel=1e-12, abs=1e-12))
