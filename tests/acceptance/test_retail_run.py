"""The retail pipeline through the installed command, against polars and the published figures."""

from __future__ import annotations

import gzip
import json
import lzma
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lepton_stream.pipeline.source import find
from lepton_stream.pipeline.to_toml import to_toml
from tests.acceptance.commands import balanced, but_version, lines, run
from tests.reference.retail import FIGURES, FULL, SAMPLE, by_window, lines_of

needs_full = pytest.mark.skipif(not FULL.is_file(), reason="the full data set is not here (set LEPTON_SHARED)")
COUNTS = {"lines", "orders", "returns", "customers", "quantity"}
SECTIONS: dict[str, tuple[str, ...]] = {"country_hour": ("1h", "country"), "day": ("1d",), "item_day": ("1d", "item")}

Row = dict[str, Any]
COUNTRIES = {  # all lines, duplicates included: lines, revenue, mean price
    "United Kingdom": (495_478, 8_187_806.364, 4.532422),
    "Germany": (9_495, 221_698.210, 3.966930),
    "France": (8_557, 197_403.900, 5.028864),
    "EIRE": (8_196, 263_276.820, 5.911077),
    "Spain": (2_533, 54_774.580, 4.987544),
}


def carry_out(folder: Path, pipeline: str, file: Path, *more: str) -> tuple[list[Row], Row]:
    out, stats = folder / "out.jsonl", folder / "stats.json"
    done = run("run", pipeline, "--input", file, "--output", out, "--stats", stats, *more)
    assert (done.returncode, done.stdout) == (0, b"")
    return lines(out), json.loads(stats.read_text())


def of_section(rows: list[Row], section: str) -> list[Row]:
    return [row for row in rows if row["window"] == section]


def hold_against_polars(rows: list[Row], table: pl.DataFrame) -> None:
    """Every figure of every group and window: counts are equal, sums and means within what doubles add up to."""
    for section, (every, *groups) in SECTIONS.items():
        keys = ["window_start", *groups]
        found = pl.DataFrame(of_section(rows, section), infer_schema_length=None).sort(keys)
        wanted = by_window(table, every, *groups)
        assert found.select(keys).equals(wanted.select(keys))
        for name in FIGURES.keys() & set(found.columns):
            within = 0 if name in COUNTS else 1e-6 + 1e-9 * wanted[name].abs()
            assert ((found[name] - wanted[name]).abs() <= within).all(), (section, name)


def hold_top_against_polars(rows: list[Row], table: pl.DataFrame) -> None:
    """An item that `most_lines` names was on at least `count` and at most `count + error` lines of that day."""
    start = pl.col("time").dt.truncate("1d").dt.epoch("ms").alias("day")
    on = {(day, item): n for day, item, n in table.group_by(start, "item").len().iter_rows()}
    for row in of_section(rows, "day"):
        assert len(row["most_lines"]) == 5
        for top in row["most_lines"]:
            assert top["count"] <= on[row["window_start"], top["value"]] <= top["count"] + top["error"]


def test_the_sample_gives_the_figures_of_polars(tmp_path: Path) -> None:
    rows, stats = carry_out(tmp_path, "ecommerce/retail", SAMPLE)
    table = lines_of(gzip.decompress(SAMPLE.read_bytes()))
    assert (stats["read"], stats["accepted"], stats["duplicate"]) == (10_144, table.height, 207)
    hold_against_polars(rows, table)
    hold_top_against_polars(rows, table)
    assert all(r["per_order"] == (r["sales"] / r["orders"] if r["orders"] else None) for r in rows if "per_order" in r)


def test_partitions_and_routes_give_the_same_results_but_for_versions_and_top(tmp_path: Path) -> None:
    """`top` of more than 256 items depends on the cut, within its error; it is held against polars instead."""
    usual, _ = carry_out(tmp_path, "ecommerce/retail", SAMPLE)
    split, stats = carry_out(tmp_path, "ecommerce/retail", SAMPLE, "--partitions", "4", "--route", "rows")
    hold_top_against_polars(split, lines_of(gzip.decompress(SAMPLE.read_bytes())))
    for row in (*usual, *split):
        row.pop("most_lines", None)
    assert but_version(split) == but_version(usual)
    assert balanced(stats)


@needs_full
def test_a_year_gives_the_published_figures_and_those_of_polars(tmp_path: Path) -> None:
    rows, stats = carry_out(tmp_path, "ecommerce/retail", FULL)
    assert (stats["read"], stats["accepted"], stats["duplicate"]) == (541_909, 536_641, 5_268)
    assert (stats["late"], stats["dead_lettered"], balanced(stats)) == (0, {}, True)
    for section in SECTIONS:
        assert round(sum(row["revenue"] for row in of_section(rows, section)), 3) == 9_726_006.954
    table = lines_of(lzma.decompress(FULL.read_bytes()))
    hold_against_polars(rows, table)
    hold_top_against_polars(rows, table)


@needs_full
def test_a_year_with_its_duplicates_gives_the_published_figures_of_all_lines(tmp_path: Path) -> None:
    """The same pipeline without `id`: nothing is taken for a duplicate."""
    plan = tmp_path / "all_lines.toml"
    plan.write_text(to_toml(find("ecommerce/retail")).replace('\nid = "all"', ""))
    rows, stats = carry_out(tmp_path, str(plan), FULL)
    assert (stats["accepted"], stats["duplicate"]) == (541_909, 0)
    hours, days = of_section(rows, "country_hour"), of_section(rows, "day")
    assert (len(hours), len({row["country"] for row in hours})) == (4_944, 38)
    assert round(sum(row["revenue"] for row in hours), 3) == 9_747_747.934
    assert round(sum(row["sales"] for row in hours), 3) == 10_666_684.544
    assert [round(row["revenue"], 2) for row in days[:3]] == [58_635.56, 46_207.28, 45_620.46]
    assert {name: of_country(hours, name) for name in COUNTRIES} == COUNTRIES
    pieces: Counter[str] = Counter()
    for row in of_section(rows, "item_day"):
        pieces[row["item"]] += row["quantity"]
    assert len(pieces) == 4_070
    assert pieces.most_common(3) == [("22197", 56_450), ("84077", 53_847), ("85099B", 47_363)]


def of_country(hours: list[Row], country: str) -> tuple[int, float, float]:
    total: dict[str, float] = defaultdict(float)
    for row in (row for row in hours if row["country"] == country):
        total["lines"] += row["lines"]
        total["revenue"] += row["revenue"]
        total["price"] += row["lines"] * row["price_mean"]
    return int(total["lines"]), round(total["revenue"], 3), round(total["price"] / total["lines"], 6)
