"""A measured program with all its processes: a session of its own, held to one core."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lepton_stream import clock
from tests.bench.peers.timeline import Sample

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
ENDING_S = 15.0


class Session:
    """Started at once; `began` is when, in seconds since 1970."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], folder: Path, core: int, log: str = "log"
    ) -> None:
        self.log = folder / log
        self.began = now_s()
        with self.log.open("wb") as out, held(core):
            self.process = subprocess.Popen(
                command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    def sample(self) -> Sample:
        """CPU seconds so far (user and system, those of its ended children too) and resident bytes, all processes."""
        ticks = pages = 0
        for entry in _processes():
            if int(entry[3]) == self.process.pid:
                ticks += sum(int(word) for word in entry[11:15])
                pages += int(entry[21])
        return Sample(now_s(), ticks / TICKS, pages * PAGE)

    def pids(self) -> list[int]:
        """Its processes that still run."""
        found = []
        for pid in _running():
            with contextlib.suppress(OSError):
                if os.getsid(pid) == self.process.pid:
                    found.append(pid)
        return found

    def received(self, port: int) -> int:
        """Bytes that it received over its connections to this port."""
        command = ["ss", "-tinpH", "dport", "=", f":{port}"]
        said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        return received_of(said, self.pids())

    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.process.poll()

    def end(self) -> None:
        """Ask as Ctrl-C does, then harder; nothing of it is left afterwards."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():  # only what this session started
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            deadline = time.monotonic() + ENDING_S
            while self.pids() and time.monotonic() < deadline:
                self.process.poll()  # collected: a dead one would stay in its session
                time.sleep(0.02)
            if not self.pids():
                break
        self.process.wait()


@contextlib.contextmanager
def held(core: int) -> Iterator[None]:
    """What is started inside runs on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def received_of(said: str, pids: Sequence[int]) -> int:
    """Sum of `bytes_received` over the sockets of these processes, from what `ss -tinp` says: two lines a socket."""
    total, ours = 0, False
    for line in said.splitlines():
        if not line.startswith((" ", "\t")):
            ours = any(f"pid={pid}," in line for pid in pids)
        elif ours and "bytes_received:" in line:
            total += int(line.split("bytes_received:")[1].split()[0])
    return total


def now_s() -> float:
    """Seconds since 1970, as the broker stamps records."""
    return clock.now_us() / 1e6


def core_busy_s(core: int) -> float:
    """Seconds for which a core has worked for anybody since the machine started."""
    lines = Path("/proc/stat").read_text().splitlines()
    words = next(line.split() for line in lines if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, words[1:9])
    return (user + nice + system + interrupts + soft + stolen) / TICKS


def _processes() -> list[list[str]]:
    """The fields of /proc/PID/stat behind the name, of every process: state first, so field N is entry N - 3."""
    found = []
    for pid in _running():
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split())
    return found


def _running() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
