"""`lepton-stream version`."""

from __future__ import annotations

import platform
import sys
from typing import Annotated

import numpy as np
import orjson
import typer

from lepton_stream._version import __version__


def version(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Print the version, and what it runs on.

    For example: lepton-stream version --json
    """
    facts = {"lepton-stream": __version__, "python": platform.python_version(), "numpy": np.__version__}
    if as_json:
        sys.stdout.write(orjson.dumps(facts).decode() + "\n")
    else:
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
