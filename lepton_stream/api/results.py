"""The results of a pipeline on Kafka as something to loop over, with `for` and with `async for`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar, overload

import msgspec

from lepton_stream.api.apart import AsyncApart, iterate_apart, wait_apart
from lepton_stream.api.rows import Row
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.kafka.connect import Connection, from_environment

Begin: TypeAlias = Literal["start", "now"]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Results(Generic[T_co]):
    """The results in their topic, to loop over.

    First what the topic holds, each result once in its newest version; then, with `follow`, every newer version as it
    is published. Each loop reads anew, and leaving it ends the reading. `for` works in a running event loop too: the
    reading has a thread of its own. `with` (or `async with`) fixes what "now" is when the block is entered, and ends
    every loop when it is left.

    Raises UsageError if there is no such topic, or where a result does not fit `into`; BrokerError.
    """

    def __init__(self, source: _Source, make: Callable[[Row], T_co]) -> None:
        self._source, self._make = source, make
        self._bounds: Any = None
        self._open: list[Generator[T_co, None, None] | AsyncApart[T_co]] = []

    def __iter__(self) -> Iterator[T_co]:
        bounds = self._bounds
        loop = iterate_apart(lambda: self._batches(bounds))
        if bounds is not None:
            self._open.append(loop)
        return loop

    def __aiter__(self) -> AsyncIterator[T_co]:
        bounds = self._bounds
        loop = AsyncApart(lambda: self._batches(bounds))
        if bounds is not None:
            self._open.append(loop)
        return loop

    async def _batches(self, bounds: Any) -> AsyncGenerator[list[T_co], None]:
        async with aclosing(self._source.batches(bounds)) as batches:
            async for rows in batches:
                yield [self._make(row) for row in rows]

    def __enter__(self) -> Self:
        self._bounds = wait_apart(self._source.bounds)
        return self

    def __exit__(self, *_: object) -> None:
        self._bounds = None
        while self._open:
            self._open.pop().close()

    async def __aenter__(self) -> Self:
        self._bounds = await self._source.bounds()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)


class _Source:
    """Where results are read from. Kafka's client is imported when it is first needed."""

    def __init__(self, connection: Connection, topic: str, *, follow: bool, begin: Begin) -> None:
        self._connection, self._topic, self._follow, self._begin = connection, topic, follow, begin

    async def bounds(self) -> Any:
        """Where the topic begins and ends now."""
        from lepton_stream.runtime.kafka.tail import bounds_of  # noqa: PLC0415  half a second that others save

        return await bounds_of(self._connection, self._topic)

    async def batches(self, bounds: Any) -> AsyncGenerator[list[Row], None]:
        """Rows as they come; `bounds` None: those of now."""
        from lepton_stream.runtime.kafka.published import published  # noqa: PLC0415  the same

        bounds = bounds or await self.bounds()
        starts = bounds.from_start() if self._begin == "start" else bounds.from_last(0)
        async with aclosing(published(self._connection, starts, bounds.ends, follow=self._follow)) as batches:
            async for rows in batches:
                yield rows


@overload
def results(plan: Plan, broker: str | Connection, *, follow: bool = False, begin: Begin = "start") -> Results[Row]: ...


@overload
def results(
    plan: Plan, broker: str | Connection, *, follow: bool = False, begin: Begin = "start", into: type[T]
) -> Results[T]: ...


def results(
    plan: Plan,
    broker: str | Connection,
    *,
    follow: bool = False,
    begin: Begin = "start",
    into: type[T] | None = None,
) -> Results[Any]:
    """The published results of a frozen plan, such as `load("iot/air_quality")`.

    `follow`: go on with what is published later, until the loop is left. `begin`: "start" of what the topic holds, or
    "now". `into`: a dataclass, TypedDict or msgspec.Struct that each result becomes; columns it does not name are left
    out. Raises UsageError for a combination that would never give anything.
    """
    if begin not in ("start", "now"):
        raise UsageError(f'results: begin is {begin!r}: expects "start" or "now"')
    if begin == "now" and not follow:
        raise UsageError('results: begin="now" holds nothing by itself: add follow=True')
    connection = broker if isinstance(broker, Connection) else from_environment(os.environ, bootstrap=broker)
    make = _as_it_is if into is None else _maker(into)
    return Results(_Source(connection, names(plan).results, follow=follow, begin=begin), make)


def _as_it_is(row: Row) -> Row:
    return row


def _maker(kind: type[T]) -> Callable[[Row], T]:
    def make(row: Row) -> T:
        try:
            return msgspec.convert(row, kind)
        except msgspec.ValidationError as error:
            wish = f"a result of window {row['window']!r} does not fit: {error}"
            raise UsageError(f"into={kind.__name__}: {wish}") from None

    return make
