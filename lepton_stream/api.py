"""The Python face: a pipeline that runs, and its results as an iterator or a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lepton_stream.account import Account
from lepton_stream.core import Route
from lepton_stream.formats.dead_letters import DeadLetter, to_line
from lepton_stream.pipeline import builder
from lepton_stream.pipeline.plan import Plan
from lepton_stream.runtime.local import Bury, InputGiven, LocalRun, Options

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_TIMES = ("window_start", "window_end")


class Run:
    """A local run: iterate once for the results as flat records; afterwards `account` and `stats` are complete.

    Nothing is read before the first result is asked for.
    """

    def __init__(self, local: LocalRun) -> None:
        self._local = local
        self._rows = (row for batch in local for row in batch.rows())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._rows

    def __next__(self) -> dict[str, Any]:
        return next(self._rows)

    def to_polars(self) -> pl.DataFrame:
        """The results that were not yet iterated; windows as UTC datetimes. Raises ImportError without polars."""
        import polars as pl  # noqa: PLC0415  optional

        frame = pl.DataFrame(list(self), infer_schema_length=None)
        times = [pl.from_epoch(name, "ms").dt.replace_time_zone("UTC") for name in _TIMES]
        return frame.with_columns(times) if len(frame) else frame

    def to_pandas(self) -> pd.DataFrame:
        """The results that were not yet iterated; windows as UTC datetimes. Raises ImportError without pandas."""
        import pandas as pd  # noqa: PLC0415  optional

        frame = pd.DataFrame(list(self))
        for name in _TIMES:
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    @property
    def account(self) -> Account:
        """What became of the records so far: read = accepted + duplicate + late + dead-lettered."""
        return self._local.account

    @property
    def stats(self) -> dict[str, Any]:
        """Totals as plain values, what `--stats` writes."""
        return self._local.stats()


def run(
    plan: Plan,
    given: InputGiven,
    *,
    partitions: int | None = None,
    route: Route = "partials",
    dead_letters: str | Path | Callable[[DeadLetter], None] | None = None,
) -> Run:
    """Run a frozen plan, such as `load("iot/air_quality")`; see `Pipeline.run`."""
    options = Options(partitions=partitions, route=route, bury=_burial(dead_letters), stdin=sys.stdin.buffer)
    return Run(LocalRun(plan, given, options))


def _burial(to: str | Path | Callable[[DeadLetter], None] | None) -> Bury:
    if to is None:
        return Options().bury
    if callable(to):

        def hand_over(letters: Sequence[DeadLetter]) -> None:
            for letter in letters:
                to(letter)

        return hand_over
    path = Path(to)
    path.write_bytes(b"")

    def append(letters: Sequence[DeadLetter]) -> None:
        with path.open("ab") as file:
            file.writelines(to_line(letter) for letter in letters)

    return append


class Pipeline(builder.Pipeline):
    """A pipeline written in Python; the same plan as its TOML.

    Each method returns a new pipeline; `plan` checks and freezes it, `run` carries it out.
    """

    def run(
        self,
        input: InputGiven,  # noqa: A002  (the word of the command line)
        *,
        partitions: int | None = None,
        route: Route = "partials",
        dead_letters: str | Path | Callable[[DeadLetter], None] | None = None,
    ) -> Run:
        """Run in this process, without a broker.

        `input`: a file or several (JSON lines or CSV, see `.file`), or an iterable of records (mappings, JSON text or
        bytes). `partitions`: split by key as a topic with so many partitions would. `dead_letters`: a file for the
        rejected records, or a function that takes each. Raises PlanError, UsageError.
        """
        return run(self.plan, input, partitions=partitions, route=route, dead_letters=dead_letters)
