"""Whether a command line that a file of deploy/ holds is one of the product's, without carrying it out."""

from __future__ import annotations

from typing import Any

import typer

from lepton_stream.cli.arguments import spread
from lepton_stream.cli.main import _REFUSED, app_for
from lepton_stream.errors import LeptonError
from lepton_stream.pipeline.source import find


def understood(argv: list[str]) -> dict[str, Any]:
    """The command's parameters as it would get them. Raises ValueError where it would refuse the line."""
    command: Any = typer.main.get_command(app_for(argv))
    words, context = spread(argv), None
    try:
        while True:
            context = command.make_context(words[0] if context else "lepton-stream", list(words), parent=context)
            if not hasattr(command, "commands"):
                break
            _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        parameters: dict[str, Any] = context.params
        find(parameters["pipeline"])
    except (LeptonError, _REFUSED) as error:
        raise ValueError(f"{argv}: {getattr(error, 'message', error)}") from error
    return parameters
