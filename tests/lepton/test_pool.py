"""Workers: results in order, errors that name the part, and nothing left behind, whatever ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lepton_stream import Lepton, PartError, UsageError
from lepton_stream.lepton.shared import BIG, Shared, discard, pack, take, unpack
from tests.lepton import functions

MEMORY = Path("/dev/shm")
needs_shared_memory = pytest.mark.skipif(not MEMORY.is_dir(), reason="no shared memory in the file system here")


def blocks() -> set[str]:
    return {path.name for path in MEMORY.glob("psm_*")} if MEMORY.is_dir() else set()


def children() -> str:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()


def test_results_come_in_order_from_other_processes_and_big_arrays_are_whole() -> None:
    before = blocks()
    x = np.random.default_rng(1).normal(0, 1, (40_000, 40))
    parts = Lepton().data_partition(x, 5)
    assert parts[0].nbytes > BIG
    crew = Lepton(workers=2)
    assert np.array_equal(np.concatenate(crew.map(functions.itself, parts)), x)
    np.testing.assert_allclose(crew.merge(crew.map(functions.dot, parts)), x.T @ x, rtol=1e-9, atol=1e-9)
    assert os.getpid() not in set(crew.map(functions.process_of, [1, 2, 3]))
    assert blocks() <= before


def test_forked_workers_take_any_function() -> None:
    held = 5
    assert Lepton(workers=2, start="fork").map(lambda part: part + held, [1, 2, 3]) == [6, 7, 8]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_names_its_part_and_carries_its_cause(workers: int) -> None:
    with pytest.raises(PartError, match=r"part 3 of 5: KeyError: 'seven'") as caught:
        Lepton(workers).map(functions.fails_on_seven, Lepton().data_partition(np.arange(10), 5))
    assert caught.value.part == 3
    assert isinstance(caught.value.__cause__, KeyError)
    assert "fails_on_seven" in caught.value.__notes__[0]


def test_an_error_or_a_result_that_cannot_travel_is_told_as_text() -> None:
    with pytest.raises(PartError, match="part 0 of 1: AwkwardError: awkward"):
        Lepton(1).map(functions.fails_awkwardly, [1])
    with pytest.raises(PartError, match="part 0 of 1: TypeError: cannot pickle"):
        Lepton(1).map(functions.gives_a_lock, [1])


def test_a_worker_that_dies_is_an_error_and_leaves_nothing() -> None:
    before = blocks()
    parts = Lepton().data_partition(np.arange(10), 5)
    with pytest.raises(PartError, match="part 3 of 5: its worker process ended by signal SIGKILL"):
        Lepton(2).map(functions.dies_on_seven, parts)
    with pytest.raises(PartError, match="part 3 of 5: its worker process ended with exit code 3"):
        Lepton(2).map(functions.leaves_on_seven, parts)
    assert blocks() <= before


def test_a_function_that_cannot_be_sent_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r'lambda.*define it at the top of a module.*start="fork"'):
        Lepton(1).map(lambda part: part, [1])


def test_ctrl_c_ends_the_workers(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.lepton.functions", str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE) as parent:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2:
            assert time.monotonic() < deadline
            assert parent.poll() is None
            time.sleep(0.02)
        handles = [os.pidfd_open(int(path.name)) for path in tmp_path.iterdir()]
        parent.send_signal(signal.SIGINT)
        assert parent.wait(30) == 33
        assert parent.stderr is not None
        assert parent.stderr.read() == b""
    try:
        for handle in handles:  # nobody is there to take the signal
            with pytest.raises(ProcessLookupError):
                signal.pidfd_send_signal(handle, 0)
    finally:
        for handle in handles:
            os.close(handle)


def test_a_script_without_a_guard_is_told_and_does_not_hang(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text("from lepton_stream import Lepton\nLepton(2).map(abs, [1, 2])\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "__main__" in done.stderr.splitlines()[-1]


def test_big_arrays_travel_as_blocks_also_in_tuples_and_mappings() -> None:
    big, small = np.arange(BIG, dtype=np.uint8), np.arange(3)
    packed = pack({"a": (big, small), "b": [1]})
    assert isinstance(packed["a"][0], Shared)
    assert packed["a"][1] is small
    seen, held = unpack(packed)
    assert np.array_equal(seen["a"][0], big)
    del seen
    for block in held:
        block.close()
    assert np.array_equal(take(packed)["a"][0], big)
    discard(packed)  # gone already: nothing happens


@needs_shared_memory
def test_without_room_in_shared_memory_arrays_go_through_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    big = np.arange(BIG, dtype=np.uint8)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 3 * BIG}))
    assert pack(big) is big
