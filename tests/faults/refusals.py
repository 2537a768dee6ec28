"""A proxy that knows Kafka's protocol and answers chosen requests with an error code of the broker.

It reads the frames of https://kafka.apache.org/protocol.html with aiokafka's own schemas, in the versions that workers
use. Answers keep the order of their requests, as a broker's do.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter, deque
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

from aiokafka.protocol.api import RequestHeader_v1, RequestStruct
from aiokafka.protocol.types import Array, Schema, String

from lepton_stream.runtime.kafka import protocol
from tests.faults.proxy import Ends, Proxy

PRODUCE, FETCH, COMMIT, HEARTBEAT = 0, 1, 8, 12
_SIZE = 4
assert protocol.OffsetCommitRequest_v7.API_KEY == COMMIT  # imported, so that it is among the known requests


@dataclass(slots=True)
class Wish:
    """`code` for so many more requests. `after`: the broker does as asked, and only its answer is put into another's
    words; else it never hears of the request."""

    code: int
    times: int
    after: bool


@dataclass(slots=True)
class _Asked:
    """A request whose answer is due. `answer`: ours, if the broker was not asked; `code`: what its answer is to say."""

    request: type[RequestStruct] | None
    answer: bytes | None = None
    code: int = 0


_Line: TypeAlias = deque[_Asked]
"""The requests of a connection, oldest first."""


class RefusingProxy(Proxy):
    """A proxy; `refuse` from any thread."""

    def __init__(self, port: int, target: int) -> None:
        self._wishes: dict[int, Wish] = {}
        self.told: Counter[tuple[int, int]] = Counter()
        """How often each (kind of request, code) was told."""
        super().__init__(port, target)

    def refuse(self, kind: int, code: int, times: int, *, after: bool = False) -> None:
        """The next so many requests of this kind (an API key) are answered with the code, one wish a kind."""
        self._wishes[kind] = Wish(code, times, after)

    def _ways(self, client: Ends, broker: Ends) -> Iterable[Coroutine[Any, Any, None]]:
        line: _Line = deque()
        return self._requests(line, client, broker), self._answers(line, client, broker)

    async def _requests(self, line: _Line, client: Ends, broker: Ends) -> None:
        async for frame in _frames(client.reader):
            asked = self._look(frame)
            line.append(asked)
            if asked.answer is None:
                broker.writer.write(_framed(frame))
                await broker.writer.drain()
            else:
                _answer_ours(line, client.writer)

    async def _answers(self, line: _Line, client: Ends, broker: Ends) -> None:
        async for frame in _frames(broker.reader):
            asked = line.popleft()
            self.passed += len(frame)
            client.writer.write(_framed(_reworded(asked, frame) if asked.code else frame))
            _answer_ours(line, client.writer)
            await client.writer.drain()

    def _look(self, frame: bytes) -> _Asked:
        kind, version = struct.unpack_from(">hh", frame)
        request, wish = KNOWN.get((kind, version)), self._wishes.get(kind)
        if wish is None or wish.times == 0:
            return _Asked(request)
        assert request is not None, f"no schema of request {kind} version {version}"
        assert not request.FLEXIBLE_VERSION, f"request {kind} version {version} has another header"
        wish.times -= 1
        self.told[kind, wish.code] += 1
        if wish.after:
            return _Asked(request, code=wish.code)
        data = BytesIO(frame)
        correlation = RequestHeader_v1.SCHEMA.decode(data)[2]
        refused = _refusal(request, request.SCHEMA.decode(data), wish.code)
        return _Asked(request, answer=struct.pack(">i", correlation) + refused)


def _known() -> Iterator[tuple[tuple[int, int], type[RequestStruct]]]:
    waiting: list[type[RequestStruct]] = [RequestStruct]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one is not RequestStruct:
            yield (one.API_KEY, one.API_VERSION), one


KNOWN = dict(_known())


async def _frames(reader: asyncio.StreamReader) -> Any:
    try:
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(_SIZE))
            yield await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return


def _framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


def _answer_ours(line: _Line, client: asyncio.StreamWriter) -> None:
    """Ours whose turn has come."""
    while line and (answer := line[0].answer) is not None:
        line.popleft()
        client.write(_framed(answer))


def _refusal(request: type[RequestStruct], values: tuple[Any, ...], code: int) -> bytes:
    """The answer of a broker that has done nothing: the code for each partition asked for, or for the whole."""
    asked, schema = dict(zip(request.SCHEMA.names, values, strict=True)), request.RESPONSE_TYPE.SCHEMA
    return bytes(schema.encode([_refused(name, kind, asked, code) for name, kind in _fields(schema)]))


def _refused(name: str, kind: Any, asked: dict[str, Any], code: int) -> Any:
    if name == "topics":
        ((_, _), (_, partitions)) = _fields(kind.array_of)
        unknown = [-1] * (len(partitions.array_of.fields) - 2)
        return [(topic, [(one[0], code, *unknown) for one in ones]) for topic, ones in asked["topics"]]
    if name == "error_code":
        return code
    if isinstance(kind, String):
        return ""
    return 0 if name == "throttle_time_ms" else -1


def _reworded(asked: _Asked, frame: bytes) -> bytes:
    """The broker's answer with the code wherever it has one."""
    assert asked.request is not None
    schema, data = asked.request.RESPONSE_TYPE.SCHEMA, BytesIO(frame)
    correlation = data.read(_SIZE)
    return correlation + bytes(schema.encode(_with_code(schema, schema.decode(data), asked.code)))


def _with_code(kind: Any, value: Any, code: int) -> Any:
    if isinstance(kind, Array):
        return None if value is None else [_with_code(kind.array_of, one, code) for one in value]
    if not isinstance(kind, Schema):
        return value
    fields = zip(_fields(kind), value, strict=True)
    return tuple(code if name == "error_code" else _with_code(of, one, code) for (name, of), one in fields)


def _fields(schema: Any) -> list[tuple[str, Any]]:
    return list(zip(schema.names, schema.fields, strict=True))
