"""A function on every part, in worker processes that end with the call, whatever ends it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, Literal, TypeAlias, TypeVar

from lepton_stream import clock
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.lepton.progress import Waiting
from lepton_stream.lepton.shared import discard, pack, take
from lepton_stream.lepton.worker import Failed, failed, serve

Start: TypeAlias = Literal["spawn", "fork", "forkserver"]
T = TypeVar("T")

LOOK_SECONDS = 0.25
END_SECONDS = 5.0
_GUARD = 'a script that starts processes does so below `if __name__ == "__main__":`'


class PartError(LeptonError):
    """A part could not be worked on. `part`: its place, from 0; the function's own error is the `__cause__`."""

    def __init__(self, message: str, part: int) -> None:
        super().__init__(message)
        self.part = part


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    part: int = -1
    sent: Any = None


def run_here(function: Callable[[Any], T], parts: Sequence[Any]) -> list[T]:
    """In this process, one after the other. Raises PartError."""
    done: list[T] = []
    with Waiting(len(parts), clock.elapsed_s()) as waiting:
        for place, part in enumerate(parts):
            try:
                done.append(function(part))
            except Exception as error:
                raise _part_error(place, len(parts), failed(error)) from error
            waiting.show(len(done), clock.elapsed_s())
    return done


def run_in_processes(function: Callable[[Any], T], parts: Sequence[Any], count: int, start: Start) -> list[T]:
    """In up to `count` processes; results in the order of the parts. Raises PartError, UsageError."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker that imports the program
        raise UsageError(f"Lepton().map: {_GUARD}")
    if start != "fork":
        _refuse_unpicklable(function)
    pool = _Pool(function, parts, start)
    try:
        pool.start(min(count, len(parts)))
        return pool.run()
    finally:
        pool.end()


def _refuse_unpicklable(function: object) -> None:
    try:
        ForkingPickler.dumps(function)
    except Exception as error:
        name = getattr(function, "__qualname__", function)
        raise UsageError(
            f"{name!r} cannot go to worker processes ({error}): define it at the top of a module; or take "
            'Lepton(start="fork"), where the system has it; or Lepton(workers=0), which works in this process'
        ) from None


class _Pool:
    """Each worker holds one part at a time, so that few are in shared memory at once."""

    def __init__(self, function: Callable[[Any], Any], parts: Sequence[Any], start: Start) -> None:
        self._function, self._parts = function, parts
        self._context: Any = multiprocessing.get_context(start)
        self._workers: list[_Worker] = []
        self._next = 0
        self._done: dict[int, Any] = {}

    def start(self, count: int) -> None:
        resource_tracker.ensure_running()  # one for all: a forked child would start its own
        for _ in range(count):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=serve, args=(theirs, self._function), daemon=True)
            self._workers.append(_Worker(process, ours))
            process.start()
            theirs.close()

    def run(self) -> list[Any]:
        with Waiting(len(self._parts), clock.elapsed_s()) as waiting:
            for worker in self._workers:
                self._give(worker)
            while len(self._done) < len(self._parts):
                self._take_what_came()
                waiting.show(len(self._done), clock.elapsed_s())
        return [self._done[place] for place in range(len(self._parts))]

    def _take_what_came(self) -> None:
        busy = [w for w in self._workers if w.part >= 0]
        ready = wait([*(w.pipe for w in busy), *(w.process.sentinel for w in busy)], LOOK_SECONDS)
        for worker in busy:
            if worker.pipe in ready:
                self._take(worker)
            elif worker.process.sentinel in ready:
                raise self._died(worker)

    def _give(self, worker: _Worker) -> None:
        if self._next == len(self._parts):
            worker.part = -1
            return
        worker.part, self._next = self._next, self._next + 1
        worker.sent = pack(self._parts[worker.part])
        try:
            worker.pipe.send(worker.sent)
        except OSError:
            raise self._died(worker) from None
        except Exception as error:
            problem = failed(error)
            raise _part_error(worker.part, len(self._parts), problem) from error

    def _take(self, worker: _Worker) -> None:
        try:
            result = worker.pipe.recv()
        except (EOFError, OSError):
            raise self._died(worker) from None
        discard(worker.sent)
        if isinstance(result, Failed):
            raise _part_error(worker.part, len(self._parts), result) from result.error
        self._done[worker.part] = take(result)
        self._give(worker)

    def _died(self, worker: _Worker) -> PartError:
        worker.process.join(END_SECONDS)
        code = worker.process.exitcode
        how = f"by signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
        hint = "; out of memory, perhaps" if code == -signal.SIGKILL else ""
        if code == 1 and not self._done:
            hint = f"; it has told why above; {_GUARD}"
        place = f"part {worker.part} of {len(self._parts)}"
        return PartError(f"{place}: its worker process ended {how}{hint}", worker.part)

    def end(self) -> None:
        """No process and no block of ours is left."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.process.pid is not None:
                worker.process.terminate()
        for worker in self._workers:
            if worker.process.pid is not None:
                worker.process.join(END_SECONDS)
                if worker.process.is_alive():
                    worker.process.kill()
                    worker.process.join()
            worker.process.close()
            discard(worker.sent)


def _part_error(place: int, total: int, problem: Failed) -> PartError:
    error = PartError(f"part {place} of {total}: {problem.told}", place)
    error.add_note(f"In the worker:\n{problem.trace}")
    return error
