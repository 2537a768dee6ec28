"""A Python file where a pipeline is asked for gets the `module:object` to give, without being run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.pipeline.python_file import pipelines_in
from lepton_stream.pipeline.source import find

TEXT = """
import lepton_stream
from lepton_stream import Pipeline
raise SystemExit("it was run")
air = Pipeline("air").source("t", time="ts")
typed: Pipeline = lepton_stream.Pipeline("b").source("t", time="ts").window("w", size="1m")
begun = air.window("w", size="1m")
number = len("Pipeline(x)")
def inside():
    hidden = Pipeline("c")
"""


def refusal(name: str) -> str:
    with pytest.raises(UsageError) as caught:
        find(name)
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "mine.py", folder / "sub" / "mine.py", tmp_path / "other.py", folder / "my-own.py"):
        path.write_text(TEXT)
    (folder / "empty.py").write_text("x = (")
    monkeypatch.chdir(folder)
    return folder


def test_pipelines_bound_at_the_top_are_found() -> None:
    assert pipelines_in(TEXT) == ["air", "typed"]
    assert pipelines_in("x = (") == pipelines_in("\0") == []


def test_a_file_here_and_below_is_named_as_a_module(here: Path) -> None:
    assert refusal("mine.py") == "mine.py is a Python file: expects module:object; give mine:air or mine:typed"
    assert refusal("./sub/mine.py").endswith("give sub.mine:air or sub.mine:typed")
    assert refusal(str(here / "mine.py")).endswith("give mine:air or mine:typed")


def test_a_file_elsewhere_is_named_with_its_folder(here: Path) -> None:
    assert refusal("../other.py").endswith("give other:air or other:typed (in the folder .., or with it in PYTHONPATH)")


def test_files_that_cannot_be_imported_or_are_not_there_are_told(here: Path) -> None:
    assert "rename it" in refusal("my-own.py")
    assert refusal("none.py").startswith("none.py is not there")
    assert refusal("empty.py").endswith("give empty:OBJECT")
