"""The hot kernels, each as a call on fixed input that may be repeated as often as one likes and costs the same again.

All of them see the published events (`lepton_stream.bench.workload`, seed 1), a chunk of 20,000.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from lepton_stream.bench.shape import Shape, pipeline
from lepton_stream.bench.workload import Workload
from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.core import Job, SourceState, prepare
from lepton_stream.dedup.fingerprint import Fingerprints
from lepton_stream.dedup.memory import DedupMemory
from lepton_stream.formats.depth import MAX_DEPTH
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.formats.json_scan import JsonScanner
from lepton_stream.pipeline.toml_front import parse
from lepton_stream.runtime.kafka.bulk import Bulk, body_of

Call: TypeAlias = Callable[[], object]
ROWS, GROUPS, REMEMBERED = 20_000, 1000, 500_000
MOST_BYTES = 1 << 19
PLAN = parse(pipeline(Shape(ROWS)).replace('id = ["event_id"]\n', ""), "guard")
"""Without ids: the memory of them is `seen`."""


def hot_kernels(functions: ModuleType) -> dict[str, Call]:
    """By name. The compiled path must be in force."""
    events = list(Workload(Shape(ROWS)).events())
    dice = np.random.default_rng(1)
    return {
        "split_records": _split(functions, events),
        "scan_json": _scan(functions, events),
        "seen": _seen(dice),
        "cells": _cells(functions, dice),
        "add_limbs": _add_limbs(functions, dice),
        "prepare": _prepare(events),
    }


def _split(functions: Any, events: list[bytes]) -> Call:
    body = np.frombuffer(body_of(Bulk([event[43:50] for event in events], events, 0)) + bytes(8), np.uint8)
    bodies = [functions.Body(0, len(body) - 8, ROWS, 0, True, 0, 0, False)]
    assert functions.split_records(body, bodies) is not None
    return lambda: functions.split_records(body, bodies)


def _scan(functions: Any, events: list[bytes]) -> Call:
    data, start, length = Values.from_list(list(events)).spans()
    decoder = JsonDecoder(PLAN.source, PLAN.fields)
    fields = JsonScanner(functions, PLAN.fields, MOST_BYTES, decoder.decode)._sought
    octets = np.frombuffer(data, np.uint8)
    assert functions.scan_json(octets, start, length, fields, MOST_BYTES, MAX_DEPTH).taken.mean() > 0.98
    return lambda: functions.scan_json(octets, start, length, fields, MOST_BYTES, MAX_DEPTH)


def _prints(dice: np.random.Generator, n: int) -> Fingerprints:
    return Fingerprints(dice.integers(0, 2**64, n, np.uint64), dice.integers(0, 2**64, n, np.uint64))


def _seen(dice: np.random.Generator) -> Call:
    """Ids that are all remembered: their offsets are renewed in place, so that the table stays as it is."""
    memory, known = DedupMemory(1 << 27), _prints(dice, REMEMBERED)
    for at in range(0, REMEMBERED, ROWS):
        memory.seen(Fingerprints(known.high[at : at + ROWS], known.low[at : at + ROWS]), np.arange(at, at + ROWS))
    pick = dice.integers(0, REMEMBERED, ROWS)
    asked, offset = Fingerprints(known.high[pick], known.low[pick]), REMEMBERED

    def call() -> object:
        nonlocal offset
        offset += ROWS
        return memory.seen(asked, np.arange(offset, offset + ROWS))

    assert np.asarray(call()).all()
    return call


def _cells(functions: Any, dice: np.random.Generator) -> Call:
    groups, pick = _prints(dice, GROUPS), dice.integers(0, GROUPS, ROWS)
    high, low = groups.high[pick], groups.low[pick]
    assert len(functions.cells(high, low)[1]) == GROUPS
    return lambda: functions.cells(high, low)


def _add_limbs(functions: Any, dice: np.random.Generator) -> Call:
    groups, x = dice.integers(0, GROUPS, ROWS), np.round(dice.normal(20, 5, ROWS), 3)
    lowest, highest = functions.limb_range(x)
    limbs = np.zeros((highest - lowest + 1, GROUPS), np.int64)
    return lambda: functions.add_limbs(groups, x, lowest, limbs)


def _prepare(events: list[bytes]) -> Call:
    job = Job(PLAN, JsonDecoder(PLAN.source, PLAN.fields), bytes(16), partitions=4)
    when = np.full(ROWS, 2_000_000_000_000_000)
    values = Values(*Values.from_list(list(events)).spans())
    chunk = Chunk(SourcePartition("guard", 0), 0, ROWS, np.arange(ROWS), values, when)
    assert prepare(job, SourceState(job), chunk).account.read == ROWS
    return lambda: prepare(job, SourceState(job), chunk)


def reference() -> Call:
    """Work that never changes, in the machine code of others: what a kernel costs is told in multiples of it."""
    octets = bytes(range(256)) * 4096
    return lambda: hashlib.blake2b(octets).digest()
