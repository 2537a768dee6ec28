"""`lepton-stream`: the commands, and how every error ends (docs/exit-codes.md)."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import typer

from lepton_stream.cli.arguments import spread
from lepton_stream.cli.destinations import SIGPIPE, abandon_stdout
from lepton_stream.errors import LeptonError
from lepton_stream.printable import printable
from lepton_stream.telemetry.catalogue import REFUSED
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.logs import log_is_json

COMMANDS = {
    "bench": "bench.app",
    "run": "run.run",
    "check": "check.check",
    "demo": "demo.demo",
    "topics": "topics.app",
    "feed": "feed.feed_command",
    "tail": "tail.tail",
    "dlq": "dlq.app",
    "explain": "explain.explain",
    "doctor": "doctor.doctor",
    "probe": "probe.probe",
    "dashboards": "dashboards.app",
    "version": "version.version",
}
"""Where each command is: module and name below `lepton_stream.cli`."""


def app_for(argv: Sequence[str]) -> typer.Typer:
    """The application with the command that is asked for, or with all where that is not clear.

    What the others import, the Kafka clients above all, takes longer than many a command.
    """
    app = typer.Typer(
        name="lepton-stream",
        help="A streaming data processor: events in, exact windowed results out, with or without Kafka.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_together)
    for name in argv[:1] if argv and argv[0] in COMMANDS else sorted(COMMANDS):
        module, attribute = COMMANDS[name].split(".")
        command = getattr(importlib.import_module(f"lepton_stream.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _together() -> None:
    """A streaming data processor: events in, exact windowed results out, with or without Kafka."""


_REFUSED: Any = importlib.import_module(typer.BadParameter.__module__).ClickException
"""What typer raises for a command line it does not take: click's, or that of the click which typer carries inside."""

_SIGINT, _SIGTERM = 128 + signal.SIGINT, 128 + signal.SIGTERM


class Terminated(BaseException):
    """SIGTERM came: unwind like Ctrl-C does."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_flushed(outcome(list(sys.argv[1:] if argv is None else argv))))


def outcome(argv: list[str]) -> int:
    """Run a command; its exit code. What a person can act upon is one message on stderr, without a traceback."""
    try:
        code = app_for(argv)(spread(argv), standalone_mode=False, prog_name="lepton-stream")
    except typer.Exit as done:
        return done.exit_code
    except _REFUSED as error:
        error.show()
        return int(error.exit_code)
    except LeptonError as error:
        if log_is_json():
            tell(REFUSED, exit_code=error.exit_code, error=str(error))
        else:
            print("\n".join(map(printable, f"lepton-stream: {error}".split("\n"))), file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _SIGINT
    except Terminated:
        return _SIGTERM
    except OSError as error:  # files are opened, read and written with messages of their own: this is what we print
        return _unprinted(error)
    except SystemExit as left:  # typer and rich leave with 1 when the reader of our output has gone
        abandon_stdout()
        return SIGPIPE if left.code == 1 else int(left.code or 0)
    return code if isinstance(code, int) else 0


def _flushed(code: int) -> int:
    """Write out what was printed while its failure can still be told; the exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
        return SIGPIPE
    except OSError as error:
        return _unprinted(error)
    return code


def _unprinted(error: OSError) -> int:
    abandon_stdout()
    print(f"lepton-stream: standard output: writing failed: {error.strerror}", file=sys.stderr)
    return LeptonError.exit_code
