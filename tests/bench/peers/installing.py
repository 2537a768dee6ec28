"""Installs the peers into `.cache/peers/`, each in a folder of its own; one that cannot be had is skipped, and why."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench.peers.peer_list import PROGRAMS, Peer
from tests.bench.published import CACHE

HOMES = CACHE / "peers"
PATIENCE_S = 900
POM = "{http://maven.apache.org/POM/4.0.0}"
MARK = PROGRAMS / "Mark.java"
RAISED = re.compile(r"(Exception in thread \S+ )?[\w.]+(Error|Exception): ")


class NotHereError(RuntimeError):
    """A peer cannot be installed, built or started on this machine; the message is the reason that is shown."""


def installed(
    peers: Iterable[Peer], install: Callable[[Peer], None], say: Callable[[str], None]
) -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be run, and of the others, by name, why not."""
    ready, skipped = [], dict[str, str]()
    for peer in peers:
        try:
            install(peer)
            ready.append(peer)
        except NotHereError as why:
            skipped[peer.name] = str(why)
            say(f"{peer.name} is skipped: {why}")
    return ready, skipped


def install(peer: Peer) -> None:
    """Make it ready to run; nothing where it is already. Raises NotHereError."""
    if peer.kind == "own":
        return
    if peer.by_bytes and shutil.which("ss") is None:
        raise NotHereError("ss is not installed (Debian: apt install iproute2)")
    home, wanted = HOMES / peer.home, _wanted(peer)
    done = home / "complete"
    if done.exists() and done.read_text() == wanted:
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    print(f"peers: installing {peer.home} into {home}", file=sys.stderr)
    (_virtual_environment if peer.kind == "python" else _maven_project)(peer, home)
    done.write_text(wanted)  # last: an interrupted installation is repeated, never used


def interpreter(peer: Peer) -> list[str]:
    """The beginning of its command line."""
    home = (HOMES / peer.home).absolute()
    if peer.kind == "python":
        return [str(home / "venv/bin/python"), *peer.words]
    return ["java", *peer.words, "-cp", f"{home}/target/classes:{home}/target/dependency/*", "bench.CleanJob"]


def versions(peer: Peer) -> list[str]:
    """Name and pinned version of what is told of it."""
    if peer.kind == "python":
        pinned = dict(line.split("==") for line in _requirements(peer).read_text().split() if "==" in line)
    else:
        root = ET.parse(PROGRAMS / peer.home / "pom.xml").getroot()  # our own file
        named = {entry.tag.removeprefix(POM): entry.text or "" for entry in root.iterfind(f"{POM}properties/*")}
        pinned = {
            found.findtext(f"{POM}artifactId", ""): _filled(found.findtext(f"{POM}version", ""), named)
            for found in root.iter(f"{POM}dependency")
        }
    return [f"{name} {pinned[name]}" for name in peer.names]


def _filled(version: str, named: dict[str, str]) -> str:
    return named[version[2:-1]] if version.startswith("${") else version


def _requirements(peer: Peer) -> Path:
    return PROGRAMS / "requirements" / f"{peer.home}.txt"


def _wanted(peer: Peer) -> str:
    """What an installation is made of: when it changes, it is made again."""
    if peer.kind == "python":
        return f"{sys.version}\n{_requirements(peer).read_text()}"
    return "".join(path.read_text() for path in [*sorted((PROGRAMS / peer.home).iterdir()), MARK])


def _virtual_environment(peer: Peer, home: Path) -> None:
    _run("the virtual environment", sys.executable, "-m", "venv", str(home / "venv"))
    pip = (str(home / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run("pip", *pip, "--requirement", str(_requirements(peer)))


def _maven_project(peer: Peer, home: Path) -> None:
    for program, package in (
        ("java", "openjdk-17-jdk-headless"),
        ("javac", "openjdk-17-jdk-headless"),
        ("mvn", "maven"),
    ):
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not installed (Debian: apt install {package})")
    shutil.copy(PROGRAMS / peer.home / "pom.xml", home)
    source = home / "src/main/java/bench"
    source.mkdir(parents=True)
    for path in (PROGRAMS / peer.home / "CleanJob.java", MARK):
        shutil.copy(path, source)
    goals = ("package", "dependency:copy-dependencies", "-DincludeScope=runtime")
    _run("Maven", "mvn", "-q", "-B", "-f", str(home / "pom.xml"), *goals)


def _run(what: str, *command: str) -> None:
    """Raises NotHereError with the most telling line of what the command said."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"{what}: {error}") from None
    if done.returncode:
        raise NotHereError(f"{what}: {telling_line(done.stdout + done.stderr)}")


def telling_line(said: str) -> str:
    """The last exception, else the first line marked as an error, else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    raised = [line for line in lines if RAISED.match(line)]
    marked = [line for line in lines if line.startswith(("[ERROR]", "ERROR", "error"))]
    return (raised[-1:] or marked or lines[-1:] or ["it ended without a word"])[0][:300]
