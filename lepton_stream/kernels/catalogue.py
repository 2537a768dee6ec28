"""The functions that a window's results may call: name, fields, parameters, one line of help."""

from __future__ import annotations

from dataclasses import dataclass

NUMERIC = ("float", "int")
ANY = ("str", "int", "float", "bool")


@dataclass(frozen=True, slots=True)
class Signature:
    """`fields`: for each field argument the field types it takes; `parameters`: names of the numbers that follow."""

    name: str
    fields: tuple[tuple[str, ...], ...]
    help: str
    parameters: tuple[str, ...] = ()
    optional_field: bool = False

    def __str__(self) -> str:
        named = ["field" if len(self.fields) == 1 else f"field{i + 1}" for i in range(len(self.fields))]
        inside = ", ".join([*named, *self.parameters])
        return f"{self.name}([{inside}])" if self.optional_field else f"{self.name}({inside})"


_ALL = (
    Signature("count", (ANY,), "rows of the group; with a field: rows where it is there", optional_field=True),
    Signature("null_count", (ANY,), "rows where the field is null"),
    Signature("sum", (NUMERIC,), "exact sum, rounded once"),
    Signature("mean", (NUMERIC,), "arithmetic mean"),
    Signature("variance", (NUMERIC,), "sample variance (n - 1)"),
    Signature("std", (NUMERIC,), "sample standard deviation (n - 1)"),
    Signature("min", (NUMERIC,), "smallest value"),
    Signature("max", (NUMERIC,), "largest value"),
    Signature("first", (NUMERIC,), "value with the earliest event time; ties: source partition, then offset"),
    Signature("last", (NUMERIC,), "value with the latest event time; ties: source partition, then offset"),
)
SIGNATURES: dict[str, Signature] = {s.name: s for s in _ALL}
