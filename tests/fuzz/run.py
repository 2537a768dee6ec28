"""Every target under atheris, which keeps what reaches new code: `python -m tests.fuzz.run --seconds 60`.

Without atheris the bytes are spoiled by chance for as long. What a target fails on is left in build/fuzz.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from lepton_stream.compiled import cache
from tests.fuzz.mutate import spoiled

FOLDER = Path("build/fuzz")
NAMES = ("json", "csv", "frame", "state", "metadata", "letter", "batch", "compressed")
WATCHED = ["formats", "cleaning", "core", "protocol", "shuffle", "wire", "windows", "columns", "chunk", "runtime.kafka"]
LONGEST = 4096


def main() -> int:
    """All targets, each for its part of the time; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=NAMES)
    parser.add_argument("--by-chance", action="store_true", help="without atheris")
    asked = parser.parse_args()
    if asked.target:
        return one(asked.target, asked.seconds, asked.seed, watched=not asked.by_chance)
    watched = not asked.by_chance and importlib.util.find_spec("atheris") is not None
    print("fuzz: " + ("atheris" if watched else "no atheris here (pip install '.[fuzz]'): bytes spoiled by chance"))
    each = asked.seconds / len(NAMES)
    failed = [name for name in NAMES if part(name, each, asked.seed, watched=watched)]
    print(
        f"fuzz: {len(NAMES) - len(failed)} of {len(NAMES)} targets held"
        + f"; failed: {', '.join(failed)}" * bool(failed)
    )
    return int(bool(failed))


def part(name: str, seconds: float, seed: int, *, watched: bool) -> int:
    """One target in a process of its own: the fuzzer ends its process."""
    how = [] if watched else ["--by-chance"]
    command = [sys.executable, "-m", "tests.fuzz.run", "--target", name, "--seconds", f"{seconds:g}", *how]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=False)
    last = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("Done", "#"))][-1:]
    print(f"  {name}: {'held' if done.returncode == 0 else 'FAILED'}; {' '.join(last)}", flush=True)
    if done.returncode:
        print(done.stdout[-4000:] + done.stderr[-4000:])
    return done.returncode


def one(name: str, seconds: float, seed: int, *, watched: bool) -> int:
    """Fuzz one target in this process."""
    return by_watching(name, seconds, seed) if watched else by_chance(name, seconds, seed)


def by_chance(name: str, seconds: float, seed: int) -> int:
    """For so long; raises what the target raises."""
    from tests.fuzz.seeds import seeds
    from tests.fuzz.targets import TARGETS

    end, runs = time.monotonic() + seconds, 0
    for data in spoiled(seeds()[name], seed):
        if time.monotonic() > end:
            break
        keep(name, data)
        TARGETS[name](data)
        runs += 1
    (FOLDER / f"{name}-last").unlink(missing_ok=True)
    print(f"Done {runs} runs")
    return 0


def keep(name: str, data: bytes) -> None:
    """What is tried now is on the disk, should the process die of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}-last").write_bytes(data)


def by_watching(name: str, seconds: float, seed: int) -> int:
    """libFuzzer ends the process itself."""
    import atheris

    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache.folder()))
    importlib.import_module("lepton_stream.compiled.functions")  # before the rest: what is compiled cannot be watched
    with atheris.instrument_imports(include=[f"lepton_stream.{part}" for part in WATCHED]):
        from tests.fuzz.seeds import seeds
        from tests.fuzz.targets import TARGETS
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for i, data in enumerate(seeds()[name]):
        (corpus / f"seed-{i}").write_bytes(data)
    options = [f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}", f"-max_len={LONGEST}"]
    options += ["-rss_limit_mb=2048", "-timeout=20", f"-artifact_prefix={FOLDER}/{name}-", str(corpus)]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
