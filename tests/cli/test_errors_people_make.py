"""Every mistake gets one message that names what, where and the wish, the documented exit code, and no traceback."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest

from lepton_stream.cli.main import outcome
from tests.runtime.events import as_csv, events, plan_file


@dataclass(frozen=True)
class Mistake:
    """`line`: the command line, with {words} for the files below; `says`: what the message must hold."""

    line: str
    code: int
    says: tuple[str, ...]


MISTAKES = {
    "unknown key": Mistake("check {unknown_key}", 3, ("lateness", "latness", "unknown_key.toml:")),
    "wrong type": Mistake("check {wrong_type}", 3, ("window", "size", "17", "duration")),
    "all problems at once": Mistake("run {two_problems} -i {good}", 3, ("latness", "size")),
    "not toml": Mistake("check {broken_toml}", 3, ("broken_toml.toml:",)),
    "plan not there": Mistake("check {nothere}.toml", 2, ("nothere.toml", "cannot be read")),
    "unknown pipeline": Mistake("run iot/air_qualty -i {good}", 2, ("iot/air_qualty", "Did you mean iot/air_quality")),
    "unknown module": Mistake("check no_such_module:plan", 2, ("no_such_module",)),
    "module without the object": Mistake("check tests.core.streams:PLANN", 2, ("PLANN", "did you mean PLAN")),
    "object that is no pipeline": Mistake("check tests.core.streams:MEMORY", 2, ("int", "Pipeline")),
    "pipeline is a directory": Mistake("check {folder}", 2, ("is a directory", "name the TOML file in it")),
    "workers over files": Mistake("run {plan} -i {good} --workers 2", 2, ("--workers", "--broker")),
    "autopilot over files": Mistake("run {plan} -i {good} --autopilot act", 2, ("--autopilot", "runs on Kafka")),
    "flush interval of files": Mistake("run {plan} -i {good} --flush-interval 1s", 2, ("--flush-interval", "on Kafka")),
    "flush interval in words": Mistake("run {plan} --flush-interval soon", 2, ("--flush-interval soon", "10s")),
    "flush interval too long": Mistake("run {plan} --flush-interval 1m", 2, ("--flush-interval 1m", "at most 10s")),
    "unknown autopilot": Mistake("run {plan} -i {good} --autopilot on", 2, ("--autopilot", "advise")),
    "until the end of files": Mistake("run {plan} -i {good} --until-end", 2, ("--until-end", "runs on Kafka")),
    "no pipeline": Mistake("check", 2, ("PIPELINE",)),
    "no input": Mistake("run {plan}", 2, ("--input",)),
    "input not there": Mistake("run {plan} -i {nothere}", 2, ("nothere", "cannot be read")),
    "input is a directory": Mistake("run {plan} -i {folder}", 2, ("is a directory",)),
    "input is a directory, empty name": Mistake("run {plan} --input=", 2, ("is a directory",)),
    "second input not there": Mistake("run {plan} -i {good} {nothere}", 2, ("nothere", "cannot be read")),
    "corrupt gzip": Mistake("run {plan} -i {corrupt}", 2, ("corrupt.jsonl.gz", "damaged or cut off", "byte")),
    "cut off gzip": Mistake("run {plan} -i {cut}", 2, ("cut.jsonl.gz", "damaged or cut off", "whole records")),
    "no gzip inside": Mistake("run {plan} -i {liar}", 2, ("liar.jsonl.gz", "damaged")),
    "header lacks a field": Mistake("run {csv_plan} -i {lacks}", 3, ("value", "lacks.csv")),
    "json that fits nothing": Mistake("run {plan} -i {other}", 3, ("none of the 2 records fits", "missing_field")),
    "no json at all": Mistake("run {plan} -i {csv}", 3, ("does not fit", "decode_error", 'format = "csv"')),
    "one file twice": Mistake("run {plan} -i {good} {folder}/../good.jsonl", 2, ("good.jsonl", "more than once")),
    "another delimiter": Mistake("run {csv_plan} -i {tabs}", 3, ("source.file.delimiter", 'did you mean "\\t"?')),
    "output as parquet": Mistake("run {plan} -i {good} -o {nothere}.parquet", 2, (".jsonl",)),
    "brackets in a file name": Mistake("run {plan} -i [1].jsonl", 2, ("[1].jsonl", "cannot be read")),
    "partitions zero": Mistake("run {plan} -i {good} --partitions 0", 2, ("--partitions", "1")),
    "partitions in words": Mistake("run {plan} -i {good} --partitions four", 2, ("--partitions", "integer")),
    "partitions with two headers": Mistake(
        "run {csv_plan} -i {csv} {turned} --partitions 2", 2, ("turned.csv", "header")
    ),
    "unknown route": Mistake("run {plan} -i {good} --route scenic", 2, ("--route", "partials")),
    "unknown option": Mistake("run {plan} -i {good} --wrokers 2", 2, ("--wrokers",)),
    "unknown command": Mistake("rnu {plan}", 2, ("rnu",)),
    "no command": Mistake("", 2, ("COMMAND",)),
    "output in no folder": Mistake("run {plan} -i {good} --output {nothere}/o.jsonl", 2, ("nothere/o.jsonl",)),
    "output is a directory": Mistake("run {plan} -i {good} --output {folder}", 2, ("cannot be written",)),
    "output as xz": Mistake("run {plan} -i {good} --output {nothere}.xz", 2, (".gz",)),
    "disk full": Mistake("run {plan} -i {good} --output /dev/full", 1, ("--output /dev/full", "No space left")),
    "dead letters on a full disk": Mistake(
        "run {plan} -i {some_bad} -o {out} --dead-letters /dev/full", 1, ("--dead-letters /dev/full", "No space left")
    ),
    "stats in no folder": Mistake("run {plan} -i {good} --stats {nothere}/s", 2, ("--stats", "nothere/s", "written")),
    "stats is a directory": Mistake("run {plan} -i {good} --stats {folder}", 2, ("--stats", "cannot be written")),
    "letters in no folder": Mistake(
        "run {plan} -i {good} --dead-letters {nothere}/d", 2, ("--dead-letters", "written")
    ),
    "output is the input": Mistake("run {plan} -i {good} -o {good}", 2, ("--output", "same file", "--input")),
    "letters are the input": Mistake("run {plan} -i {good} --dead-letters {good}", 2, ("--dead-letters", "same file")),
    "stats are the output": Mistake("run {plan} -i {good} -o {out} --stats {out}", 2, ("--stats", "same file")),
    "two windows into one csv": Mistake("run {two_windows} -i {good} -o {out}.csv", 2, ("columns", "jsonl")),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    plan = plan_file(tmp_path).read_text()
    csv_plan = plan_file(tmp_path, "csv").read_text()
    packed = gzip.compress(events(3000))
    second = '[[window]]\nname = "other"\nsize = "1m"\n[window.results]\nhighest = "max(value)"\n'
    wrong = plan.replace("lateness", "latness")
    made: dict[str, str | bytes] = {
        "plan.toml": plan,
        "csv_plan.toml": csv_plan,
        "unknown_key.toml": wrong,
        "wrong_type.toml": plan.replace('"10s"', "17"),
        "two_problems.toml": wrong.replace('"10s"', "17"),
        "two_windows.toml": plan + second,
        "broken_toml.toml": plan + "\n[[",
        "good.jsonl": events(300),
        "some_bad.jsonl": events(300) + b"{\n",
        "other.jsonl": b'{"a":1}\n{"a":2}\n',
        "csv.csv": as_csv(3),
        "turned.csv": b"device,t,id,value\nd,1,1,1\n",
        "tabs.csv": as_csv(3).replace(b",", b"\t"),
        "lacks.csv": b"t,device,id\n1,d,1\n",
        "corrupt.jsonl.gz": packed[:900] + b"\x00" * 50 + packed[950:],
        "cut.jsonl.gz": packed[: len(packed) // 2],
        "liar.jsonl.gz": events(30),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return {name.split(".")[0]: str(tmp_path / name) for name in (*made, "folder", "nothere", "out")}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=[name.replace(" ", "_") for name in MISTAKES])
def test_a_mistake_gets_one_message_and_its_exit_code(
    mistake: Mistake, files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    code = outcome([word.format(**files) for word in mistake.line.split()])
    out, err = capfd.readouterr()
    told = out + err if not mistake.line else err
    assert code == mistake.code, told
    for words in mistake.says:
        assert words in told
    assert "Traceback" not in told
    assert told.count("lepton-stream: ") <= 1


@pytest.mark.parametrize("line", ["-i {nothere}", "-i {good} -o {folder}", "-i {good} -o {out} --stats {folder}"])
def test_a_mistake_costs_nothing_that_an_earlier_run_has_written(line: str, files: dict[str, str]) -> None:
    letters, results, good = Path("letters.jsonl"), Path("results.jsonl"), Path(files["good"])
    kept = good.read_bytes()
    for path in (letters, results):
        path.write_bytes(b"earlier\n")
    words = line.format(**files).split()
    more = [] if "-o" in words else ["-o", str(results)]
    assert outcome(["run", files["plan"], *words, *more, "--dead-letters", str(letters)]) == 2
    assert (letters.read_bytes(), results.read_bytes()) == (b"earlier\n", b"earlier\n")
    assert good.read_bytes() == kept


def test_what_was_read_before_the_damage_is_counted_and_in_balance(files: dict[str, str]) -> None:
    stats = Path("stats.json")
    line = ["run", files["plan"], "-i", files["cut"], "-o", files["out"], "--stats", str(stats), "-q"]
    assert outcome(line) == 2
    assert b'"read": ' in stats.read_bytes()


def test_an_input_that_was_read_to_its_end_is_not_told_as_interrupted(
    files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["run", files["plan"], "-i", files["other"]]) == 3
    assert "interrupted" not in capfd.readouterr().err
    assert outcome(["run", files["plan"], "-i", files["cut"], "-o", files["out"]]) == 2
    assert "interrupted" in capfd.readouterr().err
