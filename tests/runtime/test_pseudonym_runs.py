"""Runs of a plan with pseudonyms: planted names are in nothing that comes out, and without a secret nothing starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lepton_stream import Pipeline
from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from lepton_stream.formats.dead_letters import from_line
from lepton_stream.runtime.local import LocalRun, Options
from lepton_stream.runtime.pseudonym_secret import DEMO_SECRET, FILE_VARIABLE, VARIABLE, demo_secret, secret_for
from tests.acceptance.commands import lines
from tests.cleaning.test_pseudonyms import by_definition

NAMES = [f"Ada-{i}" for i in range(7)]
SECRET = "correct horse battery staple"


def piped(*, raw: bool | None = None) -> Pipeline:
    """The pipeline that runs."""
    return (
        Pipeline("people")
        .source("people.v1", time="t", key="who", id=["who", "t"])
        .field("who", str, pseudonym=True)
        .field("value", "float", min=0)
        .dead_letters(raw=raw)
        .window("w", size="1m", lateness="30s", n="count()", top="top(who, 2)")
        .alarm("low", "value", below=2, lateness="10s")
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Readings of seven people; every ninth cannot be used."""
    path = tmp_path / "in.jsonl"
    rows = ({"t": i, "who": NAMES[i % 7], "value": -1 if i % 9 == 8 else i % 5} for i in range(900))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(folder: Path, file: Path, plan: Pipeline, *more: str) -> dict[str, str]:
    """Everything that the command has written."""
    toml, out = folder / "plan.toml", {k: folder / f"{k}.jsonl" for k in ("output", "events", "dead-letters", "stats")}
    toml.write_text(plan.to_toml())
    asked = ["run", str(toml), "--input", str(file), *more]
    for name, path in out.items():
        asked += [f"--{name}", str(path)]
    assert outcome(asked) == 0
    return {name: path.read_text() for name, path in out.items()}


def test_no_name_is_in_anything_that_comes_out(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    said = run(tmp_path, file, piped())
    told = capsys.readouterr()
    assert len(said["events"].splitlines()) > 100
    for text in (*said.values(), told.out, told.err):
        assert not any(name in text for name in NAMES)
        assert SECRET not in text
    wanted = {by_definition(SECRET.encode(), name.encode()) for name in NAMES}
    rows = lines(tmp_path / "output.jsonl")
    assert {row["who"] for row in rows} == {row["who"] for row in lines(tmp_path / "events.jsonl")} == wanted
    assert {one["value"] for row in rows for one in row["top"]} == wanted
    letters = [from_line(line.encode()) for line in said["dead-letters"].splitlines()]
    assert [(x.offset, x.value, x.withheld) for x in letters] == [(i, None, True) for i in range(8, 900, 9)]


def test_who_asks_for_raw_letters_gets_them(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    said = run(tmp_path, file, piped(raw=True))
    values = [from_line(line.encode()).value or b"" for line in said["dead-letters"].splitlines()]
    assert [json.loads(value)["t"] for value in values] == list(range(8, 900, 9))
    assert not any(name in said["output"] + said["events"] for name in NAMES)


def test_a_person_has_one_pseudonym_in_all_runs_of_a_secret_and_another_under_another(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    monkeypatch.setenv(VARIABLE, SECRET)
    first = run(tmp_path, file, piped())
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv(FILE_VARIABLE, str(secret))
    split = run(tmp_path, file, piped(), "--partitions", "3", "--route", "rows")
    assert but_place(split["output"]) == but_place(first["output"])
    assert but_place(split["events"]) == but_place(first["events"])
    secret.write_text("another secret of enough bytes")
    other = run(tmp_path, file, piped())
    assert not people(other["output"]) & people(first["output"])


def but_place(text: str) -> list[str]:
    rows = [json.loads(line) for line in text.splitlines()]
    hidden = ("version", "source_topic", "source_partition", "source_offset")
    return sorted(json.dumps({k: v for k, v in row.items() if k not in hidden}) for row in rows)


def people(text: str) -> set[str]:
    return {json.loads(line)["who"] for line in text.splitlines()}


REFUSALS: list[tuple[dict[str, str], str]] = [
    ({}, "who is told by pseudonyms, and there is no secret for them: name a file in LEPTON__PSEUDONYM_SECRET_FILE"),
    ({VARIABLE: "short"}, "LEPTON__PSEUDONYM_SECRET holds 5 bytes: expects a secret of at least 16"),
    ({VARIABLE: SECRET, FILE_VARIABLE: "x"}, "are both set: expects one of them"),
    ({FILE_VARIABLE: "/nowhere/at/all"}, "names /nowhere/at/all, which cannot be read: No such file or directory"),
]


@pytest.mark.parametrize(("environ", "wish"), REFUSALS, ids=["none", "short", "both", "unreadable"])
def test_without_a_good_secret_nothing_starts_and_earlier_results_stay(
    environ: dict[str, str], wish: str, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv(VARIABLE)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    plan, out = tmp_path / "plan.toml", tmp_path / "out.jsonl"
    plan.write_text(piped().to_toml())
    out.write_text("earlier")
    for asked in (["--input", str(file), "--output", str(out)], ["--broker", "localhost:1"]):
        assert outcome(["run", str(plan), *asked]) == 2
        said = capsys.readouterr().err
        assert wish in said
        assert SECRET not in said
    assert out.read_text() == "earlier"
    with pytest.raises(UsageError, match=r".") as raised:
        LocalRun(piped().plan, file)
    assert wish in str(raised.value)
    assert outcome(["check", str(plan)]) == 0  # a plan can be looked at without it
    assert outcome(["doctor", str(plan)]) == 7
    assert "fail     pseudonyms: " in capsys.readouterr().out


def test_the_secret_of_demos_is_only_for_plans_with_pseudonyms_and_never_instead_of_one_that_is_set() -> None:
    with_, without = piped().plan, Pipeline("x").source("a", time="t").window("w", size="1h", n="count()").plan
    assert demo_secret(with_, {}) == DEMO_SECRET
    assert demo_secret(without, {}) is demo_secret(with_, {VARIABLE: SECRET}) is None
    assert demo_secret(with_, {FILE_VARIABLE: "/a"}) is secret_for(without, {}) is None


def test_options_may_hand_the_secret_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    rows = [row for batch in LocalRun(piped().plan, file, Options(pseudonyms=SECRET.encode())) for row in batch.rows()]
    assert by_definition(SECRET.encode(), NAMES[0].encode()) in {row["who"] for row in rows}
