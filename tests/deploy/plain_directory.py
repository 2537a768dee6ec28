"""Carries out a Dockerfile's stages in a plain directory: real commands, real files, no daemon.

A stage has its root at one and the same path while it is worked on, as it has `/` in a container: what is compiled
there knows its place. What a later stage copies from it goes through a tar file of whole seconds, as an image's layers
do. The base image is a Python environment that is given.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.deploy.dockerfile import Stage, filled

OURS = re.compile(r"(?<![\w./-])/(?=(?:opt|build|tmp)(?:/|:|$))")
"""Places in the image that stages write to; anything else with a slash in front is the base image's own."""
USER = 10001


class Carried:
    """`root`: where `/` is. `python`: the folder of the base image's `python`, `libraries` that of its libpython."""

    def __init__(self, folder: Path, context: Path, python: Path, libraries: Path | None = None) -> None:
        self.root, self.kept, self.context = folder / "root", folder / "kept", context
        self.kept.mkdir()
        self.base = {"PATH": f"{python}:/usr/bin:/bin", "HOME": str(self.root / "tmp")}
        self.base |= {"LD_LIBRARY_PATH": str(libraries)} if libraries else {}
        self.env: dict[str, str] = {}
        self.cwd = self.root

    def placed(self, text: str) -> str:
        """Paths of the image as paths here."""
        return OURS.sub(f"{self.root}/", text)

    def carry_out(self, stage: Stage) -> None:
        """All its steps; the stage before is kept aside."""
        self.root.mkdir()
        (self.root / "tmp").mkdir(mode=0o1777)
        (self.root / "tmp").chmod(0o1777)
        self.cwd, self.env = self.root, dict(self.base)
        for step in stage.instructions:
            if step.word == "ENV":
                self.env |= {k: self.placed(filled(v, self.env)) for k, v in step.pairs().items()}
            elif step.word == "WORKDIR":
                self.cwd = Path(self.placed(step.value))
                self.cwd.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self.copy(step.value.split())
            elif step.word == "RUN":
                self.run(step.value)

    def keep(self, stage: Stage) -> None:
        """Its root makes way for the next one."""
        self.root.rename(self.kept / stage.name)

    def copy(self, words: list[str]) -> None:
        source = self.context
        if words[0].startswith("--from="):
            source = self.kept / words.pop(0).removeprefix("--from=")
        *names, target = words
        place = Path(self.placed(target)) if target.startswith("/") else self.cwd / target
        for name in names:
            there = source / name.lstrip("/")
            if there.is_dir():
                layered(there, place)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(there, place)

    def run(self, command: str) -> None:
        """As the builder does, by `sh`; pip keeps its cache, that of whoever runs the tests."""
        assert not OURS.search(command), f"names a place of the image, which is elsewhere here: {command}"
        ours = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "XDG_CACHE", "SSL_", "HTTP", "NO_PROXY"))}
        cache = {"PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache/pip"))}
        env = {**ours, **cache, **{k: v for k, v in self.env.items() if k != "PIP_NO_CACHE_DIR"}}
        shell = ["/bin/sh", "-c", command]
        done = subprocess.run(shell, cwd=self.cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"

    def environment(self, **more: str) -> dict[str, str]:
        """What a container's process finds."""
        return {**self.env, **more}

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        """A process of the container: its user, its environment, its folder; stdin is a pipe."""
        user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        program = shutil.which(command[0], path=self.env["PATH"])
        assert program is not None, command
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [program, *command[1:]], cwd=self.cwd, env=self.environment(**more), stdin=pipe, stdout=pipe, stderr=pipe,
            text=True, **user,  # type: ignore[call-overload]
        )  # fmt: skip

    def called(self, *command: str, **more: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of one that ends by itself."""
        process = self.start(*command, **more)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


def layered(source: Path, target: Path) -> None:
    """The tree at another place, with times cut to whole seconds."""
    target.mkdir(parents=True, exist_ok=True)
    without = ["--exclude=__pycache__", "--exclude=*.pyc"] if (source / "__init__.py").exists() else []
    with subprocess.Popen(
        ["tar", "--format=ustar", *without, "-C", str(source), "-cf", "-", "."], stdout=subprocess.PIPE
    ) as packing:
        subprocess.run(["tar", "-C", str(target), "-xpf", "-"], stdin=packing.stdout, check=True)
    assert packing.returncode == 0
