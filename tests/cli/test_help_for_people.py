"""Help, examples and completion: every command has them, and the examples do what they say."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer

from lepton_stream.cli.main import COMMANDS, app_for, outcome
from lepton_stream.cli.pipeline_name import offered
from scripts.cli_page import BROKER, cli_page, examples, panel, walk
from tests.runtime.events import events, plan_file

APP = [
    (name.removeprefix("lepton-stream "), c) for name, c in walk(typer.main.get_command(app_for([])), "lepton-stream")
]
LINES = sorted({line for _, command in APP for line in examples(command.help or "")})
NO_BROKER = ("check ", "version", "doctor", "run iot/air_quality --input")
DEMOS = ("demo", "demo manufacturing/equipment --no-broker")


def runs_alone(line: str) -> bool:
    """Whether an example needs no broker and ends by itself."""
    words = line.removeprefix("lepton-stream ")
    return words in DEMOS or (words.startswith(NO_BROKER) and "--broker" not in words)


@pytest.mark.parametrize(("name", "command"), APP, ids=[name for name, _ in APP])
def test_every_command_says_what_it_does_and_gives_an_example_of_itself(name: str, command: Any) -> None:
    if name == "dashboards check":
        return  # it has no argument and no option
    assert command.help.split("\n")[0].endswith(".")
    assert any(line.startswith(f"lepton-stream {name}") for line in examples(command.help))


@pytest.mark.parametrize("line", [line for line in LINES if runs_alone(line)])
def test_an_example_that_needs_no_broker_runs_as_it_stands(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.chdir(tmp_path)
    plan_file(tmp_path).rename("my.toml")
    Path("events.jsonl").write_bytes(events(20))
    shutil.copytree(str(files("lepton_stream").joinpath("data", "iot", "air_quality")), "data")
    words = [str(p) for word in shlex.split(line)[1:] for p in (sorted(Path().glob(word)) if "*" in word else [word])]
    assert outcome(words) == 0, capsys.readouterr().err


def test_enough_examples_are_run() -> None:
    assert len([line for line in LINES if runs_alone(line)]) >= 8


@pytest.mark.parametrize("line", LINES)
def test_the_options_of_every_example_exist(line: str) -> None:
    words = line.split(" > ", maxsplit=1)[0].split()[1:]
    name = max((n for n, _ in APP if words[: len(n.split())] == n.split()), key=len)
    known = {o for p in dict(APP)[name].params for o in p.opts}
    assert {w for w in words if w.startswith("-") and w != "-"} <= known


def test_what_several_commands_share_is_spelled_and_told_alike() -> None:
    for option in ("--json", "--quiet", "--broker", "--username"):
        shapes = {(tuple(p.opts), p.is_flag) for _, c in APP for p in c.params if option in p.opts}
        assert len(shapes) == 1, option
    broker = {tuple(p.name for p in c.params if panel(p) == BROKER) for _, c in APP}
    assert len(broker) == 2  # all of them, or none


def test_commands_are_listed_sorted(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["--help"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("│ ") and line.split()[1] in COMMANDS]
    for kind in (".app", ""):  # Typer tells groups of commands behind single ones
        names = [n for n in sorted(COMMANDS) if COMMANDS[n].endswith(".app") == (kind == ".app")]
        places = [out.index(f"│ {name} ") for name in names]
        assert places == sorted(places)


def test_the_page_holds_every_command_and_every_option() -> None:
    page = cli_page()
    for name, command in APP:
        assert f"\n## {name}\n" in page
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden and "--help" not in option.opts:
                assert all(f"`{o}`" in page for o in option.opts), option.opts


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("chekc x", "check"),
        ("topics aply x", "apply"),
        ("dlq shwo x", "show"),
        ("check iot/air_qualty", "iot/air_quality"),
    ],
)
def test_a_mistyped_word_gets_the_nearest_one(line: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(line.split()) == 2
    err = capsys.readouterr().err
    assert "id you mean" in err
    assert meant in err


def completed(shell: str, typed: str) -> list[str]:
    """What the installed completion of a shell is told."""
    words = typed.split(" ")
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": typed}
    more = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    env = {**os.environ, **asked, **more, "_LEPTON_STREAM_COMPLETE": f"complete_{shell}"}
    command = [sys.executable, "-c", "from lepton_stream.cli.main import main; main([])"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_pipelines_and_their_sub_commands(shell: str) -> None:
    assert any("air_quality" in w for w in completed(shell, "lepton-stream check iot/"))
    found = " ".join(completed(shell, "lepton-stream topics "))
    assert all(name in found for name in ("plan", "apply", "check"))


def test_toml_files_are_offered_beside_the_shipped_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").touch()
    (tmp_path / "notes.txt").touch()
    assert "iot/air_quality" in offered("")
    assert offered("sh") == ["shop.toml"]
    assert offered("nowhere/") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_can_be_shown(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "lepton_stream", "--show-completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "_LEPTON_STREAM_COMPLETE" in done.stdout
