"""`lepton-stream dashboards`: Grafana's JSON, built and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Build and check the Grafana dashboards.", no_args_is_help=True)

Out = Annotated[
    Path | None, typer.Option("--out", help="Folder to write into; without: grafana/dashboards of a clone.")
]


@app.command("build")
def build_command(out: Out = None) -> None:
    """Write the dashboards as JSON, ready for Grafana's import or provisioning.

    For example: lepton-stream dashboards build --out /var/lib/grafana/dashboards
    """
    from lepton_stream.grafana.files import write  # noqa: PLC0415  its packages are an extra: help works without them

    for path in write(out):
        print(path)


@app.command("check")
def check_command() -> None:
    """Hold the committed dashboards against the code, Grafana's schemas and our metrics; ends with 1 if not."""
    from lepton_stream.grafana.files import checked  # noqa: PLC0415  as above

    for name in checked():
        print(f"{name}: good")
