"""Memory does not grow with the input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.runtime.events import blocks, plan_file

MEGABYTES = 300
HIGHEST_MB = {"portable": 200, "compiled": 290}  # Numba and LLVM take 80
PROGRAM = """
import sys
from lepton_stream.cli.main import outcome
code = outcome(sys.argv[1:])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(line.split()[1], file=sys.stderr)
sys.exit(code)
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see the peak")


def peak_mb(folder: Path, more: Sequence[str]) -> float:
    """Peak resident memory of a run over 300 MB from a pipe, in MB; the peak is the program's own."""
    line = ["run", str(plan_file(folder)), "--input", "-", "--output", str(folder / "out.jsonl"), "-q", *more]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *line], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    written = 0
    for block in blocks(MEGABYTES):
        written += process.stdin.write(block)
    assert written > 0.95 * MEGABYTES * 1e6
    with process:
        _, err = process.communicate()
    assert process.returncode == 0, err
    return int(err) / 1000


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--partitions", "4"], ["--route", "rows"]], ids=" ".join)
def test_300_mb_of_input_run_in_less_than_200_mb_or_290_compiled(tmp_path: Path, more: list[str], path: str) -> None:
    assert peak_mb(tmp_path, more) < HIGHEST_MB[path]
