"""Reading ahead changes nothing but the time: order, errors in their place, no thread left behind."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.toml_front import load
from lepton_stream.runtime import ahead as module
from lepton_stream.runtime.ahead import ahead
from lepton_stream.runtime.inputs import open_inputs
from tests.runtime.events import events, plan_file


def chunk(at: int) -> Chunk:
    one = np.array([at])
    return Chunk(SourcePartition("s", 0), at, at + 1, one, Values.from_list([b"%d" % at]), one)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read ahead"]


def test_all_chunks_come_in_order() -> None:
    assert [c.start for c in ahead(chunk(i) for i in range(50))] == list(range(50))
    assert readers() == []


def test_an_error_comes_behind_the_chunks_before_it() -> None:
    def some() -> Iterator[Chunk]:
        yield from (chunk(i) for i in range(5))
        raise UsageError("damaged")

    got: list[int] = []
    with pytest.raises(UsageError, match="damaged"):
        got.extend(c.start for c in ahead(some()))
    assert readers() == []


def test_leaving_early_ends_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Iterator[Chunk]:
        try:
            at = 0
            while True:
                yield chunk(at)
                at += 1
        finally:
            closed.set()

    chunks = ahead(endless())
    assert next(chunks).start == 0
    chunks.close()
    assert closed.is_set()
    assert readers() == []


def test_no_more_than_a_few_chunks_wait() -> None:
    taken: list[int] = []
    third = threading.Event()

    def some() -> Iterator[Chunk]:
        for at in range(100):
            taken.append(at)
            if at == 3:
                third.set()
            yield chunk(at)

    chunks = ahead(some())
    next(chunks)
    assert third.wait(10)  # one is used, two wait, the reader holds one more
    assert max(taken) == 3
    chunks.close()


@pytest.mark.parametrize("pays", [False, True])
def test_a_compressed_file_that_is_cut_off_gives_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    monkeypatch.setattr(module, "pays", lambda _: pays)
    monkeypatch.setattr("lepton_stream.runtime.inputs.pays", lambda _: pays)
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(events(100_000))[:-1000])
    plan = load(plan_file(tmp_path))
    (given,) = open_inputs([str(path)], plan, 0, None)
    assert getattr(given, "read_ahead") is pays  # noqa: B009  (of file inputs only)
    parts: list[int] = []
    with pytest.raises(UsageError, match=r"damaged or cut off .* after 9\d{4} whole records"):
        parts.extend(map(len, given))
    assert sum(parts) > 90_000
    assert readers() == []
