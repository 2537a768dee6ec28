"""A run on Kafka from Python: the command, in a process of its own, with this plan.

So a program never shares its signals, its event loop or its memory with the workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from lepton_stream.account import Account
from lepton_stream.api.local import EventsTo
from lepton_stream.api.rows import Row, Run
from lepton_stream.core import Route
from lepton_stream.errors import BrokerError, IntegrityError, LeptonError, PlanError, UsageError
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.to_toml import to_toml
from lepton_stream.runtime.kafka.connect import PREFIX, Connection
from lepton_stream.runtime.kafka.embedded import die_with_parent

STOP_SECONDS = 60.0
EMBEDDED = "embedded"
_SAYS = "lepton-stream: "
_KINDS = {kind.exit_code: kind for kind in (LeptonError, UsageError, PlanError, BrokerError, IntegrityError)}


@dataclass(frozen=True, slots=True)
class OnBroker:
    """How to run on Kafka: what the options of `lepton-stream run` say."""

    broker: str | Connection
    inputs: Sequence[str] = ()
    workers: int = 1
    until_end: bool = False
    create_topics: bool = False
    route: Route = "partials"
    events: EventsTo = None


def run_on_broker(plan: Plan, asked: OnBroker) -> Run:
    """Run until the end, an error or Ctrl-C. Raises UsageError, PlanError, BrokerError, IntegrityError."""
    with TemporaryDirectory(prefix="lepton-stream-") as name:
        folder = Path(name)
        pipeline, output, stats = folder / "pipeline.toml", folder / "results.jsonl", folder / "stats.json"
        pipeline.write_text(to_toml(plan), encoding="utf-8")
        where, environment = _reached(asked.broker)
        if asked.create_topics and where != EMBEDDED:
            _command(["topics", "apply", str(pipeline), "--broker", where], environment)
        ends = asked.until_end or bool(asked.inputs)
        command = ["run", str(pipeline), "--broker", where, "--route", asked.route, "--workers", str(asked.workers)]
        command += [f"--input={path}" for path in asked.inputs]
        command += ["--until-end"] * asked.until_end + [f"--output={output}"] * ends
        told = folder / "events.jsonl" if callable(asked.events) else asked.events
        command += [] if told is None else [f"--events={told}"]
        _command([*command, f"--stats={stats}", "--quiet"], environment)
        if callable(asked.events):
            for row in _rows((folder / "events.jsonl").read_bytes().splitlines()):
                asked.events(row)
        totals = orjson.loads(stats.read_bytes())
        lines = output.read_bytes().splitlines() if ends else []
    return Run(_rows(lines), lambda: Account.from_dict(totals), lambda: dict(totals))


def _rows(lines: Sequence[bytes]) -> Iterator[Row]:
    return (orjson.loads(line) for line in lines)


def _reached(broker: str | Connection) -> tuple[str, Mapping[str, str]]:
    """Where the broker is, and the environment that says how to log in: never a command line, which others can read."""
    if isinstance(broker, str):
        return broker, os.environ
    if broker.token is not None:
        raise UsageError("broker: a connection with `token`, a function, cannot go to worker processes: use token_file")
    said = {f.name: getattr(broker, f.name) for f in fields(broker) if f.name not in ("bootstrap", "token")}
    ours = {f"{PREFIX}{name.upper()}": str(value) for name, value in said.items() if value}
    kept = {name: value for name, value in os.environ.items() if not _says_how(name)}
    return broker.bootstrap, {**kept, **ours}


def _says_how(variable: str) -> bool:
    names = {f.name for f in fields(Connection)} | {"password_file"}
    return variable.startswith(PREFIX) and variable.removeprefix(PREFIX).lower() in names


def _command(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command of ours to its end, its warnings on our stderr; its last word is the error that is raised."""
    command = [sys.executable, "-m", "lepton_stream", *arguments]
    with subprocess.Popen(  # noqa: S603  our own command
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509  a few instructions, no locks
    ) as process:
        assert process.stderr is not None
        try:
            told = _last_word(line.decode(errors="replace") for line in process.stderr)
            code = process.wait()
        except BaseException:  # Ctrl-C above all: workers complete what they have begun
            _stop(process)
            raise
    if code:
        kind = _KINDS.get(code, LeptonError)
        error = kind(told or f"lepton-stream {arguments[0]} ended with exit code {code}; what it told is above")
        error.exit_code = code  # type: ignore[misc]  # the command's own
        raise error


def _last_word(lines: Iterator[str]) -> str:
    """Passes on what is no error of the command itself; the error's text."""
    told: list[str] = []
    for line in lines:
        if told or line.startswith(_SAYS):
            told.append(line.removeprefix(_SAYS))
        elif sys.stderr is not None:
            sys.stderr.write(line)
    return "".join(told).strip()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)  # reads on: a full pipe would hold up those who tell us why
    except subprocess.TimeoutExpired:
        process.kill()
