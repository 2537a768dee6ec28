"""Every function of the catalogue through the whole core: cuts, routes and partitions, TOML and Python, checkpoints."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from lepton_stream import kernels as k
from lepton_stream.core import PartitionState, Slice, SourceState, durable_checkpoint, fold, heartbeat, prepare
from lepton_stream.core.delta import apply
from lepton_stream.formats.results_out import open_output
from lepton_stream.kernels.registry import calls
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.calls import call_text
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.toml_front import parse
from tests.core.streams import Manner, carry_out, chunk, new_job, offset_of, plainly, rows_of

FIELDS = {"value": "float", "seq": "int", "word": "str", "ok": "bool"}
CALLS = {**{f"c{i}": call for i, call in enumerate(calls(FIELDS))}, "q": k.quantile("value", 0.95)}
PLAN: Plan = (
    Pipeline("everything")
    .source("streams.v1", time="t", key="device")
    .field("t", "float")
    .field("device", "str")
    .field("value", "float", required=False)
    .field("seq", "int")
    .field("word", "str", required=False)
    .field("ok", "bool")
    .window("ten", size="10s", lateness="1h", group_by="device", results=CALLS)
    .plan
)


def records(different: int, n: int = 1200) -> list[bytes]:
    """Values, of which so many are different, of three devices over a minute."""
    dice = np.random.default_rng(9)
    out = []
    for i in range(n):
        some = int(dice.integers(different))
        value = None if some % 11 == 0 else (some - 40) / 7
        one = {"t": float(dice.integers(60)), "device": "abc"[i % 3], "value": value, "seq": some * some}
        out.append(orjson.dumps({**one, "word": f"w{some}ß" if some % 5 else None, "ok": some % 2 == 0}))
    return out


@cache
def sources(different: int) -> tuple[tuple[bytes, ...], ...]:
    made = records(different)
    return tuple(made[:500]), tuple(made[500:])


@pytest.mark.parametrize("different", [30, 4000])
@pytest.mark.parametrize("seed", [1, 2])
def test_cuts_routes_and_partitions_change_no_result(different: int, seed: int) -> None:
    manner = Manner(random.Random(seed), partitions=1 + seed, longest=60)
    assert carry_out(sources(different), manner, PLAN).same() == plainly(sources(different), PLAN).same()


def final_of(state: PartitionState, job: Any) -> list[dict[str, Any]]:
    for s, part in enumerate(sources(4000)):
        (frame,) = heartbeat(job, s, offset_of(len(part)), 0, ended=True)
        assert fold(job, state, frame)
    return [{**row, "version": 0} for row in rows_of(durable_checkpoint(job, state, None).results)]


@pytest.mark.parametrize("wide", ["10s", "1h"])
def test_a_state_from_checkpoints_goes_on_as_the_one_that_wrote_them(wide: str) -> None:
    plan = PLAN if wide == "10s" else replace(PLAN, windows=(replace(PLAN.windows[0], size_us=3_600_000_000),))
    job = new_job(plan)
    state, other = (PartitionState.empty(job, {0: 0, 1: 0}) for _ in range(2))
    for s, part in enumerate(sources(4000)):
        source = SourceState(job)
        for at in range(0, len(part), 100):
            (frame,) = prepare(job, source, chunk(s, part[at : at + 100], at)).frames
            assert fold(job, state, frame)
            apply(job, other, durable_checkpoint(job, state, Slice(at // 100 % 2, 2)).delta)
    assert final_of(other, job) == final_of(state, job)


def test_toml_and_python_make_the_same_plan() -> None:
    results = "\n".join(f"{name} = {json.dumps(call_text(call))}" for name, call in CALLS.items())
    toml = (
        'name = "everything"\n[source]\ntopic = "streams.v1"\ntime = "t"\nkey = "device"\n[fields]\nt = "float"\n'
        'device = "str"\nvalue = { type = "float", required = false }\nseq = "int"\n'
        'word = { type = "str", required = false }\nok = "bool"\n[[window]]\nname = "ten"\nsize = "10s"\n'
        f'lateness = "1h"\ngroup_by = "device"\n[window.results]\n{results}\n'
    )
    assert parse(toml, "everything.toml") == PLAN
    assert 'q = "quantile(value, 0.95)"' in toml


def test_lists_and_objects_are_written_to_json_lines_and_csv(tmp_path: Path) -> None:
    rows = plainly(sources(30), PLAN).rows
    for name in ("out.jsonl", "out.csv"):
        with open_output(tmp_path / name) as output:
            output.write(rows)
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [orjson.loads(line) for line in lines] == rows
    assert '"[{""value"":' in (tmp_path / "out.csv").read_text("utf-8")
