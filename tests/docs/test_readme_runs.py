"""What the README shows works as printed: its Python and TOML blocks, and every command of it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lepton_stream.pipeline.toml_front import load
from tests.acceptance.commands import COMMAND

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
TOML = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
INDENTED = [line.split("   #")[0].strip() for line in re.findall(r"^    (\S.*)$", README, re.MULTILINE)]
COMMANDS = [line for line in INDENTED if line.startswith("lepton-stream ")]
HERE = [
    c
    for c in COMMANDS
    if "--broker embedded" in c or (" check " in c and "topics" not in c) or ("totals" in c and "--input" in c)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a command of the README finds what it names."""
    (tmp_path / "lepton_stream").symlink_to(ROOT / "lepton_stream")
    return tmp_path


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_each_python_block_runs(tmp_path: Path, block: str) -> None:
    ran(tmp_path, sys.executable, "-c", block)


@pytest.mark.parametrize("block", TOML, ids=range(len(TOML)))
def test_each_toml_block_is_a_whole_pipeline(tmp_path: Path, block: str) -> None:
    (tmp_path / "shown.toml").write_text(block)
    assert load(str(tmp_path / "shown.toml")).windows


@pytest.mark.parametrize("command", HERE)
def test_each_command_that_needs_no_cluster_runs(folder: Path, command: str) -> None:
    name, *arguments = shlex.split(command)
    expanded = [str(p.relative_to(folder)) for a in arguments for p in sorted(folder.glob(a))] if "*" in command else []
    given = [b for a in arguments for b in (expanded if "*" in a else [a])]
    assert name == "lepton-stream"
    ran(folder, str(COMMAND), *given)


def test_the_two_commands_for_a_bare_machine_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    made = [line.split()[1] for line in INDENTED if line.startswith("make ")]
    assert made == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in made)


def test_the_readme_has_commands_of_both_kinds_to_try() -> None:
    assert len(HERE) >= 3
    assert len(COMMANDS) - len(HERE) >= 6
