"""State and frames that version 1 wrote are read by this build, and this build writes the same bytes."""

from __future__ import annotations

import pytest

from lepton_stream import core
from lepton_stream.core import Route
from lepton_stream.errors import IntegrityError
from lepton_stream.protocol.metadata import Claim, claim_of, pointer_of
from lepton_stream.protocol.outputs import records_of
from lepton_stream.protocol.parts import chain
from lepton_stream.shuffle.frame import decode
from tests.golden.make import FOLDER, empty, job, written

KEPT = {path.name: path.read_bytes() for path in sorted((FOLDER / "v1").iterdir())}
TOLD = "version 1 is out there: give what you changed a new version number, and keep reading the old one"


def test_this_build_writes_what_version_1_wrote(path: str) -> None:
    """The compiled path lists the cells of partials in another order, which no fold can see."""
    now = written()
    assert now.keys() == KEPT.keys()
    same = {name for name in KEPT if path == "portable" or not name.startswith(("partials", "checkpoint"))}
    assert [name for name in sorted(same) if now[name] != KEPT[name]] == [], TOLD
    assert len(same) >= 9


def final_results(kept: list[bytes], route: Route) -> bytes:
    """Of the stored frames, folded by this build on top of the stored checkpoint."""
    state = empty()
    for name in ("checkpoint.1.0.part", "checkpoint.3.0.part"):
        (stored,) = chain([(0, KEPT[name])], 0, 0, "state partition 0")
        core.apply(job(), state, stored.delta)
    assert state.number == 2
    assert state.account[0].read == 400
    for frame in kept:
        core.fold(job(route), state, decode(frame))
    assert state.progress[0].next == 600
    done = core.durable_checkpoint(job(), state, None)
    return b"".join(b"%s %s\n" % (record.key, record.value) for record in records_of(done.results))


def test_a_service_goes_on_from_what_version_1_has_left() -> None:
    """A rolling upgrade: the old build's checkpoint, then its frames, rows of one worker, partials of another."""
    rows, partials = ([KEPT[f"{route}.{n}.frame"] for n in range(6)] for route in ("rows", "partials"))
    told = final_results([*rows[4:5], *partials[5:]], "rows")
    assert told == final_results(partials, "partials")
    assert b'"window":"all_of_them"' in told
    assert b'"final":true' in told


def test_results_stored_with_a_checkpoint_are_published_again_as_they_were() -> None:
    lines = []
    for name in ("checkpoint.1.0.part", "checkpoint.3.0.part"):
        (stored,) = chain([(0, KEPT[name])], 0, 0, "state partition 0")
        lines += [b"%s %s\n" % (record.key, record.value) for record in stored.outputs]
    assert b"".join(lines) == KEPT["results"]


def test_commits_of_version_1_are_read() -> None:
    claim, pointer = claim_of(KEPT["claim"].decode(), "here"), pointer_of(KEPT["pointer"].decode(), "here")
    assert claim == Claim(job().plan_hash, 70, 5, 6, 900, "run", since=3, era=2)
    assert (pointer.first, pointer.last, pointer.base, pointer.number, pointer.upto) == (11, 13, 7, 4, 600)


@pytest.mark.parametrize("name", ["partials.0.frame", "checkpoint.1.0.part"])
def test_a_version_that_this_build_does_not_know_is_refused(name: str) -> None:
    newer = bytearray(KEPT[name])
    newer[2] += 1
    with pytest.raises(IntegrityError, match="version 2"):
        chain([(0, bytes(newer))], 0, 0, "here") if "part" in name.rsplit(".", maxsplit=1)[-1] else decode(bytes(newer))
