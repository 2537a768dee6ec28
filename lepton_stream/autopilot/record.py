"""A decision as the record of the decisions topic, and back; and which of many decisions are the newest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import msgspec

from lepton_stream.autopilot.decision import VERSION, Decision, Option

Identity: TypeAlias = tuple[str, tuple[tuple[str, str], ...], str]
"""What makes two decisions ones about the same: knob, what it is about, worker."""
Number: TypeAlias = float | None
"""JSON has no infinity and no "not a number": both become null, and null is read as the latter."""

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Told:
    """A decision with who made it and when (ms since 1970). Its id is not empty."""

    worker: str
    time_ms: int
    decision: Decision

    @property
    def identity(self) -> Identity:
        """What it decides about."""
        return self.decision.knob, tuple(sorted(self.decision.about.items())), self.worker


class _Option(msgspec.Struct):
    name: str
    predicted: dict[str, Number]


class _Promised(msgspec.Struct):
    name: str
    value: Number


class _Record(msgspec.Struct):
    """The value, in this order; a later version may add fields, which older readers pass over."""

    version: int
    id: str
    time: int
    worker: str
    knob: str
    about: dict[str, str]
    choice: str
    why: str
    seen: dict[str, Number]
    options: list[_Option]
    promised: _Promised
    delivered: Number = None


class _Key(msgspec.Struct):
    knob: str
    worker: str
    about: dict[str, str]


def record_of(told: Told) -> tuple[bytes, bytes]:
    """(key, value), both JSON. Decisions about the same, of one worker, have the same key."""
    d = told.decision
    about = dict(sorted(d.about.items()))
    name, value = d.promised
    record = _Record(
        version=VERSION,
        id=d.id,
        time=told.time_ms,
        worker=told.worker,
        knob=d.knob,
        about=about,
        choice=d.choice,
        why=d.why,
        seen=_plain(d.seen),
        options=[_Option(option.name, _plain(option.predicted)) for option in d.options],
        promised=_Promised(name, float(value)),
        delivered=None if d.delivered is None else float(d.delivered),
    )
    return msgspec.json.encode(_Key(d.knob, told.worker, about)), msgspec.json.encode(record)


def told_by(value: bytes | None) -> Told | None:
    """The decision of a record's value; None for what is none of ours, or of a version that this build cannot read."""
    try:
        r = msgspec.json.decode(value or b"", type=_Record)
    except msgspec.MsgspecError:
        return None
    if not 1 <= r.version <= VERSION or not r.id:
        return None
    options = tuple(Option(option.name, _known(option.predicted)) for option in r.options)
    promised = (r.promised.name, _number(r.promised.value))
    decision = Decision(r.knob, _known(r.seen), options, r.choice, r.why, promised, r.delivered, r.about, r.id)
    return Told(r.worker, r.time, decision)


def document_of(told: Told) -> dict[str, object]:
    """The value as JSON's own types, for programs."""
    document: dict[str, object] = msgspec.json.decode(record_of(told)[1])
    return document


def _plain(numbers: dict[str, float]) -> dict[str, Number]:
    return {name: float(value) for name, value in numbers.items()}


def _known(numbers: dict[str, Number]) -> dict[str, float]:
    return {name: _number(value) for name, value in numbers.items()}


def _number(value: Number) -> float:
    return _NAN if value is None else value


@dataclass(slots=True)
class History:
    """Decisions in the order they were made, each as it was told last. `unreadable`: records that are none."""

    unreadable: int = 0
    _told: dict[tuple[str, str], Told] = field(default_factory=dict)

    def take(self, value: bytes | None) -> None:
        """The value of the topic's next record."""
        told = told_by(value)
        if told is None:
            self.unreadable += 1
            return
        self._told[told.worker, told.decision.id] = told  # one told again, with what it delivered, keeps its place

    def all(self, knob: str | None = None) -> Iterator[Told]:
        """Oldest first; of one knob alone, if it is named."""
        yield from (told for told in self._told.values() if knob in (None, told.decision.knob))

    def newest(self, knob: str | None = None) -> list[Told]:
        """Of all that are about the same, the last one; in the order of knob, about, worker."""
        by_identity = {told.identity: told for told in self.all(knob)}
        return [by_identity[identity] for identity in sorted(by_identity)]

    @property
    def knobs(self) -> list[str]:
        """Names of the knobs that were decided about, sorted."""
        return sorted({told.decision.knob for told in self._told.values()})


class Remembered:
    """The last decisions of this worker: one that comes again with what it delivered keeps its id and its time."""

    def __init__(self, worker: str, run: str, most: int = 256) -> None:
        """`run`: what tells the ids of one run from those of another. `most`: decisions that are remembered."""
        self._worker, self._run, self._most = worker, run, most
        self._made: dict[str, tuple[Decision, Told]] = {}
        self._count = 0

    def told(self, decision: Decision, now_ms: int) -> tuple[Told, bool]:
        """The decision as it is told, under an id that no other run has, and whether it is new."""
        before = self._before(decision)
        if before is None:
            self._count += 1
            made = Told(self._worker, now_ms, replace(decision, id=f"{self._run}-{self._count}"))
        else:
            made = replace(before, decision=replace(decision, id=before.decision.id))
        self._made[made.decision.id] = (decision, made)
        while len(self._made) > self._most:
            del self._made[next(iter(self._made))]
        return made, before is None

    def _before(self, decision: Decision) -> Told | None:
        """The same one, told earlier: by its own id, or, if it has none, by all that it said before it delivered."""
        for given, told in reversed(self._made.values()):
            if decision.id and (given.knob, given.id) == (decision.knob, decision.id):
                return told
            if not decision.id and decision.delivered is not None and replace(decision, delivered=None) == given:
                return told
        return None
