"""The wheel holds every file of the linked folders, and nothing beside the package (docs/decisions/0001)."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("agents", "topics", "grafana")
CARRIED = ("*.py", "*.toml", "*.gz", "*.md", "*.json", "*.yaml", "*.yml", "py.typed")


def sdist_names(dist: Path) -> list[str]:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        return sdist.getnames()


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=env or None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def package_files() -> set[str]:
    """Every file the repository has below lepton_stream/, as the wheel should name it."""
    names = set()
    for folder in (ROOT / "lepton_stream", *(ROOT / name for name in LINKED)):
        prefix = "" if folder.name == "lepton_stream" else "lepton_stream/"
        for pattern in CARRIED:  # rglob does not follow the links: each file is met once, at its real place
            names |= {prefix + str(path.relative_to(ROOT)) for path in folder.rglob(pattern) if path.is_file()}
    return names


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the repository, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed by pip, alone; its dependencies are those of this environment."""
    target = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--no-compile", "--target", target, wheel, cwd=target)
    return target


def test_the_folders_are_reached_through_links_inside_the_package() -> None:
    for name in LINKED:
        assert (ROOT / "lepton_stream" / name).is_symlink(), f"lepton_stream/{name}: clone with core.symlinks=true"
        assert (ROOT / "lepton_stream" / name).resolve() == ROOT / name


def test_wheel_holds_every_file_of_the_package_and_of_the_linked_folders(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert package_files() - names == set()
    assert {f"lepton_stream/{name}/__init__.py" for name in LINKED} <= names


def test_wheel_carries_the_sample_data_and_the_pipelines(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = {str(p.relative_to(ROOT)) for p in (ROOT / "lepton_stream/data").rglob("*.?sv.*z")}
    assert sum(name.endswith(".csv.gz") and "/air_quality/" in name for name in data) == 6
    assert data <= set(names)
    pipelines = {str(p.relative_to(ROOT)) for p in (ROOT / "lepton_stream/pipelines").rglob("*.toml")}
    assert pipelines <= set(names)


def test_wheel_puts_nothing_beside_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"lepton_stream", next(t for t in tops if t.endswith(".dist-info"))}


def test_wheel_and_sdist_carry_licence_and_notice(wheel: Path, dist: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    sdist = sdist_names(dist)
    for name in ("LICENSE", "NOTICE"):
        assert any(n.endswith(f".dist-info/licenses/{name}") for n in inside)
        assert any(n.count("/") == 1 and n.endswith(f"/{name}") for n in sdist)


def test_sdist_holds_the_linked_folders_once(dist: Path) -> None:
    names = sdist_names(dist)
    top = names[0].split("/")[0]
    for name in LINKED:
        found = [n for n in names if n.endswith(f"{name}/__init__.py")]
        assert found == [f"{top}/lepton_stream/{name}/__init__.py"]


@pytest.mark.parametrize("name", LINKED)
def test_installed_package_imports_its_linked_folders_from_anywhere(installed: Path, tmp_path: Path, name: str) -> None:
    code = f"import lepton_stream.{name} as m; print(m.__file__)"
    where = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(where.strip()) == installed / "lepton_stream" / name / "__init__.py"


@pytest.mark.parametrize("name", LINKED)
def test_a_second_copy_of_a_linked_folder_is_refused(name: str) -> None:
    code = f"import {name}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"import lepton_stream.{name}, not {name}" in done.stderr
