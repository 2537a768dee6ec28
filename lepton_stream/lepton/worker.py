"""One worker process: takes parts from its pipe, one at a time, and gives back what the function makes of them."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from lepton_stream.lepton.shared import discard, pack, unpack


@dataclass(frozen=True, slots=True)
class Failed:
    """What the function raised: the error itself where it can travel, its traceback as text."""

    error: Exception | None
    told: str
    trace: str


def serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Until the pipe or the parent is gone. Ctrl-C is the parent's business: it ends us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None
    while pipe in wait([pipe, parent.sentinel]):
        try:
            part = pipe.recv()
        except EOFError:
            return
        _send(pipe, _result(function, part))


def _result(function: Callable[[Any], Any], packed: Any) -> Any:
    blocks: list[Any] = []
    try:
        part, blocks = unpack(packed)
        return pack(function(part))
    except Exception as error:
        return failed(error)
    finally:
        part = None
        for block in blocks:
            with suppress(BufferError):  # the function has kept a view: it lives as long as we do
                block.close()


def _send(pipe: Connection, result: Any) -> None:
    try:
        pipe.send(result)
    except OSError:
        discard(result)
    except Exception as error:  # what the function gave cannot be pickled
        discard(result)
        pipe.send(failed(error))


def failed(error: Exception) -> Failed:
    """The error, with its text for where it cannot travel."""
    told = f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        return Failed(None, told, trace)
    return Failed(error, told, trace)
