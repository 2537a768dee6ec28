"""Events with planted trouble: duplicates, broken records of every kind, disorder within and beyond the lateness.

    python -m tests.data.planted OUT.jsonl --records N --seed S --truth TRUTH.json [--partitions P]

With P > 1 the records are split by key, as Kafka's Java client does, into OUT.0.jsonl, OUT.1.jsonl and so on: one file
for each source partition. The truth is computed by tests/reference from the bytes alone; what was planted is kept too
(`Planted.trouble`), so that the two can be held against each other. `tests/data/planted.toml` is a pipeline for them.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.reference.murmur2 import partition_of
from tests.reference.rules import SECOND, FieldRule, Rules, WindowRule

DEVICES = 1000
START_MS = 1_700_000_000_000
LATENESS_S = 30
DUPLICATE, BROKEN, LATE, EDGE, DISORDERED = 0.02, 0.01, 0.005, 0.005, 0.3
REACH = 1000  # a duplicate repeats one of this many records before it

RULES = Rules(
    fields={
        "event_id": FieldRule("str"),
        "device": FieldRule("str"),
        "ts": FieldRule("float"),
        "value": FieldRule("float", min=-1000.0, max=1000.0),
        "status": FieldRule("str", one_of=("ok", "flush")),
        "seq": FieldRule("int"),
    },
    time="ts",
    windows=(WindowRule("minute", 60 * SECOND, ("device",), "value", lateness_us=LATENESS_S * SECOND),),
    id=("event_id",),
)

Event = dict[str, object]
Trouble = Literal["", "duplicate", "late", "edge", "broken"]


def changed(event: Event, **fields: object) -> bytes:
    return json.dumps(event | fields).encode()


def without(event: Event, name: str) -> bytes:
    return json.dumps({k: v for k, v in event.items() if k != name}).encode()


def text(event: Event) -> bytes:
    return json.dumps(event).encode()


# Kind of trouble: what makes the bytes, and the reason a dead letter must give. Only the second is ever expected.
KINDS: dict[str, tuple[Callable[[Event], bytes], str]] = {
    "truncated": (lambda e: text(e)[:-20], "decode_error"),
    "cut_inside_a_number": (lambda e: text(e)[: text(e).index(b'"ts": 1') + 7], "decode_error"),
    "not_a_number": (lambda e: changed(e, value=float("nan")), "decode_error"),
    "infinity": (lambda e: changed(e, value=float("-inf")), "decode_error"),
    "invalid_utf8": (lambda e: text(e).replace(b'"ok"', b'"o\xff"'), "decode_error"),
    "two_documents": (lambda e: text(e) + b" " + text(e), "decode_error"),
    "trailing_comma": (lambda e: text(e)[:-1] + b",}", "decode_error"),
    "empty": (lambda e: b"", "decode_error"),
    "blank": (lambda e: b"   ", "decode_error"),
    "array": (lambda e: b"[" + text(e) + b"]", "not_an_object"),
    "scalar": (lambda e: b"17", "not_an_object"),
    "null": (lambda e: b"null", "not_an_object"),
    "megabyte": (lambda e: changed(e, note="x" * 1_000_000), "too_large"),
    "deep": (lambda e: changed(e)[:-1] + b', "note": ' + b"[" * 200 + b"]" * 200 + b"}", "too_deep"),
    "deep_beyond_parsers": (lambda e: changed(e)[:-1] + b', "note": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too_deep"),
    "no_value": (lambda e: without(e, "value"), "missing_field"),
    "no_device": (lambda e: without(e, "device"), "missing_field"),
    "no_time": (lambda e: without(e, "ts"), "missing_field"),
    "null_value": (lambda e: changed(e, value=None), "missing_field"),
    "text_for_number": (lambda e: changed(e, value="n/a"), "wrong_type"),
    "number_in_quotes": (lambda e: changed(e, value="20.5"), "wrong_type"),
    "true_for_number": (lambda e: changed(e, value=True), "wrong_type"),
    "number_for_text": (lambda e: changed(e, device=17), "wrong_type"),
    "object_for_text": (lambda e: changed(e, event_id={"id": e["event_id"]}), "wrong_type"),
    "two_to_the_64": (lambda e: changed(e, seq=2**64), "int_out_of_range"),
    "below_int64": (lambda e: changed(e, seq=-(2**63) - 1), "int_out_of_range"),
    "below_min": (lambda e: changed(e, value=-1000.001), "below_min"),
    "above_max": (lambda e: changed(e, value=1e9), "above_max"),
    "unknown_status": (lambda e: changed(e, status="OK"), "not_one_of"),
    "time_beyond_int64": (lambda e: changed(e, ts=1e300), "timestamp_invalid"),
    "next_century": (lambda e: changed(e, ts=4_102_444_800.0), "timestamp_future"),
}
ONCE = frozenset({"megabyte"})  # every kind comes in turn; the big one only in the first round


@dataclass(frozen=True)
class Planted:
    """One record: the producer's key, the bytes, and what was done to it (`kind` names a broken one)."""

    key: bytes
    value: bytes
    trouble: Trouble = ""
    kind: str = ""


class Generator:
    """Draws records one after the other from one seed."""

    def __init__(self, seed: int, step_ms: int) -> None:
        self.random = random.Random(seed)
        self.step_ms = step_ms
        self.recent: deque[Planted] = deque(maxlen=REACH)
        self.broken = 0

    def next(self, seq: int) -> Planted:
        draw = self.random.random()
        if draw < DUPLICATE and self.recent:
            first = self.random.choice(self.recent)
            record = Planted(first.key, first.value, "broken" if first.kind else "duplicate", first.kind)
        elif draw < DUPLICATE + BROKEN:
            record = self.spoiled(seq)
        elif draw < DUPLICATE + BROKEN + LATE:
            record = self.sound(seq, "late")
        else:
            record = self.sound(seq, "edge" if draw < DUPLICATE + BROKEN + LATE + EDGE else "")
        self.recent.append(record)
        return record

    def sound(self, seq: int, trouble: Trouble) -> Planted:
        event = self.event(seq, self.back_ms(trouble))
        return Planted(str(event["device"]).encode(), text(event), trouble)

    def spoiled(self, seq: int) -> Planted:
        kinds = [k for k in KINDS if self.broken < len(KINDS) or k not in ONCE]
        kind = kinds[self.broken % len(kinds)]
        self.broken += 1
        event = self.event(seq, self.back_ms(""))
        return Planted(str(event["device"]).encode(), KINDS[kind][0](event), "broken", kind)

    def back_ms(self, trouble: Trouble) -> int:
        """How far behind its turn an event's time lies: minutes, just about the lateness, up to 20 s, or not at all."""
        if trouble == "late":
            return self.random.randrange(120_000, 300_000)
        if trouble == "edge":  # on either side of the edge, and on it to the millisecond
            return LATENESS_S * 1000 + self.step_ms * self.random.randrange(-3, 6)
        return self.random.randrange(20_000) if self.random.random() < DISORDERED else 0

    def event(self, seq: int, back_ms: int) -> Event:
        return {
            "event_id": f"{self.random.getrandbits(64):016x}",
            "device": f"dev-{self.random.randrange(DEVICES)}",
            "ts": (START_MS + seq * self.step_ms - back_ms) / 1000,
            "metric": "temp",
            "value": round(self.random.gauss(20, 5), 3),
            "status": "ok",
            "seq": seq,
        }


def generate(records: int, seed: int, *, step_ms: int = 10) -> list[Planted]:
    """`records` records; equal arguments give equal bytes. `step_ms`: event time from one record to the next."""
    generator = Generator(seed, step_ms)
    return [generator.next(seq) for seq in range(records)]


def split(records: list[Planted], partitions: int) -> dict[int, list[Planted]]:
    """By key, as Kafka's Java client does; every partition is there, empty ones too."""
    parts: dict[int, list[Planted]] = {p: [] for p in range(partitions)}
    for record in records:
        parts[partition_of(record.key, partitions)].append(record)
    return parts


if __name__ == "__main__":
    from tests.data.write_planted import main  # the command line, kept apart from what tests import

    main()
