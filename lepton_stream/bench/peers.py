"""The same job in other programs: the checkout knows how to install and run them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lepton_stream.bench.machine import ROOT
from lepton_stream.errors import UsageError

MODULE = "tests.bench.peers"


def peers(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run the checkout's comparison with these arguments; its exit code. Raises UsageError where there is none."""
    place = root / MODULE.replace(".", "/")
    if not (place.is_dir() or place.with_suffix(".py").exists()):
        raise UsageError(
            f"bench peers: the other programs are run by {MODULE} of a checkout of the repository, which is not here; "
            "clone it, `make setup`, and run the command of its .venv"
        )
    return subprocess.run([sys.executable, "-m", MODULE, *arguments], cwd=root, check=False).returncode  # noqa: S603
