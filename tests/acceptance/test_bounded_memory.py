"""Memory does not grow with the input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.events import blocks, plan_file

MEGABYTES = 300
HIGHEST_MB = {"portable": 200, "compiled": 290}  # Numba and LLVM take 80
PYARROW_MB = 150  # itself, batches read ahead, and one of whole rows for dead letters
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


def command(folder: Path, source: str, more: Sequence[str], form: str = "json") -> list[str]:
    line = ["run", str(plan_file(folder, form)), "--input", source, "--output", str(folder / "out.jsonl"), "-q", *more]
    return [sys.executable, "-c", PROGRAM, *line]


def peak_mb_of_pipe(folder: Path, pieces: Iterable[bytes], more: Sequence[str] = (), form: str = "json") -> float:
    """Peak resident memory of a run over 300 MB from a pipe, in MB; the peak is the program's own."""
    with subprocess.Popen(command(folder, "-", more, form), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        written = sum(process.stdin.write(piece) for piece in pieces)
        _, err = process.communicate()
    assert written > 0.95 * MEGABYTES * 1e6
    assert process.returncode == 0, err
    return int(err) / 1000


def as_csv() -> Iterator[bytes]:
    """A megabyte of lines at a time: each block has later times and other ids than the one before it."""
    body = b"".join(
        b'TTTTTTTT.%03d,d%d,%d-TTTTTTTT,1.5,"%s"\n' % (i % 1000, i % 50, i, b"x" * 430) for i in range(2100)
    )
    yield b"t,device,id,value,note\n"
    for block in range(MEGABYTES):
        yield body.replace(b"TTTTTTTT", b"%d" % (10_000_000 + block))


def write_table(path: Path) -> Path:
    """Row groups of 40 MB; some rows have no value; their dead letters hold the note, which no field is read from."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows, place = 100_000, np.arange(100_000)
    schema = pa.schema([("t", "f8"), ("device", "str"), ("id", "str"), ("value", "f8"), ("note", "str")])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for group in range(MEGABYTES // 40):
            text = [f"{group}-{i}" for i in range(rows)]
            devices, notes = [f"d{i % 50}" for i in range(rows)], [f"{word:>380}" for word in text]
            value = pa.array(np.full(rows, 1.5), mask=place % 1000 == 999)
            table = pa.table([place / 1000 + 1e7 + group * 100, devices, text, value, notes], schema=schema)
            writer.write_table(table, row_group_size=rows)
    assert path.stat().st_size > 0.9 * MEGABYTES * 1e6
    return path


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--partitions", "4"], ["--route", "rows"]], ids=" ".join)
def test_300_mb_of_input_run_in_less_than_200_mb_or_290_compiled(tmp_path: Path, more: list[str], path: str) -> None:
    assert peak_mb_of_pipe(tmp_path, blocks(MEGABYTES), more) < HIGHEST_MB[path]


@pytest.mark.slow
def test_300_mb_of_csv_run_in_the_same_memory(tmp_path: Path, path: str) -> None:
    assert peak_mb_of_pipe(tmp_path, as_csv(), form="csv") < HIGHEST_MB[path]


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--partitions", "4"]], ids=" ".join)
def test_300_mb_of_parquet_run_in_little_more(tmp_path: Path, more: list[str], path: str) -> None:
    letters = tmp_path / "letters.jsonl"
    table = write_table(tmp_path / "t.parquet")
    line = command(tmp_path, str(table), [*more, "--dead-letters", str(letters)])
    done = subprocess.run(line, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr
    assert len(letters.read_bytes().splitlines()) == MEGABYTES // 40 * 100
    assert int(done.stderr) / 1000 < HIGHEST_MB[path] + PYARROW_MB
