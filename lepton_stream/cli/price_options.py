"""The options that tell what machines cost. They belong to the deployment: no plan knows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from lepton_stream.cli.kafka_options import in_place_of_first
from lepton_stream.telemetry.cost import CPU_HOUR, CURRENCY, GIGABYTE, OPTIONS, Prices, prices_of

P = ParamSpec("P")
T = TypeVar("T")

PANEL = "Cost"
VARIABLES = {"cpu_hour_price": CPU_HOUR, "gigabyte_price": GIGABYTE, "currency": CURRENCY}


def _option(variable: str, metavar: str, text: str) -> Any:
    about = typer.Option(OPTIONS[variable], metavar=metavar, rich_help_panel=PANEL, help=f"{text} (or ${variable}).")
    return Annotated[str | None, about]


WANTED = {
    "cpu_hour_price": _option(CPU_HOUR, "PRICE", "What a core costs an hour; without a price no money is shown"),
    "gigabyte_price": _option(GIGABYTE, "PRICE", "What 10^9 bytes sent to the broker cost; the same"),
    "currency": _option(CURRENCY, "NAME", "The currency's name, shown with amounts"),
}


def takes_prices(command: Callable[Concatenate[Prices, P], T]) -> Callable[..., T]:
    """A command whose first parameter is the prices, as one with their options in its place. Raises UsageError."""
    return in_place_of_first(command, WANTED, _prices)


def _prices(given: dict[str, str | None]) -> Prices:
    return prices_of({VARIABLES[name]: said for name, said in given.items()}, os.environ)
