"""The comparison as a whole, tiny: our run is exact, and whoever else can be installed gives a figure or a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.kafka
def test_a_tiny_comparison_has_an_exact_result_or_a_reason_for_each_program(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    words = ["--records", "3000", "--only", "lepton,polars,bytewax", "--json", str(told)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.peers", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr  # 3,000 records are too few for any bar
    found = json.loads(told.read_text())
    exact = {run["peer"]: run["exact"] for run in found["runs"]}
    assert exact["lepton"] is True
    assert exact.keys() | found["skipped"].keys() == {"lepton", "polars", "bytewax"}
    assert all(exact.values())
