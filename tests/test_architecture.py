"""The architecture is a test: imports point one way, the core is pure, files stay small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import (
    AREAS,
    INSIDE,
    PACKAGE,
    ROOT,
    Module,
    imports,
    impure_calls,
    modules,
    too_long,
    wrong_imports,
)

ALL = list(modules())


def listed(problems: list[str]) -> str:
    return "\n" + "\n".join(problems)


def test_imports_point_one_way() -> None:
    problems = [p for m in ALL for p in wrong_imports(m)]
    assert not problems, listed(problems)


def test_pure_code_asks_no_clock_no_dice_and_no_hash() -> None:
    problems = [p for m in ALL for p in impure_calls(m)]
    assert not problems, listed(problems)


def test_files_and_functions_stay_small() -> None:
    problems = [p for m in ALL for p in too_long(m, lines=400, function_lines=60)]
    assert not problems, listed(problems)


def test_every_file_opens_with_a_docstring() -> None:
    bare = [str(m.path) for m in ALL if not m.source.lstrip().startswith(('"""', 'r"""'))]
    assert not bare, listed(bare)


def test_every_package_of_the_repository_is_read() -> None:
    names = {m.name for m in ALL}
    assert {"", "errors", "columns", "pipeline.plan", "agents", "topics", "grafana"} <= names
    assert len(names) == len(ALL)


def test_only_the_command_line_knows_the_command_line_and_nobody_knows_the_agents() -> None:
    knowing = {a for a, area in AREAS.items() if "cli" in area.knows or "agents" in area.knows}
    assert knowing == {"cli", "agents", "__main__"}


def test_kafka_terminal_and_metric_libraries_stay_in_their_places() -> None:
    def users(library: str) -> set[str]:
        return {name for name, area in AREAS.items() if library in area.uses}

    assert users("aiokafka") == {"runtime.kafka"}
    assert users("faust") == {"runtime.kafka", "agents"}
    assert users("typer") == {"cli"}
    assert users("rich") == {"cli", "lepton"}
    assert users("prometheus_client") == {"telemetry"}


def test_excused_imports_are_still_there_and_say_why() -> None:
    there = {(m.name, i.name) for m in ALL for i in imports(m) if i.inside}
    assert set(INSIDE) <= there
    assert all(len(reason) > 10 for reason in INSIDE.values())


def planted(name: str, source: str) -> Module:
    return Module(name, Path(f"{PACKAGE}/{name.replace('.', '/')}.py"), source)


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("kernels.mean", "from lepton_stream.core import prepare", "kernels must not import core"),
        ("kernels.mean", "from lepton_stream import core", "kernels must not import core"),
        ("kernels.mean", "import lepton_stream.runtime.local", "kernels must not import runtime.local"),
        ("kernels.mean", "import pandas", "kernels must not import pandas"),
        ("kernels.mean", "def f():\n    import scipy", "kernels must not import scipy"),
        ("kernels.mean", "def f():\n    import math", "inside a function"),
        ("kernels.mean", "if TYPE_CHECKING:\n    import faust", "kernels must not import faust"),
        ("kernels.mean", "from .count import Count", "relative import"),
        ("windows.late", "import random", "windows must not import random"),
        ("windows.late", "import time", "windows must not import time"),
        ("columns", "from lepton_stream.pipeline.plan import Plan", "columns must not import pipeline.plan"),
        ("pipeline.check", "from lepton_stream.kernels.functions import bind", "must not import kernels.functions"),
        ("core", "from lepton_stream.runtime.kafka import group", "core must not import runtime.kafka.group"),
        ("runtime.local", "import aiokafka", "runtime must not import aiokafka"),
        ("runtime.local", "from rich.progress import Progress", "runtime must not import rich.progress"),
        ("runtime.kafka.app", "from lepton_stream.agents import prepare", "runtime.kafka must not import agents"),
        ("runtime.local", "from lepton_stream.agents.prepare import prepare", "runtime must not import agents.prepare"),
        ("agents.prepare", "from lepton_stream.cli.main import main", "agents must not import cli.main"),
        ("agents.prepare", "import prometheus_client", "agents must not import prometheus_client"),
        ("brandnew.thing", "", "no area covers brandnew.thing"),
    ],
)
def test_a_planted_wrong_import_is_found(name: str, source: str, problem: str) -> None:
    assert problem in "\n".join(wrong_imports(planted(name, source)))


def test_a_right_import_is_not_reported() -> None:
    source = "import math\nimport numpy\nfrom lepton_stream.columns import Text\nfrom lepton_stream import __version__"
    assert list(wrong_imports(planted("kernels.mean", source))) == []
    assert list(wrong_imports(planted("runtime.frames", "def f():\n    import polars"))) == []


@pytest.mark.parametrize(
    "call",
    [
        "hash(x)",
        "time.time()",
        "datetime.now()",
        "datetime.datetime.now(UTC)",
        "date.today()",
        "random.random()",
        "np.random.rand(3)",
        "np.random.default_rng()",
        "uuid.uuid4()",
        "os.urandom(8)",
    ],
)
def test_a_planted_impure_call_is_found_in_pure_code_only(call: str) -> None:
    assert len(list(impure_calls(planted("core", f"def f(x):\n    return {call}")))) == 1
    assert list(impure_calls(planted("runtime.local", call))) == []


def test_planted_long_files_and_functions_are_found() -> None:
    body = "def f():\n" + "    pass\n" * 9
    assert len(list(too_long(planted("core", body), lines=10, function_lines=9))) == 1
    assert len(list(too_long(planted("core", body), lines=9, function_lines=10))) == 1
    assert list(too_long(planted("core", body), lines=10, function_lines=10)) == []


def test_the_checker_reads_the_linked_folders_at_their_real_place() -> None:
    paths = {m.name: m.path for m in ALL}
    assert paths["agents"] == Path("agents/__init__.py")
    assert not (ROOT / paths["agents"]).is_symlink()
