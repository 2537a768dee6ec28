"""What a run said, held against the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lepton_stream.bench.stock import Stock
from lepton_stream.bench.workload import Cell, Figures
from lepton_stream.errors import IntegrityError

MEAN_ERROR = 1e-12
"""A mean is a rounded sum divided, and the truth is rounded in its own way."""


def refuse_wrong(rows: Iterable[Mapping[str, Any]], totals: Mapping[str, Any], stock: Stock) -> None:
    """Raises IntegrityError where results or account differ from the truth in anything."""
    account = account_of(totals, stock)
    if account != stock.account:
        raise IntegrityError(f"bench: the account is {account}, the truth is {stock.account}; a defect: report it")
    found: dict[str, dict[Cell, Figures]] = {name: {} for name in stock.shape.sections}
    for row in rows:
        found[row["window"]][row["device"], row["window_start"]] = (row["n"], row["mean"], row["min"], row["max"])
    for name, cells in stock.truth().items():
        if problem := difference(found[name], cells):
            raise IntegrityError(
                f"bench: results of window {name} differ from the truth: {problem}; a defect, report it"
            )


def account_of(totals: Mapping[str, Any], stock: Stock) -> dict[str, int]:
    """What a run counted, in the form of the stock's account."""
    return {**{n: totals[n] for n in stock.account}, "dead_lettered": sum(totals["dead_lettered"].values())}


def difference(found: Mapping[Cell, Figures], truth: Mapping[Cell, Figures]) -> str:
    """What differs, in words; nothing where all is right."""
    missing, more = truth.keys() - found.keys(), found.keys() - truth.keys()
    if missing or more:
        return f"{len(missing):,} of {len(truth):,} are missing, {len(more):,} are too many"
    for cell, wanted in truth.items():
        if not equal(found[cell], wanted):
            return f"{cell} is {found[cell]}, and should be {wanted}"
    return ""


def equal(found: Figures, wanted: Figures) -> bool:
    """Counts, minima and maxima to the bit; means but for the rounding."""
    exact = (found[0], found[2], found[3]) == (wanted[0], wanted[2], wanted[3])
    return exact and abs(found[1] - wanted[1]) <= MEAN_ERROR * abs(wanted[1])
