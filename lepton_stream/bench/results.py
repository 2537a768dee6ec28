"""What was measured, kept as one JSON document: a section for each benchmark, the newest run of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from lepton_stream.errors import UsageError

SECTIONS = ("engine", "long", "domains", "end_to_end", "scale", "autopilot", "compare")
VARIANTS = "throughput"
"""The part of a section that is measured of several workloads, each by itself."""


def read(path: Path) -> dict[str, Any]:
    """The document. Raises UsageError where there is none or it is none of ours."""
    try:
        told = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): measure first, for example: "
            f"lepton-stream bench engine --record {path}"
        ) from None
    except ValueError as error:
        raise UsageError(f"{path} is no JSON ({error}): delete it and measure again") from None
    if not isinstance(told, dict) or not told.keys() <= set(SECTIONS):
        raise UsageError(f"{path} holds no benchmarks: expects an object with some of {', '.join(SECTIONS)}")
    return told


def record(path: Path, section: str, told: Mapping[str, Any]) -> None:
    """Replace a section; parts of it that were not measured this time stay. Raises UsageError."""
    whole = read(path) if path.exists() else {}
    before = whole.get(section, {})
    whole[section] = {**before, **told}
    if VARIANTS in before and VARIANTS in told:
        whole[section][VARIANTS] = {**before[VARIANTS], **told[VARIANTS]}
    written({path: orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n"})


def written(files: Mapping[Path, str]) -> None:
    """Write these texts. Raises UsageError."""
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror}); name another file") from None
