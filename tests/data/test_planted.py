"""What was planted is what the reference finds; and the reference is the only judge that the product meets."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.data.planted import KINDS, LATE, RULES, Planted, generate, split
from tests.data.write_planted import as_json, main, part_name, write
from tests.reference.stream import Truth, evaluate

RECORDS = 8000


@pytest.fixture(scope="module")
def planted() -> list[Planted]:
    return generate(RECORDS, seed=5)


@pytest.fixture(scope="module")
def truth(planted: list[Planted]) -> Truth:
    return evaluate({0: [r.value for r in planted]}, RULES)


def test_every_broken_record_is_dead_lettered_with_its_reason_and_no_other(
    planted: list[Planted], truth: Truth
) -> None:
    expected = [(i, KINDS[r.kind][1], r.value) for i, r in enumerate(planted) if r.kind]
    assert [(d.offset, d.reason, d.value) for d in truth.dead_letters] == expected


def test_every_kind_of_broken_record_occurs(planted: list[Planted]) -> None:
    assert {r.kind for r in planted} - {""} == set(KINDS)


def test_planted_duplicates_are_the_duplicates(planted: list[Planted], truth: Truth) -> None:
    assert truth.accounts[0].duplicate == sum(r.trouble == "duplicate" for r in planted) > 0.015 * RECORDS


def test_planted_late_records_are_late_and_disorder_within_the_lateness_is_not(
    planted: list[Planted], truth: Truth
) -> None:
    late, edge = (sum(r.trouble == t for r in planted) for t in ("late", "edge"))
    assert late > LATE * RECORDS / 2
    assert late < truth.accounts[0].late < late + edge  # those about the edge fall on both sides of it
    times = [json.loads(r.value)["ts"] for r in planted if not r.kind]
    assert sum(a > b for a, b in itertools.pairwise(times)) > 0.1 * RECORDS


def test_the_four_verdicts_add_up_to_the_records_read(truth: Truth) -> None:
    account = truth.accounts[0]
    assert account.read == RECORDS
    assert account.accepted + account.duplicate + account.late + account.dead_lettered.total() == RECORDS
    assert sum(s.rows for s in truth.windows["minute"].values()) == account.accepted


def test_equal_seeds_give_equal_bytes_and_others_do_not(planted: list[Planted]) -> None:
    assert generate(500, seed=5) == planted[:500] != generate(500, seed=6)


def test_a_split_keeps_each_key_and_each_duplicate_in_one_partition(planted: list[Planted], truth: Truth) -> None:
    parts = split(planted, 4)
    of_key = Counter((p, r.key) for p, of in parts.items() for r in of)
    assert len({key for _, key in of_key}) == len(of_key)
    whole = evaluate({p: [r.value for r in of] for p, of in parts.items()}, RULES).accounts.values()
    assert sum(a.duplicate for a in whole) == truth.accounts[0].duplicate


def test_no_record_holds_a_line_break(planted: list[Planted]) -> None:
    assert not any(b"\n" in r.value or b"\r" in r.value for r in planted)


def test_the_command_writes_one_file_a_partition_and_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, told = tmp_path / "e.jsonl", tmp_path / "t.json"
    arguments = [str(out), "--records", "300", "--seed", "3", "--truth", str(told), "--partitions", "2"]
    monkeypatch.setattr(sys, "argv", ["planted", *arguments])
    main()
    lines = [part_name(out, p, 2).read_bytes().split(b"\n")[:-1] for p in range(2)]
    account = json.loads(told.read_text())["partitions"]
    assert [len(of) for of in lines] == [account["0"]["read"], account["1"]["read"]]
    assert json.loads(json.dumps(as_json(write(out, 300, 3, 2)))) == json.loads(told.read_text())
