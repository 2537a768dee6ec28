"""What docs/python.md says works as it stands; the blocks that need a broker run in tests/kafka_pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lepton_stream.pipeline.source import find
from tests.api.page import BROKER, EXAMPLES, ROOT, blocks, module, run, write_events


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sensor_means.py").write_text(module())
    write_events(tmp_path / "events.jsonl")
    return tmp_path


HERE = [block for block in blocks() if BROKER not in block]


@pytest.mark.parametrize("block", HERE, ids=range(len(HERE)))
def test_each_block_without_a_broker_runs(folder: Path, block: str) -> None:
    (folder / "block.py").write_text(block)
    printed = run(folder, "block.py")
    if "events.jsonl" in block:
        assert printed.splitlines()[0] == "s0 1699999980000 19.0"
        assert printed.splitlines()[-1] == "1000 500 500"


def test_every_block_of_the_page_and_every_example_is_clean_under_strict_mypy(folder: Path) -> None:
    files = [folder / f"block_{i}.py" for i, block in enumerate(blocks()) if block != module()]
    for path, block in zip(files, (b for b in blocks() if b != module()), strict=True):
        path.write_text(block)
    wrong = folder / "wrong.py"
    wrong.write_text(
        "from sensor_means import means\n\nfound: int = means.run(input='x').account\nmeans.run(brokr='x')\n"
    )
    settings = folder / "mypy.ini"  # a user's own: nothing of this repository's
    settings.write_text(
        f"[mypy]\nmypy_path = {ROOT}\n[mypy-lepton_stream.*]\nfollow_imports = silent\n"
        "[mypy-faust.*,mode.*,aiokafka.*,pandas.*,cramjam.*]\nignore_missing_imports = True\nfollow_imports = skip\n"
    )
    command: list[str | Path] = [sys.executable, "-m", "mypy", "--strict", "--config-file", settings]
    command += ["--cache-dir", folder / "cache"]
    copies = [folder / "example_gram.py"]
    copies[0].write_text((EXAMPLES / "gram.py").read_text())
    done = subprocess.run([*command, *files, *copies], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*command, wrong], cwd=folder, capture_output=True, text=True, check=False)
    assert "Incompatible types in assignment" in done.stdout
    assert 'did you mean "broker"' in done.stdout


def test_the_task_takes_twelve_lines_at_most_in_both_languages_and_makes_one_plan(folder: Path) -> None:
    def lines(text: str) -> int:
        return sum(bool(line.strip()) and not line.startswith("#") for line in text.splitlines())

    toml = EXAMPLES / "sensor_means.toml"
    assert lines(module() + "means.run(broker=where)") <= 12
    assert lines(toml.read_text()) <= 12
    code = "import sys; from sensor_means import means; sys.stdout.write(means.to_toml())"
    (folder / "written.toml").write_text(run(folder, "-c", code))
    assert find(str(folder / "written.toml")) == find(str(toml))
