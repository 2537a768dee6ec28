"""What each step takes of the loop's thread, by a few readings of its CPU clock a step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lepton_stream import clock
from lepton_stream.autopilot.seen import PrepareSeen
from lepton_stream.core import Prepared
from lepton_stream.core.job import Lap
from lepton_stream.runtime.kafka.batches import HEADER
from lepton_stream.runtime.kafka.codecs import Codec
from lepton_stream.runtime.kafka.compress import Compressing
from lepton_stream.runtime.kafka.metered import Metered

T = TypeVar("T")
OTHER = "other"
"""The stage of all that the loop's thread does between the steps: requests, merging, checkpoints, results."""
IS_COMMON = {"group": True, "aggregate": False, "encode": False}
"""Laps of a step at which its CPU clock is read: whether the time before them is the same for any route."""


class LoopCpu:
    """Tells for each step of a source what the loop did besides the work that is told: claim, commit, requests, tasks.

    Steps of several sources go on at the same time, and share tasks and requests. So what is told of by nobody goes to
    the step that ends next: a single one may get another's, all together get what they took.
    """

    def __init__(self, read: Callable[[], float] = clock.thread_cpu_s) -> None:
        """`read`: CPU seconds of the loop's thread so far."""
        self.read = read
        self._under_way = 0
        self._last = self._told = 0.0

    def begin(self) -> None:
        """A step begins. What the loop did while none was under way goes nowhere."""
        if not self._under_way:
            self._last, self._told = self.read(), 0.0
        self._under_way += 1

    def told(self, cpu_s: float) -> None:
        """So much of it is known to be something else."""
        self._told += cpu_s

    def end(self) -> float:
        """A step ends: the seconds that nobody has told of."""
        self._under_way -= 1
        now = self.read()
        rest, self._last, self._told = now - self._last - self._told, now, 0.0
        return max(rest, 0.0)

    def apart(self, work: Awaitable[T]) -> Metered[T]:
        """Await it for what `work` gives; what it does itself between its waits is told."""
        return Metered(work, lambda cpu_s, _wall_s: self.told(cpu_s), self.read)


class Packer:
    """Compresses, and counts what that took and came to. `sent_bytes`: of whole batches."""

    def __init__(self, loop: LoopCpu, compression: Compressing) -> None:
        self._loop, self._compression = loop, compression
        self.cpu_s, self.sent_bytes = 0.0, 0

    def compress(self, body: bytes) -> tuple[Codec, bytes]:
        """As the compression does."""
        began = self._loop.read()
        codec, packed = self._compression.compress(body)
        took = self._loop.read() - began
        self._loop.told(took)
        self.cpu_s += took
        self.sent_bytes += HEADER.size + len(packed)
        return codec, packed


class SourceSteps:
    """Measures the steps of the owner of one source partition; its port and its job tell where they are."""

    def __init__(self, loop: LoopCpu, lap: Lap, note: Callable[[PrepareSeen], None]) -> None:
        """`lap`: who else times the stages. `note` is handed what was seen of each step that claimed a range."""
        self._loop, self._pass_on, self._note = loop, lap, note
        self._last: float | None = None
        self._common_s = self._route_s = 0.0
        self._prepared: Prepared | None = None
        self._packer: Packer | None = None
        self._frame_bytes = 0

    @contextmanager
    def step(self, records: int, waited_s: float) -> Iterator[None]:
        """Around all that is done for so many records; their first had waited so long."""
        self._last = self._prepared = self._packer = None
        self._pass_on(OTHER)  # a range that was claimed before us is not claimed again
        self._loop.begin()
        rest = 0.0
        try:
            yield
        finally:
            rest = self._loop.end()
        self._tell(records, waited_s, rest)

    def _tell(self, records: int, waited_s: float, rest: float) -> None:
        if self._prepared is None or self._packer is None:
            return
        self._note(
            PrepareSeen(
                records=records,
                sections=self._prepared.seen,
                common_cpu_s=self._common_s,
                route_cpu_s=self._route_s,
                compress_cpu_s=self._packer.cpu_s,
                flush_cpu_s=rest,
                frame_bytes=self._frame_bytes,
                sent_bytes=self._packer.sent_bytes,
                waited_s=waited_s,
            )
        )

    def claimed(self) -> float:
        """The range is claimed, and prepared without a wait from here on; the CPU clock now."""
        self._pass_on(OTHER)
        self._last = now = self._loop.read()
        self._common_s = self._route_s = 0.0
        return now

    def lap(self, stage: str) -> None:
        """A stage is done."""
        self._pass_on(stage)
        common = IS_COMMON.get(stage)
        if common is None or self._last is None:
            return
        now = self._loop.read()
        if common:
            self._common_s += now - self._last
        else:
            self._route_s += now - self._last
        self._last = now

    def prepared(self, prepared: Prepared, now: float) -> None:
        """All is ready to be sent. `now`: the CPU clock; what came after the last lap is the same for any route."""
        if self._last is not None:  # else a range that an owner before us had claimed: it is no step of its own
            self._common_s += now - self._last
            self._loop.told(self._common_s + self._route_s)
            self._prepared = prepared

    def packing(self, frame_bytes: int, compression: Compressing) -> Packer:
        """What compresses frames of so many bytes in all."""
        self._packer, self._frame_bytes = Packer(self._loop, compression), frame_bytes
        return self._packer
