"""How the compiled path is turned on, and what is said when it cannot be. Each case in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")
pytestmark = pytest.mark.timeout(900)  # two compile side by side, and others beside them

TELL = """
import json, logging, threading
from lepton_stream.compiled import loader, switch
said = []
loader.start(said.append).join()
state = loader.state()
print(json.dumps({"path": state.path, "reason": state.reason, "said": said, "on": switch.current() is not None}))
"""
BLOCKED = """
import sys
sys.modules["numba"] = None
sys.modules["llvmlite"] = None
"""
COUNTING = """
import os
from lepton_stream.compiled import loader
compile_ = loader._compile
def counted():
    print("compiles", flush=True)
    compile_()
loader._compile = counted
"""
WARM = [sys.executable, "-m", "lepton_stream.compiled.warm", "--quiet"]


def environment(cache: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "LEPTON_STREAM_COMPILED"}
    return {**kept, "LEPTON_STREAM_CACHE": str(cache), **more}


def told(cache: Path, before: str = "", **more: str) -> dict[str, Any]:
    """The last line of a process that turns the compiled path on; `before`: what it runs first."""
    done = subprocess.run(
        [sys.executable, "-c", before + TELL], env=environment(cache, **more), capture_output=True, check=True
    )
    *others, last = done.stdout.decode().splitlines()
    return {**json.loads(last), "others": others}


@pytest.fixture(scope="session")
def warmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this session's own, compiled by two processes at the same time."""
    cache = tmp_path_factory.mktemp("cache")
    both = [subprocess.Popen(WARM, env=environment(cache), stderr=subprocess.PIPE) for _ in range(2)]
    assert [(p.communicate(timeout=800)[1], p.returncode) for p in both] == [(b"", 0)] * 2
    return cache


def copied(warmed: Path, folder: Path) -> Path:
    """The cache at another place, to be spoilt."""
    subprocess.run(["cp", "-a", f"{warmed}/.", folder], check=True)
    return folder


def sealed(cache: Path) -> list[Path]:
    return list(cache.glob("compiled-*/ready.json"))


def test_two_that_compile_at_the_same_time_leave_one_whole_cache(warmed: Path) -> None:
    assert len(sealed(warmed)) == 1
    files = json.loads(sealed(warmed)[0].read_bytes())
    assert sum(name.endswith(".nbc") for name in files) >= 15


def test_a_warm_cache_is_loaded_without_compiling(warmed: Path) -> None:
    found = told(warmed, COUNTING)
    assert (found["path"], found["on"], found["said"], found["others"]) == ("compiled", True, [], [])


def test_off_stays_on_the_portable_path_and_says_so(warmed: Path) -> None:
    found = told(warmed, LEPTON_STREAM_COMPILED="off")
    assert (found["path"], found["on"], found["said"]) == ("portable", False, [])
    assert found["reason"] == "LEPTON_STREAM_COMPILED=off"


def test_without_numba_the_reason_names_the_extra(warmed: Path) -> None:
    found = told(warmed, BLOCKED)
    assert (found["path"], found["on"], found["said"]) == ("portable", False, [])
    assert "Numba is not installed (pip install 'lepton-stream[compiled]')" in found["reason"]
    assert told(warmed, BLOCKED, LEPTON_STREAM_COMPILED="on")["said"] == [f"portable: {found['reason']}"]


def test_a_cache_that_cannot_be_written_is_told_once_and_the_work_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "a file where the folder should be"
    place.write_bytes(b"")
    found = told(place)
    assert (found["path"], found["on"]) == ("portable", False)
    assert len(found["said"]) == 1
    assert str(place) in found["said"][0]


SLOWER = [pytest.param(damage, marks=pytest.mark.slow) for damage in ("cut", "gone", "seal")]


@pytest.mark.parametrize("damage", ["byte", *SLOWER])
def test_a_damaged_cache_is_compiled_again_and_never_loaded(warmed: Path, tmp_path: Path, damage: str) -> None:
    cache = copied(warmed, tmp_path)
    code = max(cache.rglob("*.nbc"), key=lambda path: path.stat().st_size)
    whole = code.read_bytes()
    if damage == "cut":
        code.write_bytes(whole[: len(whole) // 2])
    elif damage == "byte":
        code.write_bytes(whole[:500] + bytes([whole[500] ^ 255]) + whole[501:])
    elif damage == "gone":
        code.unlink()
    else:
        sealed(cache)[0].write_bytes(b"{")
    found = told(cache, COUNTING)
    assert (found["path"], found["on"], found["said"], found["others"]) == ("compiled", True, [], ["compiles"])
    assert told(cache, COUNTING)["others"] == []


@pytest.mark.slow
def test_a_compiler_killed_in_the_middle_leaves_a_cache_that_the_next_one_completes(tmp_path: Path) -> None:
    killed = subprocess.Popen(WARM, env=environment(tmp_path))
    while not list(tmp_path.rglob("*.nbc")):
        assert killed.poll() is None
        time.sleep(0)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert sealed(tmp_path) == []
    subprocess.run(WARM, env=environment(tmp_path), check=True)
    assert told(tmp_path, COUNTING)["others"] == []


def test_work_goes_on_while_others_compile_and_a_process_that_ends_does_not_wait(tmp_path: Path) -> None:
    leaving = """
from lepton_stream.compiled import loader, switch
loader.start()
print(loader.state().path, switch.current())
"""
    held = tmp_path / "held"
    waiting = subprocess.run(
        [sys.executable, "-c", HOLD_THE_LOCK + leaving],
        env=environment(held),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert waiting.stdout.split() == [b"compiling", b"None"], waiting.stderr.decode()


HOLD_THE_LOCK = """
import fcntl
from lepton_stream.compiled import cache
at = cache.folder()
at.mkdir(parents=True)
lock = (at / "lock").open("w")
fcntl.flock(lock, fcntl.LOCK_EX)
"""
