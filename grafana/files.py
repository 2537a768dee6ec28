"""The dashboards as files: what is built, where it is committed, and whether the two are the same."""

from __future__ import annotations

from pathlib import Path

from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.grafana.build import build
from lepton_stream.grafana.check import problems
from lepton_stream.grafana.overview import OVERVIEW

FOLDER = Path(__file__).resolve().parent / "dashboards"
"""Committed, and carried by the wheel."""
REMEDY = "build it anew: lepton-stream dashboards build"


def built() -> dict[str, bytes]:
    """File name to JSON, of every dashboard."""
    return {"overview.json": build(OVERVIEW)}


def write(folder: Path | None) -> list[Path]:
    """Write all dashboards; into the clone's own folder without one. Raises UsageError where that cannot be."""
    if folder is None and not (FOLDER.parents[1] / "pyproject.toml").is_file():
        raise UsageError(f"dashboards build: {FOLDER} belongs to the installed package: name a folder with --out DIR")
    target = folder or FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, data in built().items():
            (target / name).write_bytes(data)
    except OSError as error:
        raise UsageError(f"--out {target}: cannot be written: {error.strerror}; name another folder") from None
    return [target / name for name in built()]


def check(folder: Path = FOLDER) -> list[str]:
    """What is wrong, one line each: with what is built, and with what is committed besides."""
    fresh = built()
    wrong = [f"{name}: {problem}" for name, data in fresh.items() for problem in problems(data)]
    for name, data in fresh.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{path} is missing; {REMEDY}")
        elif path.read_bytes() != data:
            wrong.append(f"{path} is not what the code builds; {REMEDY}")
    strangers = sorted({p.name for p in folder.glob("*.json")} - set(fresh))
    return [*wrong, *(f"{folder / name}: no code builds it; remove it" for name in strangers)]


def checked() -> list[str]:
    """The names of the dashboards, all good. Raises LeptonError with everything that is wrong."""
    if wrong := check():
        raise LeptonError("\n".join(["dashboards check:", *(f"  - {line}" for line in wrong)]))
    return list(built())
