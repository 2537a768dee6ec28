"""Work that mostly has nothing to wait for is done at once: a task for each chunk would cost more than the work."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def begun(work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, None] | None:
    """Do it up to its first wait; what is left of it, None if that was all. Raises what it raises.

    Up to there it runs in the task of who calls: it must not care for its task, as `asyncio.timeout` does.
    """
    try:
        waits = work.send(None)
    except StopIteration:
        return None
    return _rest(work, waits)


async def _rest(work: Coroutine[Any, Any, Any], waits: Any) -> None:
    try:
        await _go_on(work, waits)
    finally:
        work.close()


@types.coroutine
def _go_on(work: Coroutine[Any, Any, Any], waits: Any) -> Generator[Any, Any, None]:
    go_on: Callable[[Any], Any]
    given: Any
    while True:
        try:
            value = yield waits
        except GeneratorExit:  # nobody goes on with it
            raise
        except BaseException as error:  # the work's own matter, being cancelled, too
            go_on, given = work.throw, error
        else:
            go_on, given = work.send, value
        try:
            waits = go_on(given)
        except StopIteration:
            return
