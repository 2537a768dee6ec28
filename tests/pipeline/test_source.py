from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from lepton_stream.errors import LeptonError, PlanError, UsageError
from lepton_stream.pipeline.source import find, shipped
from tests.pipeline.plans import EXAMPLE, example

MODULE = """
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.kernels import calls as k

class Ours:
    air = (Pipeline("air-quality").source("iot.air.readings.v1", time="ts", key="station", id=["station", "ts"])
           .field("pm25", float, min=0, max=1000).field("no2", float, required=False)
           .window("hour", size="1h", lateness="10m", n=k.count(), mean=k.mean("pm25")))

plan = Ours.air.plan
number = 5
unfinished = Pipeline("air")
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory of its own; the import path and the modules are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("my_pipes", "my_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def refusal(name: str, kind: type[LeptonError]) -> str:
    with pytest.raises(kind) as caught:
        find(name)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_shipped_names_are_plans() -> None:
    assert "iot/air_quality" in shipped()
    for name in shipped():
        assert find(name).windows


def test_unknown_name_lists_the_nearest_and_all_shipped() -> None:
    message = refusal("iot/air_qualty", UsageError)
    assert message.startswith("no pipeline iot/air_qualty. Did you mean iot/air_quality? Shipped: ")
    assert ", ".join(shipped()) in message


def test_a_file_is_found_by_its_path_whatever_its_ending(here: Path) -> None:
    (here / "mine.toml").write_text(EXAMPLE)
    (here / "mine").write_text(EXAMPLE)
    assert find("mine.toml") == find("mine") == find(str(here / "mine.toml")) == example()


def test_a_plan_may_come_through_a_pipe(here: Path) -> None:
    os.mkfifo(here / "plan")
    writer = threading.Thread(target=(here / "plan").write_text, args=(EXAMPLE,))
    writer.start()
    assert find(str(here / "plan")) == example()
    writer.join()


def test_missing_toml_file_is_told() -> None:
    assert (
        refusal("no/such.toml", UsageError)
        == "no/such.toml: cannot be read: No such file or directory; check the path and its permissions"
    )


def test_module_in_the_current_directory_is_found(here: Path) -> None:
    (here / "my_pipes.py").write_text(MODULE)
    assert find("my_pipes:Ours.air") == find("my_pipes:plan") == example()


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("my_pipes:", UsageError, "my_pipes:: expects module:object, such as my_pipelines:air"),
        ("my pipes:x", UsageError, "my pipes:x: expects module:object"),
        ("my_pipes:plann", UsageError, "my_pipes:plann: my_pipes has no plann (did you mean plan?)"),
        ("my_pipes:number", UsageError, "my_pipes:number is a int: expects a Pipeline or a Plan"),
        ("my_pipes:unfinished", PlanError, "air: the pipeline is not usable\n  - source is missing"),
        ("my_pypes:plan", UsageError, "no module my_pypes, looked for in "),
        ("my_pipes.sub:plan", UsageError, "no module my_pipes.sub"),
    ],
)
def test_what_is_wrong_with_a_module_name_is_told(here: Path, name: str, kind: type[LeptonError], message: str) -> None:
    (here / "my_pipes.py").write_text(MODULE)
    assert refusal(name, kind).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_thing", "my_broken cannot be imported: No module named 'no_such_thing'"),
        ("1 / 0", "my_broken cannot be imported: ZeroDivisionError: division by zero"),
        ("def (", "my_broken cannot be imported: SyntaxError: "),
        ("raise SystemExit(3)", "my_broken cannot be imported: SystemExit: 3"),
    ],
)
def test_import_errors_are_told_without_a_traceback(here: Path, text: str, message: str) -> None:
    (here / "my_broken.py").write_text(text)
    assert refusal("my_broken:x", PlanError).startswith(message)


def test_problems_of_a_plan_made_at_import_are_told_as_they_are(here: Path) -> None:
    (here / "my_broken.py").write_text("from lepton_stream.pipeline.builder import Pipeline\nPipeline('air').plan\n")
    with pytest.raises(PlanError, match="source is missing"):
        find("my_broken:x")
