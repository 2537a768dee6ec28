"""What a million records cost: CPU seconds, bytes sent, and money where prices are set. An estimate (docs/cost.md)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lepton_stream.errors import UsageError

PREFIX = "LEPTON__COST__"
CPU_HOUR, GIGABYTE, CURRENCY = f"{PREFIX}CPU_HOUR", f"{PREFIX}GIGABYTE", f"{PREFIX}CURRENCY"
OPTIONS = {CPU_HOUR: "--cpu-hour-price", GIGABYTE: "--gigabyte-price", CURRENCY: "--currency"}
CPU, SENT = "cpu", "sent"
"""The parts of the money: CPU time of the workers, bytes that they send."""
HOUR_S, GIGABYTE_B, MILLION = 3600.0, 1e9, 1e6
MOST = 1e6
"""A price above this is a mistake of units."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_LONGEST = 12


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a deployment: what a core costs an hour, and 10**9 bytes sent to the broker. None: nobody has said.

    `currency`: a name for people; "" without one.
    """

    cpu_hour: float | None = None
    gigabyte: float | None = None
    currency: str = ""

    def parts(self, cpu_seconds: float, bytes_sent: float) -> dict[str, float]:
        """Money by part, of those parts that have a price."""
        found = {}
        if self.cpu_hour is not None:
            found[CPU] = cpu_seconds / HOUR_S * self.cpu_hour
        if self.gigabyte is not None:
            found[SENT] = bytes_sent / GIGABYTE_B * self.gigabyte
        return found


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: `records` prepared, `cpu_seconds` of its processes, `bytes_sent` to the broker."""

    records: int
    cpu_seconds: float
    bytes_sent: int
    prices: Prices = Prices()

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what has no price, or no record, is left out."""
        told: dict[str, Any] = {"records": self.records, "bytes_sent": self.bytes_sent}
        money = self.prices.parts(self.cpu_seconds, self.bytes_sent)
        if money:
            told |= {"money": {**money, "total": sum(money.values())}, "currency": self.prices.currency}
        if self.records > 0:
            each = MILLION / self.records
            told["cpu_seconds_per_million"] = round(self.cpu_seconds * each, 6)
            told["bytes_sent_per_million"] = round(self.bytes_sent * each)
            if money:
                told["money_per_million"] = sum(money.values()) * each
        return told

    def __str__(self) -> str:
        """One line for people; empty where nothing was read."""
        if self.records <= 0:
            return ""
        each = MILLION / self.records
        told = [f"{short(self.cpu_seconds * each)} CPU seconds"]
        if self.bytes_sent:
            told.append(f"{short(self.bytes_sent * each / MILLION)} MB sent")
        money = self.prices.parts(self.cpu_seconds, self.bytes_sent)
        if money:
            priced = "" if len(money) == 2 else f" for {'CPU' if CPU in money else 'bytes sent'} alone"
            told.append(f"{short(sum(money.values()) * each)} {self.prices.currency}".rstrip() + priced)
        return f"a million records cost {', '.join(told)} (this run's processes; without the broker's own)"


def short(value: float) -> str:
    """Three digits that count, never an exponent.

    >>> short(12.345), short(0.00012345), short(123456.0), short(0.0)
    ('12.3', '0.000123', '123,456', '0')
    """
    if value <= 0.0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:,.{digits}f}"


def prices_of(options: Mapping[str, str | None], environ: Mapping[str, str]) -> Prices:
    """What the options (by the name of their variable; they win) and the environment say. Raises UsageError."""
    for name in environ:
        if name.startswith(PREFIX) and name not in OPTIONS:
            raise UsageError(f"{name}: no such setting; prices are set by {', '.join(OPTIONS)}")
    said = {name: _said(name, options, environ) for name in OPTIONS}
    prices = Prices(_price(*said[CPU_HOUR]), _price(*said[GIGABYTE]), _currency(*said[CURRENCY]))
    if prices.currency and prices.cpu_hour is None and prices.gigabyte is None:
        raise UsageError(
            f"{said[CURRENCY][0]} is {prices.currency!r}, but there is no price: set {CPU_HOUR} or {GIGABYTE} "
            f"({OPTIONS[CPU_HOUR]}, {OPTIONS[GIGABYTE]}), or leave it out"
        )
    return prices


def _said(name: str, options: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[str, str | None]:
    """(where it was said, what); an empty variable says nothing."""
    option = options.get(name)
    if option is not None:
        return OPTIONS[name], option.strip()
    return f"${name}", environ.get(name, "").strip() or None


def _price(where: str, said: str | None) -> float | None:
    if said is None:
        return None
    if not _NUMBER.fullmatch(said) or float(said) > MOST:
        raise UsageError(
            f"{where} is {said!r}: expects a price such as 0.045, a number from 0 to {MOST:,.0f} with a decimal point "
            f"and without a currency, which {OPTIONS[CURRENCY]} names"
        )
    return float(said)


def _currency(where: str, said: str | None) -> str:
    if said is None:
        return ""
    if not said.isprintable() or len(said.split()) != 1 or len(said) > _LONGEST:
        raise UsageError(f"{where} is {said!r}: expects a short name such as EUR, at most {_LONGEST} characters")
    return said
