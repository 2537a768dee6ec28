"""Reading ahead: a thread opens and unpacks the next chunks while this one is counted.

Decompressors and readers of Parquet let go of the interpreter while they work, so both run at the same time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import TypeAlias

from lepton_stream.chunk import Chunk

_CHUNKS = 2
_MOST_INPUTS = 4
_LOOK_S = 0.2

_Item: TypeAlias = Chunk | BaseException | None


def pays(inputs: int) -> bool:
    """Whether there is a core for it, and so few inputs that what waits takes little memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores > 1 and inputs <= _MOST_INPUTS


def ahead(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same chunks, and in their place what reading them raised. Leaving early ends the thread."""
    waiting: Queue[_Item] = Queue(_CHUNKS)
    left = threading.Event()
    reader = threading.Thread(target=_read, args=(chunks, waiting, left), name="read ahead", daemon=True)
    reader.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
        _empty(waiting)
        reader.join()


def _read(chunks: Iterable[Chunk], waiting: Queue[_Item], left: threading.Event) -> None:
    source = iter(chunks)
    try:
        while not left.is_set():
            item = _next(source)
            _put(item, waiting, left)
            if not isinstance(item, Chunk):
                return
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


def _next(source: Iterator[Chunk]) -> _Item:
    try:
        return next(source, None)
    except BaseException as error:
        return error


def _put(item: _Item, waiting: Queue[_Item], left: threading.Event) -> None:
    while not left.is_set():
        try:
            return waiting.put(item, timeout=_LOOK_S)
        except Full:
            continue
    return None


def _empty(waiting: Queue[_Item]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except Empty:
        return
