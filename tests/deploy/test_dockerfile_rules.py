"""What is promised of the image, read off its Dockerfile."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest

from lepton_stream import __version__
from tests.deploy.dockerfile import Instruction, instructions, stages

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "deploy/image"
STAGES = stages(IMAGE / "Dockerfile")
FINAL = STAGES[-1]
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+(?:-[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")


def test_the_sources_stay_behind_in_earlier_stages() -> None:
    assert [s.name for s in STAGES] == ["wheel", "installed", "final"]
    copies = [i.value.split() for i in FINAL.all("COPY")]
    assert copies == [["--from=installed", "/opt/lepton", "/opt/lepton"]]
    assert FINAL.all("RUN") == []


def test_every_stage_has_the_same_base_image_pinned_to_a_version() -> None:
    bases = {s.base for s in STAGES}
    assert len(bases) == 1
    assert PINNED.fullmatch(bases.pop())


def test_it_runs_as_a_user_by_number_that_is_not_root() -> None:
    assert FINAL.one("USER").value == "10001:10001"
    last = [i.word for i in FINAL.instructions].index("USER")
    assert all(i.word not in ("RUN", "COPY", "USER") for i in FINAL.instructions[last + 1 :])


def test_nothing_is_fetched_by_address_and_no_secret_is_an_argument() -> None:
    every = [i for s in STAGES for i in s.instructions]
    assert all(i.word != "ADD" and "://" not in i.value for i in every)
    named = [name for i in every if i.word in ("ARG", "ENV") for name in i.pairs()]
    assert not [n for n in named if re.search("PASSWORD|TOKEN|SECRET|KEY", n)]


def test_every_installation_is_pinned_by_the_constraints() -> None:
    installs = [i.value for s in STAGES for i in s.all("RUN") if re.search(r"pip\b.* install", i.value)]
    assert len(installs) == 2
    assert all("-c constraints.txt" in line for line in installs)


def test_entrypoint_and_health_check_are_the_product_itself_and_need_no_shell() -> None:
    assert FINAL.one("ENTRYPOINT").words() == ["lepton-stream"]
    options, _, command = FINAL.one("HEALTHCHECK").value.partition(" CMD ")
    assert Instruction("CMD", command).words() == ["lepton-stream", "probe", "live"]
    assert set(re.findall(r"--([\w-]+)=", options)) == {"interval", "timeout", "start-period", "retries"}
    assert FINAL.one("STOPSIGNAL").value == "SIGTERM"


def test_the_labels_tell_version_and_licence_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = FINAL.one("LABEL").pairs()
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.description"] == project["description"]
    assert labels["org.opencontainers.image.version"] == "${VERSION}"
    assert FINAL.one("ARG").pairs() == {"VERSION": __version__}


def test_the_compiled_code_is_for_the_processor_that_the_container_asks_for() -> None:
    env = {k: v for i in FINAL.all("ENV") for k, v in i.pairs().items()}
    built = {k: v for s in STAGES if s.name == "installed" for i in s.all("ENV") for k, v in i.pairs().items()}
    assert env["NUMBA_CPU_NAME"] == built["NUMBA_CPU_NAME"] == "generic"
    assert env["LEPTON_STREAM_CACHE_SEED"] == built["LEPTON_STREAM_CACHE"]


def test_the_builder_is_sent_all_that_is_copied_and_no_more() -> None:
    lines = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    sent = {line.removeprefix("!") for line in rules if line.startswith("!")}
    words = [i.value.split()[:-1] for s in STAGES for i in s.all("COPY") if not i.value.startswith("--from")]
    assert sent == {name for names in words for name in names}
    assert all((ROOT / name).exists() for name in sent)
    assert any(fnmatch.fnmatch("lepton_stream/x.pyc", rule) for rule in rules if rule != "*")


def test_continued_lines_and_comments_are_read_as_docker_reads_them() -> None:
    text = '# c\nFROM a:1.2.3 AS b\nENV X=1 \\\n    # inside\n    Y=\'2 3\'\nCMD ["d", "e f"]\n'
    base, env, command = instructions(text)
    assert (base.word, base.value) == ("FROM", "a:1.2.3 AS b")
    assert env.pairs() == {"X": "1", "Y": "2 3"}
    assert command.words() == ["d", "e f"]


@pytest.mark.parametrize("name", ["python", "python:latest", "python:3", "python:3.11", "python:3.11-slim"])
def test_an_image_that_is_not_pinned_is_found(name: str) -> None:
    assert not PINNED.fullmatch(name)
