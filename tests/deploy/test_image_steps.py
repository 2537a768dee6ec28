"""The image's steps carried out for real, in a plain directory; what runs there is what a container would run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Stage, stages
from tests.deploy.plain_directory import Carried

ROOT = Path(__file__).resolve().parents[2]
WHEEL, INSTALLED, FINAL = stages(ROOT / "deploy/image/Dockerfile")
SAMPLE = sorted((ROOT / "lepton_stream/data/iot/air_quality").glob("*.csv.gz"))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not below pytest's own, which other users may not enter."""
    made = Path(tempfile.mkdtemp(prefix="lepton-image-"))
    made.chmod(0o755)
    yield made
    subprocess.run(["chmod", "-R", "u+w", str(made)], check=True)
    shutil.rmtree(made)


# ---- quick: the wheel's stage, by the packages that are here


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    """From the files that the first stage copies and no others."""
    (folder / "quick").mkdir()
    carried = Carried(folder / "quick", ROOT, Path(sys.executable).parent)
    offline = tuple(i for i in WHEEL.instructions if "pip install" not in i.value)
    carried.carry_out(Stage(WHEEL.name, WHEEL.base, offline))
    (found,) = (carried.root / "build/dist").glob("*.whl")
    return found


def test_what_the_first_stage_copies_makes_a_whole_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    packages = {p: f"lepton_stream/{p}/" for p in ("agents", "topics", "grafana")} | {"lepton_stream": "lepton_stream/"}
    here = {
        prefix + str(path.relative_to(ROOT / name))
        for name, prefix in packages.items()
        for path in (ROOT / name).rglob("*.py")
    }
    assert here - inside == set()
    assert {f"lepton_stream/data/iot/air_quality/{p.name}" for p in SAMPLE} <= inside


def test_the_wheel_alone_serves_commands_and_writes_nothing_beside_itself(wheel: Path, folder: Path) -> None:
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    subprocess.run(["chmod", "-R", "a-w", str(site)], check=True)
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "LEPTON_STREAM_COMPILED": "off"}

    def said(*words: str) -> str:
        command = [sys.executable, "-m", "lepton_stream", *words]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout

    assert "air-quality: good" in said("check", "iot/air_quality")
    rows = said("run", "iot/air_quality", "--quiet", "--input", *map(str, SAMPLE)).splitlines()
    assert len(rows) == 168
    assert list(site.rglob("*.pyc")) == []


# ---- slow: all stages, from the package index on


@pytest.fixture(scope="module")
def image(folder: Path) -> Carried:
    """As `docker build` leaves it."""
    (folder / "whole").mkdir()
    carried = Carried(folder / "whole", ROOT, *base_python(folder))
    for stage in (WHEEL, INSTALLED):
        carried.carry_out(stage)
        carried.keep(stage)
    carried.carry_out(FINAL)
    return carried


def base_python(folder: Path) -> tuple[Path, Path | None]:
    """The folder of a fresh environment's `python` that other users may run, and of libpython where it was copied."""
    interpreter, libraries = Path(sys.executable).resolve(), None
    if not all(p.stat().st_mode & stat.S_IXOTH for p in interpreter.parents):
        skipped = shutil.ignore_patterns("test", "site-packages", "__pycache__")
        shutil.copytree(sys.base_prefix, folder / "python", symlinks=True, ignore=skipped)
        interpreter, libraries = folder / "python/bin" / interpreter.name, folder / "python/lib"
    subprocess.run([interpreter, "-m", "venv", folder / "base"], check=True)
    return folder / "base/bin", libraries


def entrypoint(*words: str) -> list[str]:
    return [*FINAL.one("ENTRYPOINT").words(), *words]


@pytest.mark.slow
def test_the_entrypoint_tells_its_version_and_checks_a_pipeline(image: Carried) -> None:
    code, out, err = image.called(*entrypoint("version"))
    assert (code, err) == (0, "")
    assert out.startswith("lepton-stream ")
    assert str(image.root) in str(shutil.which("lepton-stream", path=image.env["PATH"]))
    code, out, _ = image.called(*entrypoint("check", "iot/air_quality"))
    assert (code, out.splitlines()[-1].split(" (")[0]) == (0, "air-quality: good")


@pytest.mark.slow
def test_nothing_in_the_image_may_be_written_by_its_user_but_tmp(image: Carried) -> None:
    code, out, _ = image.called("find", str(image.root), "-writable", "-not", "-type", "l")
    assert code == 0
    assert [line for line in out.splitlines() if not line.startswith(f"{image.root}/tmp")] == []


@pytest.mark.slow
def test_the_first_start_copies_the_compiled_code_of_the_image_and_compiles_nothing(image: Carried) -> None:
    cache = image.root / "tmp"
    assert not list(cache.glob("compiled-*"))
    code, out, err = image.called("python", "-m", "lepton_stream.compiled.warm")
    assert (code, err) == (0, "")
    assert "copying" in out
    assert "compiling" not in out
    assert digests(cache) == digests(image.root / "opt/lepton/compiled")


def digests(folder: Path) -> dict[str, str]:
    files = [p for p in folder.rglob("*.nb?") if p.is_file()]
    assert files
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_a_run_in_the_image_gives_the_results_of_a_run_here_on_the_compiled_path(image: Carried) -> None:
    sample = sorted(map(str, (image.root / "opt/lepton").rglob("air_quality/*.csv.gz")))
    stats = image.root / "tmp/totals.json"
    words = entrypoint("run", "iot/air_quality", "--quiet", "--stats", str(stats), "--input", *sample)
    code, out, err = image.called(*words, LEPTON_STREAM_COMPILED="on", LEPTON__METRICS="off")
    assert (code, err) == (0, "")
    assert json.loads(stats.read_bytes())["path"] == "compiled"
    here = [sys.executable, "-m", "lepton_stream", "run", "iot/air_quality", "--quiet", "--input", *map(str, SAMPLE)]
    assert out == subprocess.run(here, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_the_health_check_follows_a_run_and_sigterm_ends_it_in_time(image: Carried) -> None:
    check = json.loads(FINAL.one("HEALTHCHECK").value.partition("CMD ")[2])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = {"LEPTON__METRICS": f"0.0.0.0:{port}"}
    code, _, err = image.called(*check, **where)
    assert (code, err.split(":")[0]) == (7, "lepton-stream")
    service = image.start(*entrypoint("run", "iot/air_quality", "--input", "-", "--output", "-"), **where)
    try:
        code, out, err = image.called(*check, "--wait", "30", **where)
        assert (code, out, err) == (0, "live: yes\n", "")
        status = Path(f"/proc/{service.pid}/status").read_text()
        if os.geteuid() == 0:
            assert "Uid:\t10001\t10001\t10001\t10001" in status
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=30) == 143
    finally:
        service.kill()
        service.communicate()
