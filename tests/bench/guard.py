"""The hot kernels against what they cost when last recorded: `python -m tests.bench.guard [--record]`.

A kernel's cost is told as a multiple of a reference computation in the same process, measured in turns with it, in CPU
time of the thread: a slower machine, a busy neighbour or a lower clock slows both. Of each the time that a tenth of the
samples stay below is taken; a kernel that seems too dear is measured again, up to ten rounds in all, since noise goes
away and a loss stays. Costs are recorded by processor (tests/bench/guard.json): another one has other ratios, and is
held against the dearest record with more room.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import numpy as np

from lepton_stream.bench.machine import processor
from lepton_stream.compiled import loader, switch
from lepton_stream.runtime.allocator import keep_freed_memory
from tests.bench.hot_kernels import Call, hot_kernels, reference

RECORD = Path(__file__).with_suffix(".json")
LOSS, LOSS_ELSEWHERE = 0.15, 0.5
ROUNDS, ROUNDS_TO_RECORD = 10, 15
SAMPLES, TENTH = 25, 0.1
KEPT = 1 << 28
"""As a worker does it; else pages that the system clears anew would be most of what is measured."""
CALLS = {"split_records": 4, "scan_json": 4, "seen": 4, "cells": 12, "add_limbs": 8, "prepare": 4}
"""Calls a sample, so that one takes some milliseconds."""

Costs = dict[str, float]


def once(call: Call, times: int) -> int:
    """Nanoseconds of this thread."""
    began = time.thread_time_ns()
    for _ in range(times):
        call()
    return time.thread_time_ns() - began


def one_round(kernels: Mapping[str, Call]) -> Costs:
    """Cost of a call of each, in calls of the reference."""
    fixed, costs = reference(), {}
    for name, kernel in kernels.items():
        samples = [(once(kernel, calls_of(name)), once(fixed, 2)) for _ in range(SAMPLES)]
        took, by = np.quantile(np.array(samples), TENTH, axis=0)
        costs[name] = float(took / calls_of(name) / (by / 2))
    return costs


def calls_of(name: str) -> int:
    """Calls a sample; a kernel's name may have a word behind it."""
    return CALLS[name.split(maxsplit=1)[0]]


def measured(kernels: Mapping[str, Call], allowed: Mapping[str, float]) -> Costs:
    """The lowest cost of each kernel; those within what is allowed are not measured again."""
    costs: Costs = {}
    for _ in range(ROUNDS):
        again = {name: kernel for name, kernel in kernels.items() if costs.get(name, np.inf) > allowed[name]}
        if not again:
            break
        for name, cost in one_round(again).items():
            costs[name] = min(cost, costs.get(name, np.inf))
    return costs


def allowed_by(records: Mapping[str, Costs], cpu: str) -> Costs:
    """What each kernel may cost on this processor."""
    if cpu in records:
        return {name: cost * (1 + LOSS) for name, cost in records[cpu].items()}
    names = {name for costs in records.values() for name in costs}
    return {name: max(c[name] for c in records.values() if name in c) * (1 + LOSS_ELSEWHERE) for name in names}


def losses(costs: Costs, allowed: Costs) -> list[str]:
    """One line for each kernel that costs more than it may."""
    return [
        f"{name} costs {costs[name]:.3f} of the reference, and may cost {allowed[name]:.3f}: make it cheaper, "
        "or, if the loss is meant, `make guard-record`"
        for name in sorted(allowed)
        if costs[name] > allowed[name]
    ]


def recorded() -> dict[str, Costs]:
    """Costs by processor."""
    told: dict[str, Costs] = json.loads(RECORD.read_text())
    return told


def record(kernels: Mapping[str, Call], cpu: str) -> Costs:
    """Measure and keep the median of many rounds."""
    rounds = [one_round(kernels) for _ in range(ROUNDS_TO_RECORD)]
    costs = {name: round(median(r[name] for r in rounds), 4) for name in kernels}
    whole = recorded() if RECORD.exists() else {}
    RECORD.write_text(json.dumps({**whole, cpu: costs}, indent=2, sort_keys=True) + "\n")
    return costs


def main() -> int:
    """0 where every kernel costs what it may; else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="take today's costs as those to hold")
    asked = parser.parse_args()
    functions, cpu = loader.functions_now(), processor()
    switch.use(functions)
    keep_freed_memory(KEPT)
    kernels = hot_kernels(functions)
    if asked.record:
        print(json.dumps(record(kernels, cpu), indent=2))
        return 0
    allowed = allowed_by(recorded(), cpu)
    costs = measured(kernels, allowed)
    for name in sorted(allowed):
        print(f"{name:<16} {costs[name]:8.3f} of {allowed[name]:.3f} allowed")
    found = losses(costs, allowed)
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
