"""A stream of any length out of one workload, and a run over it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from lepton_stream.bench.long import Sample, long, parts_of
from lepton_stream.bench.moved import MOST_COPIES, Moved
from lepton_stream.bench.report import long_lines
from lepton_stream.bench.shape import Shape
from lepton_stream.bench.stock import prepared

SHAPE = Shape(2000, keys=10)


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workloads")


def events(data: bytes) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in data.splitlines()]


def test_copies_repeat_within_and_never_across(kept: Path) -> None:
    data = prepared(SHAPE, quiet, kept).path.read_bytes()
    copies = [events(copy.tobytes()) for copy in Moved(data, SHAPE).copies(3)]
    ids = [{event["event_id"] for event in copy} for copy in copies]
    assert len(ids[0]) == len(ids[1]) == len(ids[2]) < SHAPE.records
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_copies_are_later_and_else_the_same(kept: Path) -> None:
    data = prepared(SHAPE, quiet, kept).path.read_bytes()
    for k, copy in enumerate(Moved(data, SHAPE).copies(3)):
        for before, after in zip(events(data), events(copy.tobytes()), strict=True):
            assert after.pop("ts") == pytest.approx(before.pop("ts") + 2 * k)  # type: ignore[operator]
            assert str(after.pop("event_id"))[2:] == str(before.pop("event_id"))[2:]
            assert after == before


def test_more_copies_than_ids_can_tell_apart_are_refused(kept: Path) -> None:
    data = prepared(SHAPE, quiet, kept).path.read_bytes()
    with pytest.raises(ValueError, match="256 copies"):
        next(Moved(data, SHAPE).copies(MOST_COPIES + 1))
    with pytest.raises(ValueError, match="whole seconds"):
        Moved(data, SHAPE.of(records=1999))


def test_a_run_over_copies_is_exact(kept: Path) -> None:
    told = long(5 * SHAPE.records, quiet, SHAPE, kept)
    assert told["shape"]["events"] == 10_000
    assert sum(part["events"] for part in told["parts"]) == 10_000
    assert all(part["resident_mb"] > 0 for part in told["parts"])


def test_parts_leave_start_up_out() -> None:
    samples = [Sample(k * 10, 0.0 if k == 0 else 5.0 + k, float(k), 1 << 20) for k in range(22)]
    first, *rest = parts_of(samples)
    assert first["cpu_seconds_per_million"] == pytest.approx(6.0 / 10 * 1e6)
    assert len(rest) == 10
    assert [part["cpu_seconds_per_million"] for part in rest] == [pytest.approx(1.0 / 10 * 1e6)] * 10
    shape = {"events": 210, "event_bytes": 126.0, "keys": 10, "windows": 1, "bad": 0.0, "seed": 1, "route": "partials"}
    assert "1.00 times the CPU seconds" in "\n".join(
        long_lines({"shape": {**shape, "form": "p"}, "parts": [first, *rest]})
    )
