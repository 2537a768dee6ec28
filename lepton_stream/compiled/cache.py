"""Where the machine code is kept between runs, and whether what lies there is whole.

A folder for each version of anything that the code depends on. `ready.json` is written last, in one step, and names
every file with its digest: what is not as it says is not loaded, since damaged machine code would end the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from lepton_stream._version import __version__

_READY = "ready.json"
_CPU_LINES = ("model name", "flags", "Features", "CPU part")


def folder() -> Path:
    """`LEPTON_STREAM_CACHE`, else the user's cache folder; below it one folder for this machine and these versions."""
    told = os.environ.get("LEPTON_STREAM_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(told) if told else Path(home) / "lepton-stream") / f"compiled-{__version__}-{_key()}"


def seed(at: Path) -> Path | None:
    """What `at` may be filled from: a cache below `LEPTON_STREAM_CACHE_SEED` that was sealed for the same machine.

    It may be read-only, as the layers of an image are. Numba wants to write where it reads, so it is copied.
    """
    told = os.environ.get("LEPTON_STREAM_CACHE_SEED")
    if not told:
        return None
    there = Path(told) / at.name
    try:
        return there if ready(there) else None
    except ValueError:
        return None


def fill(at: Path, source: Path) -> None:
    """Everything that `source` holds, and the seal last."""
    for name in json.loads((source / _READY).read_bytes()):
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, at / name)
    seal(at)


def _key() -> str:
    """Also by the times of our sources: Numba compiles anew when they differ, and no worker may wait for that."""
    sources = [f"{p}:{p.stat().st_mtime_ns}:{p.stat().st_size}" for p in sorted(Path(__file__).parent.glob("*.py"))]
    versions = [sys.version, metadata.version("numba"), metadata.version("llvmlite"), metadata.version("numpy")]
    return hashlib.blake2b("\n".join([*versions, *sources, _cpu()]).encode(), digest_size=8).hexdigest()


def _cpu() -> str:
    """The processor that the code is for: the one that Numba was told, else this one."""
    if told := os.environ.get("NUMBA_CPU_NAME"):
        return f"{platform.machine()} {told} {os.environ.get('NUMBA_CPU_FEATURES', '')}"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(sorted({line for line in lines if line.startswith(_CPU_LINES)}))


def ready(at: Path) -> bool:
    """Whether everything was compiled. Raises ValueError if it was, and is no longer as it was written."""
    try:
        told = json.loads((at / _READY).read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise ValueError(f"{at / _READY} cannot be read ({error})") from error
    if not told or not told.items() <= _digests(at).items():
        raise ValueError(f"files in {at} are not as they were written")
    return True


def seal(at: Path) -> None:
    """All is compiled: from now on workers may load it."""
    half = at / f".{_READY}.{os.getpid()}"
    half.write_text(json.dumps(_digests(at)), encoding="utf-8")
    half.replace(at / _READY)


def empty(at: Path) -> None:
    """Begin again: nothing of it is of use. The lock stays: somebody may hold it."""
    (at / _READY).unlink(missing_ok=True)
    for path in at.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _digests(at: Path) -> dict[str, str]:
    found = sorted(p for p in at.rglob("*.nb?") if p.is_file())
    return {str(p.relative_to(at)): hashlib.blake2b(p.read_bytes(), digest_size=16).hexdigest() for p in found}
