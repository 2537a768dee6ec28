"""The product as its users start it: a process of its own, on a core of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from lepton_stream.bench.cores import cores, pin
from lepton_stream.bench.fresh import GiB, use_once
from lepton_stream.errors import BrokerError, LeptonError

_SAID = 2000
"""Characters of a failed command's last words that are told."""


@dataclass(frozen=True, slots=True)
class Command:
    """`lepton-stream`, of this installation or, with `source`, of another source tree under the same interpreter.

    `core`: where it is held; None: anywhere. `at_hand`: bytes of memory that the machine is made to have ready for it.
    """

    source: Path | None = None
    core: int | None = None
    at_hand: int = 0
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """How it is started."""
        return [sys.executable, "-P", "-m", "lepton_stream"]  # -P: a source tree we stand in is not what is measured

    @property
    def environment(self) -> dict[str, str]:
        """Waits for the compiled path: what is measured is the state that a service is in after a second."""
        told = {**os.environ, "LEPTON_STREAM_COMPILED": "on", **self.more}
        told.pop("KAFKA_BOOTSTRAP", None)
        if self.source is not None:
            told["PYTHONPATH"] = str(self.source)
        return told

    def _prepare(self) -> None:
        if self.at_hand:
            use_once(self.at_hand)

    def start(
        self, *arguments: object, log: Path | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """In the background; what it says goes to `log`."""
        self._prepare()
        out = log.open("ab") if log else subprocess.DEVNULL
        try:
            process = subprocess.Popen(  # noqa: S603  (our own command)
                [*self.words, *map(str, arguments)], stdin=stdin, stdout=out, stderr=out,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        finally:
            if not isinstance(out, int):
                out.close()
        if self.core is not None:
            pin(process.pid, self.core)
        return process

    def run(self, *arguments: object) -> None:
        """To its end. Raises LeptonError with its last words where it fails."""
        self._prepare()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603  (our own command)
                [*self.words, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=said, env=self.environment,
            )  # fmt: skip
            with Ended(process):
                if self.core is not None:
                    pin(process.pid, self.core)
                process.wait()
            said.seek(0)
            if process.returncode:
                last = said.read().decode(errors="replace")[-_SAID:].strip()
                kind = BrokerError if process.returncode == BrokerError.exit_code else LeptonError
                raise kind(f"bench: `lepton-stream {arguments[0]}` ended with exit code {process.returncode}: {last}")


def measured(source: Path | None = None, more: Mapping[str, str] | None = None) -> Command:
    """The command on the core of what is measured, with memory at hand; `more`: environment."""
    return Command(source, cores()[1], GiB, more or {})


def last_words(log: Path) -> str:
    """Of a command that has ended, by its log."""
    return log.read_text(encoding="utf-8", errors="replace")[-_SAID:].strip()


class Ended(AbstractContextManager["Ended"]):
    """A process that has ended when the block is left, whatever happens."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def totals_of(path: Path) -> dict[str, Any]:
    """What `--stats` wrote."""
    told: dict[str, Any] = orjson.loads(path.read_bytes())
    return told


def rows_of(path: Path) -> list[dict[str, Any]]:
    """What `--output` wrote."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
