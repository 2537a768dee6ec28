"""An asynchronous generator in a plain loop: in order, with its errors, and nothing left when the loop is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from lepton_stream.api.apart import AHEAD, AsyncApart, iterate_apart, wait_apart


class Numbers:
    """Counts up; knows how far it has come and whether it was closed."""

    def __init__(self, end: int | None, error: Exception | None = None) -> None:
        self._end, self._error = end, error
        self.given = 0
        self.closed = False

    async def __call__(self) -> AsyncGenerator[list[int], None]:
        try:
            while self._end is None or self.given < self._end:
                await asyncio.sleep(0)
                self.given += 1
                yield [self.given - 1]
            if self._error:
                raise self._error
        finally:
            await asyncio.sleep(0.01)
            self.closed = True


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("lepton-stream")]


def test_all_come_in_order_and_the_thread_ends() -> None:
    numbers = Numbers(1000)
    assert list(iterate_apart(numbers)) == list(range(1000))
    assert numbers.closed
    assert threads() == []


def test_leaving_the_loop_closes_the_generator_and_ends_the_thread() -> None:
    numbers = Numbers(None)
    for number in iterate_apart(numbers):
        if number == 5:
            break
    assert numbers.closed
    assert threads() == []
    assert numbers.given <= 6 + AHEAD + 2  # the reader sets the pace


def test_an_error_in_the_loop_closes_the_generator_too() -> None:
    numbers = Numbers(None)
    with pytest.raises(ZeroDivisionError):
        [1 // (number - 3) for number in iterate_apart(numbers)]
    assert numbers.closed
    assert threads() == []


def test_an_error_of_the_generator_comes_after_what_it_gave() -> None:
    got: list[int] = []
    with pytest.raises(KeyError, match="planted"):
        got.extend(iterate_apart(Numbers(3, KeyError("planted"))))
    assert threads() == []


def test_it_works_where_a_loop_is_running() -> None:
    async def main() -> tuple[list[int], int]:
        async def five() -> int:
            return 5

        return list(iterate_apart(Numbers(10))), wait_apart(five)

    assert asyncio.run(main()) == (list(range(10)), 5)


def test_the_asynchronous_loop_gives_all_in_order_and_ends_for_good() -> None:
    async def main() -> list[int]:
        loop = AsyncApart(Numbers(1000))
        found = [n async for n in loop]
        assert [n async for n in loop] == []
        return found

    assert asyncio.run(main()) == list(range(1000))
    assert threads() == []


def test_an_error_comes_to_the_asynchronous_loop_after_what_was_given() -> None:
    got: list[int] = []

    async def main() -> None:
        loop = AsyncApart(Numbers(3, KeyError("planted")))
        while True:
            got.append(await anext(loop))

    with pytest.raises(KeyError, match="planted"):
        asyncio.run(main())
    assert got == [0, 1, 2]


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_break_closes_the_source_though_the_program_ends_right_then(turns: int) -> None:
    numbers = Numbers(None)

    async def main() -> None:
        async for n in AsyncApart(numbers):
            if n == 5:
                break
        for _ in range(turns):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert numbers.closed
    assert threads() == []


def test_a_cancelled_reader_leaves_nothing() -> None:
    numbers = Numbers(None)

    async def read() -> None:
        async for _ in AsyncApart(numbers):
            pass

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.05)
        while not numbers.closed:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert threads() == []
