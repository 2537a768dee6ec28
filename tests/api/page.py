"""The code blocks of docs/python.md as programs, and the records that they read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
BROKER = "localhost:9092"


def blocks() -> list[str]:
    """All Python blocks, in the order of the page."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/python.md").read_text(), re.MULTILINE | re.DOTALL)


def module() -> str:
    """The block that the page says to save: what the others import."""
    (found,) = (block for block in blocks() if block.startswith("# sensor_means.py\n"))
    return found


def write_events(path: Path) -> None:
    """500 events, each of them twice, of two sensors, one a second."""
    once = [{"id": i, "sensor": f"s{i % 2}", "ts": 1_700_000_000_000 + 1000 * i, "value": float(i)} for i in range(500)]
    path.write_text("".join(json.dumps({**e, "id": f"e{e['id']}"}) + "\n" for e in once for _ in range(2)))


def run(folder: Path, *command: str | Path) -> str:
    """What a Python program prints."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", *map(str, command)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
