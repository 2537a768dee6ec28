"""What a run gives back, over files as on Kafka: results, account, totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from lepton_stream.account import Account

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Row: TypeAlias = dict[str, Any]
"""A result: the group's fields, `window`, `window_start`, `window_end` (epoch ms), the columns, `final`, `version`."""

_TIMES = ("window_start", "window_end")


class Run:
    """A run: iterate once for the results as flat records; afterwards `account` and `stats` are complete.

    Over files and records nothing is read before the first result is asked for; on Kafka the run is over when you have
    it, and there are results only where it had an end.
    """

    def __init__(
        self, rows: Iterator[Row], account: Callable[[], Account], stats: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._rows, self._account, self._stats = rows, account, stats

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def __next__(self) -> Row:
        return next(self._rows)

    @property
    def results(self) -> Iterator[Row]:
        """The results that were not yet iterated; the same as iterating over the run itself."""
        return self._rows

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
        return self._account()

    @property
    def stats(self) -> Mapping[str, Any]:
        """Totals as plain values, what `--stats` writes."""
        return self._stats()
