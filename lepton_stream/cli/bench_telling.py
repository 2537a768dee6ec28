"""What the bench commands share: progress, and where figures go."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from lepton_stream.bench.broker import broker
from lepton_stream.bench.kafka import Through
from lepton_stream.bench.results import record
from lepton_stream.bench.stock import Tell
from lepton_stream.cli.kafka_options import FIELDS
from lepton_stream.runtime.kafka.connect import PREFIX

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
RecordTo = Annotated[
    Path | None, typer.Option("--record", help="Put the figures into this JSON file, from which `page` is written.")
]
Runs = Annotated[int, typer.Option(min=1, max=1000, help="How often each thing is measured.", metavar="N")]
Quick = Annotated[bool, typer.Option("--quick", help="Smaller and fewer: a look, no figures to keep.")]


@contextmanager
def progress() -> Iterator[Tell]:
    """On a terminal one line that changes; elsewhere a line for each step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: print(f"bench: {text}", file=sys.stderr)
        return
    with console.status("bench") as status:
        yield lambda text: status.update(f"bench: {text}")


def give(section: str, told: Mapping[str, Any], lines: Sequence[str], *, as_json: bool, to: Path | None) -> None:
    """Print the figures, and keep them if asked to."""
    if to is not None:
        record(to, section, told)
    if as_json:
        sys.stdout.write(orjson.dumps(told).decode() + "\n")
    else:
        print("\n".join(lines))


def typed(words: Sequence[str] | None = None) -> str:
    """The command that measures, as it was typed but for where its figures go: that is a path of this machine."""
    given = list(sys.argv[1:] if words is None else words)
    if "--record" in given:
        at = given.index("--record")
        del given[at : at + 2]
    return " ".join(["lepton-stream", *(word for word in given if not word.startswith("--record="))])


@contextmanager
def through_broker(options: Mapping[str, str | None], tell: Tell, *, apart: bool = False) -> Iterator[Through]:
    """The broker that the options or the environment name, else one of a checkout; credentials go by environment.

    `apart`: workloads are deleted at the end.
    """
    named = options["broker"] or os.environ.get("KAFKA_BOOTSTRAP")
    settings = {
        f"{PREFIX}{FIELDS.get(name, name).upper()}": value
        for name, value in options.items() if value is not None and name != "broker"
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, broker(named, Path(folder), tell) as address:
        yield Through(address, Path(folder), tell, settings, Path(folder) / "workloads" if apart else None)
