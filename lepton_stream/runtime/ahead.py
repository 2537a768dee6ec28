"""Reading ahead: a thread has the next chunks ready while this one is counted.

Decompressors, readers of Parquet and compiled code let go of the interpreter while they work, so both run at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Any, TypeAlias, TypeVar

_CHUNKS = 2
_MOST_INPUTS = 4
_LOOK_S = 0.2

T = TypeVar("T")
_Item: TypeAlias = Any | BaseException | None


def pays(inputs: int) -> bool:
    """Whether there is a core for it, and so few inputs that what waits takes little memory."""
    return cores() > 1 and inputs <= _MOST_INPUTS


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ahead(chunks: Iterable[T]) -> Generator[T]:
    """The same chunks (or what is made of them), and in their place what was raised. Leaving early ends the thread."""
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


def _read(chunks: Iterable[Any], waiting: Queue[_Item], left: threading.Event) -> None:
    source = iter(chunks)
    try:
        while not left.is_set():
            item = _next(source)
            _put(item, waiting, left)
            if item is None or isinstance(item, BaseException):
                return
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


def _next(source: Iterator[Any]) -> _Item:
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
