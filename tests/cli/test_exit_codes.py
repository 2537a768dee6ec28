"""Every class of error has a documented exit code, and some command that ends with it is tested here or as named."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import lepton_stream
from lepton_stream.cli.main import outcome
from lepton_stream.errors import LeptonError
from lepton_stream.runtime.kafka.errors import ProcessFenced
from scripts.generate_docs import MEANING, exit_codes_page
from tests.runtime.events import events, plan_file

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = ("grafana", "compiled", "agents", "topics")

PRODUCED = {
    1: "run {plan} -i {input} -o /dev/full",
    2: "check iot/nope",
    3: "check {broken}",
    4: "topics check {plan} --broker 127.0.0.1:1",
    7: "doctor --broker 127.0.0.1:1",
}
ELSEWHERE = {
    5: ("tests/kafka/test_admin.py", '"topics", "check", str(pipeline), *broker]) == 5'),
    6: ("tests/kafka/test_members.py", "ended() == 6"),
    8: ("tests/kafka_pipeline/test_bad_input.py", "code == 8"),
    9: ("tests/kafka_pipeline/test_memory.py", "code == 9"),
}


def kinds() -> set[type[LeptonError]]:
    """Every error class of the product."""
    for module in pkgutil.walk_packages(lepton_stream.__path__, "lepton_stream."):
        if not any(f".{name}" in module.name for name in OPTIONAL) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = set[type[LeptonError]](), [LeptonError]
    while todo:
        kind = todo.pop()
        found.add(kind)
        todo += kind.__subclasses__()
    return {kind for kind in found if kind.__module__.startswith("lepton_stream")}


def test_every_error_class_ends_with_a_documented_exit_code_and_says_what_it_is() -> None:
    documented = {kind.exit_code for kind in MEANING}
    for kind in kinds():
        assert kind.exit_code in documented, kind
        assert kind.__doc__, kind
        assert f"| {kind.exit_code} |" in exit_codes_page()
    assert ProcessFenced.exit_code == 6


def test_every_documented_error_code_is_produced_by_a_tested_command() -> None:
    assert {kind.exit_code for kind in MEANING} == PRODUCED.keys() | ELSEWHERE.keys()
    for path, words in ELSEWHERE.values():
        assert words in (ROOT / path).read_text(), path


@pytest.mark.parametrize(("code", "line"), PRODUCED.items())
def test_the_command_ends_with_its_code_and_one_message(
    code: int, line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"plan": str(plan_file(tmp_path)), "input": str(tmp_path / "in.jsonl"), "broken": str(tmp_path / "b.toml")}
    Path(files["input"]).write_bytes(events(20))
    Path(files["broken"]).write_text("name = 1")
    assert outcome(line.format(**files).split()) == code
    err = capfd.readouterr().err
    assert err.count("lepton-stream: ") == 1
    assert "Traceback" not in err
