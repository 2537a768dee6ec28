"""`lepton-stream`: the commands, and how every error ends (docs/exit-codes.md)."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click
import typer

from lepton_stream.cli import check, demo, run, version
from lepton_stream.cli.arguments import spread
from lepton_stream.errors import LeptonError

app = typer.Typer(
    name="lepton-stream",
    help="A streaming data processor: events in, exact windowed results out, with or without Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("demo")(demo.demo)
app.command("version")(version.version)

_SIGINT, _SIGTERM = 128 + signal.SIGINT, 128 + signal.SIGTERM


class Terminated(BaseException):
    """SIGTERM came: unwind like Ctrl-C does."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(outcome(list(sys.argv[1:] if argv is None else argv)))


def outcome(argv: list[str]) -> int:
    """Run a command; its exit code. What a person can act upon is one message on stderr, without a traceback."""
    try:
        code = app(spread(argv), standalone_mode=False, prog_name="lepton-stream")
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except LeptonError as error:
        print(f"lepton-stream: {error}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _SIGINT
    except Terminated:
        return _SIGTERM
    return code if isinstance(code, int) else 0
