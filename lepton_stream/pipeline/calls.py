"""Calls such as `mean(pm25)` or `quantile("PM 2.5", 0.95)`: text to `plan.Call`, checked against the catalogue."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lepton_stream.pipeline.catalogue import SIGNATURES, Signature
from lepton_stream.pipeline.findings import MisfitError
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Call

_TOKEN = re.compile(
    r"""(?P<number>[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?(?![\w.]))
      | (?P<name>[^\W\d][\w.-]*)
      | "(?P<double>[^"]+)" | '(?P<single>[^']+)'
      | (?P<mark>[(),])
      | (?P<end>\Z)""",
    re.VERBOSE,
)
_NAME = re.compile(r"[^\W\d][\w.-]*")
_BLANK = re.compile(r"\s*")


class CallError(MisfitError):
    """A call that cannot be read or does not fit; its wish opens with the column of the fault, from 1."""

    def __init__(self, column: int, wish: str, hint: str = "") -> None:
        super().__init__(f"column {column}: {wish}", hint)
        self.column = column


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A call, its text, and the columns of its arguments there. `end`: the column of what closes it."""

    call: Call
    text: str
    columns: tuple[int, ...]
    end: int


def parse_call(text: str) -> ParsedCall:
    """Read `function(arg, ...)`; a name or quoted text is a field, anything else a number. Raises CallError."""
    tokens = _tokens(text)
    kind, function, column = tokens[0]
    if kind != "name":
        raise CallError(column, "expects a function name, as in mean(field)")
    if tokens[1][1] != "(" or tokens[1][0] != "mark":
        raise CallError(tokens[1][2], f'expects "(" after {function}')
    args, columns, at = _arguments(tokens)
    if tokens[at + 1][0] != "end":
        raise CallError(tokens[at + 1][2], 'expects nothing after ")"')
    return ParsedCall(Call(str(function), tuple(args)), text, tuple(columns), tokens[at][2])


def parsed(call: Call) -> ParsedCall:
    """A call that was made in Python, with the columns of its text."""
    columns, at = [], len(call.function) + 2
    for arg in call.args:
        columns.append(at)
        at += len(_arg_text(arg)) + 2
    text = call_text(call)
    return ParsedCall(call, text, tuple(columns), len(text))


def call_text(call: Call) -> str:
    """The text that `parse_call` reads as this call: names that need it are quoted."""
    return f"{call.function}({', '.join(map(_arg_text, call.args))})"


def _arg_text(arg: str | float) -> str:
    return f'"{arg}"' if isinstance(arg, str) and not _NAME.fullmatch(arg) else str(arg)


def check_call(parsed: ParsedCall, types: Mapping[str, str], signatures: Mapping[str, Signature] = SIGNATURES) -> Call:
    """The call, if the catalogue has it and the fields of `types` (name to type) fit it. Raises CallError."""
    call = parsed.call
    signature = signatures.get(call.function)
    if signature is None:
        known = ", ".join(sorted(signatures))
        raise CallError(1, f"unknown function; there are {known}", nearest(call.function, signatures))
    _check_count(parsed, signature)
    fields = 0 if not call.args else len(signature.fields)
    for arg, column, accepted in zip(call.args, parsed.columns, signature.fields, strict=False):
        _check_field(signature, arg, column, accepted, types)
    _check_parameters(signature, call.args[fields:], parsed.columns[fields:])
    return call


def _check_parameters(signature: Signature, args: Sequence[str | float], columns: Sequence[int]) -> None:
    for arg, column, parameter in zip(args, columns, signature.parameters, strict=False):
        if isinstance(arg, str):
            raise CallError(column, f"{signature} expects a number here")
        if not parameter.accepts(arg):
            raise CallError(column, f"{signature} expects {parameter.wish}, not {arg}")
    if signature.rising and not float(args[0]) < float(args[1]):
        first, second = signature.parameters[:2]
        raise CallError(columns[1], f"{signature} expects {second.name} to be more than {first.name}, {args[0]}")


def _check_count(parsed: ParsedCall, signature: Signature) -> None:
    given, full = len(parsed.call.args), len(signature.fields) + len(signature.parameters)
    least = len(signature.parameters) if signature.optional_field else full
    if least <= given <= full:
        return
    column = parsed.columns[full] if given > full else parsed.end
    raise CallError(column, f"{signature} takes {_counted(least, full)}, not {given}")


def _counted(least: int, full: int) -> str:
    number = str(full) if least == full else f"{least} or {full}"
    return f"{number} argument" + ("" if full == 1 else "s")


def _check_field(
    signature: Signature, arg: str | float, column: int, accepted: Sequence[str], types: Mapping[str, str]
) -> None:
    if not isinstance(arg, str):
        raise CallError(column, f"{signature} expects the name of a field here")
    if arg not in types:
        raise CallError(column, f"no field {arg} in [fields]", nearest(arg, types))
    if types[arg] not in accepted:
        raise CallError(column, f"{signature} takes {' or '.join(accepted)}; {arg} is {types[arg]}")


def _tokens(text: str) -> list[tuple[str, str | int | float, int]]:
    """(kind, value, column) of each token, an end token last."""
    tokens: list[tuple[str, str | int | float, int]] = []
    at = 0
    while not tokens or tokens[-1][0] != "end":
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
        match = _TOKEN.match(text, at)
        if match is None:
            raise CallError(at + 1, f"did not expect {text[at]!r}")
        tokens.append(_token(match))
        at = match.end()
    return [*tokens, tokens[-1]]  # one end more, so that looking one token ahead needs no test


def _token(match: re.Match[str]) -> tuple[str, str | int | float, int]:
    kind, column = str(match.lastgroup), match.start() + 1
    if kind in ("double", "single"):
        return "field", match[kind], column
    if kind != "number":
        return kind, match[kind], column
    value = float(match[0]) if re.search("[.eE]", match[0]) else int(match[0])
    if not math.isfinite(value):
        raise CallError(column, "expects a finite number")
    return kind, value, column


def _arguments(
    tokens: Sequence[tuple[str, str | int | float, int]],
) -> tuple[list[str | int | float], list[int], int]:
    """Arguments, their columns, and where in `tokens` the closing parenthesis is."""
    args: list[str | int | float] = []
    columns: list[int] = []
    at = 2
    if tokens[at][:2] == ("mark", ")"):
        return args, columns, at
    while True:
        kind, value, column = tokens[at]
        if kind not in ("name", "field", "number"):
            raise CallError(column, "expects a field or a number")
        args.append(value)
        columns.append(column)
        mark = tokens[at + 1]
        if mark[:2] == ("mark", ")"):
            return args, columns, at + 1
        if mark[:2] != ("mark", ","):
            raise CallError(mark[2], 'expects "," or ")"')
        at += 2
