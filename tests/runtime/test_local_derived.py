"""Derived columns, filters and hopping windows over files: rows, partials, any partitions; what is told of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.core import Route
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import parse
from lepton_stream.runtime.local import LocalRun, Options

TOML = """
name = "sales"
[source]
topic = "sales.v1"
time = "t"
key = "shop"
id = ["id"]
where = "price > 0"
[fields]
t = "int"
id = "int"
shop = "str"
quantity = "int"
price = "float"
[derive]
revenue = "quantity * price"
is_return = "quantity < 0"
size = 'bucket(abs(quantity), [3], ["small", "large"])'
kind = 'coalesce(size, "none")'
[[window]]
name = "sold"
kind = "hopping"
size = "60s"
every = "20s"
lateness = "5s"
group_by = ["shop", "kind"]
where = "not is_return"
[window.results]
n = "count()"
revenue = "sum(revenue)"
[[window]]
name = "all"
size = "60s"
lateness = "5s"
group_by = ["is_return"]
[window.results]
n = "count()"
"""
RECORDS = 3_000


def plan() -> Plan:
    return parse(TOML, "sales.toml")


def sale(i: int) -> dict[str, Any]:
    quantity, price = i * 7 % 11 - 3, (i * 13 % 17) / 4
    return {"t": i // 10 - i % 3, "id": i, "shop": f"s{i % 5}", "quantity": quantity, "price": price}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "sales.jsonl"
    path.write_text("".join(json.dumps(sale(i)) + "\n" for i in range(RECORDS)))
    return path


def run(source: Path, route: Route, partitions: int | None) -> tuple[list[str], dict[str, Any]]:
    """(all results without their version, totals)."""
    with LocalRun(plan(), [source], Options(route=route, partitions=partitions)) as going:
        rows = [row for batch in going for row in batch.rows()]
        totals = going.stats()
    return sorted(json.dumps({k: v for k, v in row.items() if k != "version"}) for row in rows), totals


def test_any_route_and_any_number_of_partitions_give_the_same(source: Path) -> None:
    wanted, totals = run(source, "partials", 1)
    assert len(wanted) > 100
    for route, partitions in (("rows", 1), ("rows", 3), ("partials", 3), ("mixed", 3)):
        found, told = run(source, route, partitions)  # type: ignore[arg-type]
        assert found == wanted
        assert (told["filtered"], told["filtered_by_window"]) == (totals["filtered"], totals["filtered_by_window"])


def test_the_figures_are_those_of_a_plain_loop(source: Path) -> None:
    rows, totals = run(source, "rows", None)
    sales = [sale(i) for i in range(RECORDS)]
    kept = [s for s in sales if s["price"] > 0]
    sold = [s for s in kept if s["quantity"] >= 0]
    assert totals["accepted"] == RECORDS
    assert totals["filtered"] == RECORDS - len(kept)
    assert totals["filtered_by_window"] == {"sold": len(kept) - len(sold)}
    wanted: dict[tuple[int, str, str], tuple[int, float]] = {}
    for s in sold:
        kind = "small" if abs(s["quantity"]) < 3 else "large"
        for start in range(-60, 400, 20):
            if start <= s["t"] < start + 60:
                n, revenue = wanted.get((start, s["shop"], kind), (0, 0.0))
                wanted[start, s["shop"], kind] = n + 1, revenue + s["quantity"] * s["price"]  # quarters: exact
    found = {
        (row["window_start"] // 1000, row["shop"], row["kind"]): (row["n"], row["revenue"])
        for row in map(json.loads, rows)
        if row["window"] == "sold"
    }
    assert found == wanted


def test_the_command_tells_what_filters_kept_out(source: Path, tmp_path: Path) -> None:
    toml = tmp_path / "sales.toml"
    toml.write_text(TOML)
    command = [sys.executable, "-m", "lepton_stream", "run", str(toml), "--input", str(source), "--output"]
    done = subprocess.run([*command, str(tmp_path / "out.jsonl")], capture_output=True, text=True, check=True)
    _, totals = run(source, "partials", None)
    assert f"kept out of every window by where: {totals['filtered']:,}" in done.stderr
    assert f"kept out of window sold by where: {totals['filtered_by_window']['sold']:,}" in done.stderr
