"""The argument PIPELINE of every command, with what a shell offers for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lepton_stream.pipeline.source import shipped


def offered(incomplete: str) -> list[str]:
    """Shipped names, and TOML files of the folder that is being typed."""
    folder = Path(incomplete).parent
    toml = [str(path) for path in folder.glob("*.toml") if path.is_file()] if folder.is_dir() else []
    return [name for name in (*shipped(), *sorted(toml)) if name.startswith(incomplete)]


HELP = "A shipped name (iot/air_quality), a TOML file, or module:object."
PipelineName: TypeAlias = Annotated[str, typer.Argument(help=HELP, metavar="PIPELINE", autocompletion=offered)]
MaybePipelineName: TypeAlias = Annotated[
    str | None, typer.Argument(help=HELP, metavar="PIPELINE", autocompletion=offered)
]
