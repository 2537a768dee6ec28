"""What a window's results and a model's score may call: name, fields, parameters, one line of help."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias

NUMERIC = ("float", "int")
ANY = ("str", "int", "float", "bool")

Gives: TypeAlias = Literal["int", "float", "same", "list"]
"""Type of a result: same: that of its first field."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number from `low` to `high` that a call takes after its fields. `example`: one that is good, for tests."""

    name: str
    low: float = -inf
    high: float = inf
    whole: bool = False
    example: float = 0

    def accepts(self, value: float) -> bool:
        """Whether this number is good."""
        return self.low <= value <= self.high and (not self.whole or isinstance(value, int))

    @property
    def wish(self) -> str:
        """What is wished for, as in `q from 0 to 1`."""
        kind = f"a whole number {self.name}" if self.whole else self.name
        return kind if self.low == -inf else f"{kind} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Signature:
    """`fields`: for each field argument the field types it takes; `parameters`: the numbers that follow.

    `rising`: the first parameter must be smaller than the second. `always`: every group has a value.
    """

    name: str
    fields: tuple[tuple[str, ...], ...]
    help: str
    parameters: tuple[Parameter, ...] = ()
    optional_field: bool = False
    rising: bool = False
    gives: Gives = "float"
    always: bool = False

    def __str__(self) -> str:
        named = ["field" if len(self.fields) == 1 else f"field{i + 1}" for i in range(len(self.fields))]
        inside = ", ".join([*named, *(p.name for p in self.parameters)])
        return f"{self.name}([{inside}])" if self.optional_field else f"{self.name}({inside})"


_ALL = (
    Signature(
        "count",
        (ANY,),
        "rows of the group; with a field: rows where it is there",
        optional_field=True,
        gives="int",
        always=True,
    ),
    Signature("null_count", (ANY,), "rows where the field is null", gives="int", always=True),
    Signature("sum", (NUMERIC,), "exact sum, rounded once", gives="same"),
    Signature("mean", (NUMERIC,), "arithmetic mean"),
    Signature("variance", (NUMERIC,), "sample variance (n - 1)"),
    Signature("std", (NUMERIC,), "sample standard deviation (n - 1)"),
    Signature("min", (NUMERIC,), "smallest value", gives="same"),
    Signature("max", (NUMERIC,), "largest value", gives="same"),
    Signature(
        "first", (NUMERIC,), "value with the earliest event time; ties: source partition, then offset", gives="same"
    ),
    Signature(
        "last", (NUMERIC,), "value with the latest event time; ties: source partition, then offset", gives="same"
    ),
    Signature("range", (NUMERIC,), "largest value less the smallest", gives="same"),
    Signature("rate", (NUMERIC,), "last value less the first, per second of event time between them; null at one time"),
    Signature("ohlc", (NUMERIC,), "list of the first, the largest, the smallest and the last value", gives="list"),
    Signature(
        "quantile",
        (NUMERIC,),
        "value of rank ceil(q n); exact up to 64 different values in a group, then within 1 % of it",
        (Parameter("q", 0, 1, example=0.5),),
    ),
    Signature("median", (NUMERIC,), "quantile of q = 0.5: the lower one of two values in the middle"),
    Signature(
        "distinct",
        (ANY,),
        "how many different values; exact up to 256 in a group, then with a standard error of 1.6 %",
        gives="int",
        always=True,
    ),
    Signature(
        "top",
        (ANY,),
        "list of the k most frequent values as {value, count, error}; exact up to 256 different values in a group",
        (Parameter("k", 1, 100, whole=True, example=2),),
        gives="list",
    ),
    Signature(
        "histogram",
        (NUMERIC,),
        "list of counts: below low, in equal bins from low to high, above high",
        (Parameter("low", example=-1), Parameter("high", example=1.5), Parameter("bins", 1, 1000, True, 3)),
        rising=True,
        gives="list",
    ),
    Signature("covariance", (NUMERIC, NUMERIC), "sample covariance (n - 1) of the rows where both are there"),
    Signature("correlation", (NUMERIC, NUMERIC), "correlation (Pearson) of the rows where both are there"),
    Signature(
        "weighted_mean",
        (NUMERIC, NUMERIC),
        "mean of the first field with the weights of the second, such as price by volume, where both are there",
    ),
)
SIGNATURES: dict[str, Signature] = {s.name: s for s in _ALL}

_SCORES = (
    Signature(
        "robust_z",
        (NUMERIC,),
        "distance from the median of the last values, in deviations read off their median absolute deviation",
        (Parameter("history", 4, 1024, whole=True, example=64),),
    ),
    Signature(
        "ewma",
        (NUMERIC,),
        "distance from the exponentially weighted mean, in exponentially weighted standard deviations",
        (Parameter("weight", 0.001, 0.5, example=0.1),),
    ),
    Signature(
        "drift",
        (NUMERIC,),
        "distance of the level, a weighted mean, from the median of 64 levels before it, in robust deviations of those",
        (Parameter("weight", 0.001, 0.5, example=0.02),),
    ),
)
SCORES = {s.name: s for s in _SCORES}
"""Kinds of models. The parameter may be left out: its example stands for it."""
