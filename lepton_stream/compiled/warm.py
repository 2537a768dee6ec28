"""Compile everything into the cache, or copy it from a seed: `python -m lepton_stream.compiled.warm`.

A process of its own at low priority, so that no worker ever stops to compile. Several may be started at the same time:
one compiles, the others wait for it. Killed in the middle, the next one goes on.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from lepton_stream.compiled import cache
from lepton_stream.compiled.parts import PARTS

_LOCK = "lock"


def warm(at: Path, say: Callable[[str], None]) -> None:
    """Until `at` holds everything. Raises OSError where it cannot be written."""
    at.mkdir(parents=True, exist_ok=True)
    with (at / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if cache.ready(at):
                return
        except ValueError:
            cache.empty(at)
        if (source := cache.seed(at)) is not None:
            say(f"copying {source}")
            cache.fill(at, source)
            return
        os.environ["NUMBA_CACHE_DIR"] = str(at)
        for number, part in enumerate(PARTS, 1):
            say(f"compiling {number}/{len(PARTS)}: {part.rsplit('.', 1)[-1]}")
            importlib.import_module(part)
        cache.seal(at)


def main() -> int:
    """0 when the cache holds everything; 1, with the reason on stderr, when it cannot."""
    os.nice(10)
    quiet = "--quiet" in sys.argv

    def say(text: str) -> None:
        if not quiet:
            sys.stdout.write(f"compiled path: {text}\n")
            sys.stdout.flush()

    try:
        at = cache.folder()
        warm(at, say)
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n".splitlines()[0] + "\n")
        return 1
    say(f"ready in {at}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
