"""Pseudonyms of columns: those of RFC 4231 and of a second implementation, each different text hashed once."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.cleaning.pseudonyms import Pseudonyms
from lepton_stream.columns import to_list
from lepton_stream.core import Job, SourceState, prepare
from lepton_stream.core.prepare import clean_ahead
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.shuffle.frame import encode

SECRET = bytes(range(1, 33))
PLAN = (
    Pipeline("people")
    .source("people.v1", time="t", key="who", id=["who", "t"])
    .field("who", str, pseudonym=True)
    .field("doctor", str, required=False, pseudonym=True)
    .window("w", size="1h", group_by=["who"], n="count()", most="top(doctor, 2)")
    .plan
)
NAMES = ["Ada", "", "Zoë 😀", "x" * 300, "Ada "]


def by_definition(secret: bytes, text: bytes) -> str:
    """HMAC as RFC 2104 writes it down, for secrets of at most 64 bytes; the first half of its digits."""
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + text).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()[:32]


def test_pseudonyms_are_those_of_the_standard() -> None:
    """RFC 4231, cases 1 and 2."""
    assert Pseudonyms(b"\x0b" * 20).of(b"Hi There") == b"b0344c61d8db38535ca8afceaf0bf12b"
    assert Pseudonyms(b"Jefe").of(b"what do ya want for nothing?") == b"5bdcc146bf60754e6a042426089575c7"


def job(secret: bytes = SECRET, fingerprints: bytes = bytes(16)) -> Job:
    return Job(PLAN, JsonDecoder(PLAN.source, PLAN.fields), fingerprints, pseudonyms=secret)


def chunk(names: list[str], doctors: list[str | None]) -> Chunk:
    records = [
        b'{"t": %d, "who": "%b", "doctor": %b}'
        % (60 + i, who.encode(), b"null" if doctor is None else b'"%b"' % doctor.encode())
        for i, (who, doctor) in enumerate(zip(names, doctors, strict=True))
    ]
    offsets, now = np.arange(len(records)), np.full(len(records), 10**15)
    return Chunk(SourcePartition("people.v1", 0), 0, len(records), offsets, Values.from_list(records), now)


@pytest.mark.usefixtures("path")
def test_every_row_has_the_pseudonym_of_its_text_and_missing_ones_stay_missing() -> None:
    names, doctors = NAMES * 3, [None, "Dr. Who", "Ada", None, ""] * 3
    found = clean_ahead(job(), chunk(names, doctors)).decoded.columns
    assert to_list(found["who"]) == [by_definition(SECRET, name.encode()) for name in names]
    assert to_list(found["doctor"]) == [d if d is None else by_definition(SECRET, d.encode()) for d in doctors]


def test_each_different_text_of_a_chunk_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    of = Pseudonyms.of
    monkeypatch.setattr(Pseudonyms, "of", lambda self, text: hashed.append(text) or of(self, text))  # type: ignore[func-returns-value]
    clean_ahead(job(), chunk(NAMES * 100, ["Dr. Who"] * 500))
    assert sorted(hashed) == sorted([*(name.encode() for name in NAMES), b"Dr. Who"])


def test_frames_hold_no_name() -> None:
    made = job()
    (frame,) = prepare(made, SourceState(made), chunk(["Adalbert", "Bartholomew"], ["Dr. Nightingale"] * 2)).frames
    data = encode(frame)
    assert by_definition(SECRET, b"Adalbert").encode() in data
    assert not any(name in data for name in (b"Adalbert", b"Bartholomew", b"Nightingale"))


def test_the_hash_of_a_job_tells_which_secret_it_has_and_nothing_else() -> None:
    other = bytes(range(2, 34))
    assert job().plan_hash == job(fingerprints=b"another set of " + b"x").plan_hash
    assert job().plan_hash.split("-")[0] == job(other).plan_hash.split("-")[0]
    assert job().plan_hash != job(other).plan_hash
    assert SECRET.hex() not in job().plan_hash
    assert "secret" not in repr(Pseudonyms(SECRET))


def test_a_job_without_the_secret_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs their secret"):
        Job(PLAN, JsonDecoder(PLAN.source, PLAN.fields), bytes(16))
