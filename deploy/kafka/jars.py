"""The jars of Apache Kafka, fetched once by Maven and kept in the user's cache directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "4.1.0"
POM = Path(__file__).with_name("pom.xml")


class SetupError(RuntimeError):
    """Something that a person has to install or mend before a broker can start."""


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/lepton-stream/kafka-4.1.0`, else the same under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lepton-stream" / f"kafka-{VERSION}"


def tool(name: str, package: str) -> str:
    """Path of a program. Raises SetupError that names the Debian package to install."""
    path = shutil.which(name)
    if path is None:
        raise SetupError(f"{name} is not installed: it is needed for Apache Kafka (Debian: apt install {package})")
    return path


def jars() -> Path:
    """The directory with Kafka's jars; the first call fetches them (46 files, 43 MB) and shows Maven's progress.

    Raises SetupError where Maven is missing or fails.
    """
    target = cache_directory()
    done = target / ".complete"
    if done.exists():
        return target
    target.mkdir(parents=True, exist_ok=True)
    maven = tool("mvn", "maven")
    sys.stderr.write(f"fetching Apache Kafka {VERSION} into {target}\n")
    command = [maven, "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={target}"]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:  # noqa: S603  (a fixed command)
        raise SetupError(f"Maven could not fetch Apache Kafka {VERSION}; its output above says why")
    # Written last: an interrupted fetch is repeated, never used.
    done.touch()
    return target
