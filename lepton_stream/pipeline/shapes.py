"""Shapes of configuration: a value, a table of known keys, a list of tables, a table of any names. Read and described.

A shape says how a value is read and what its JSON Schema is, so that one line for a key feeds both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lepton_stream.pipeline.findings import MISSING, Findings, MisfitError, Missing, Path
from lepton_stream.pipeline.near import nearest

REQUIRED = MISSING
"""The default of a key that must be there."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A single value. `read` gives what the plan holds, or raises MisfitError; `wish` says what is expected."""

    wish: str
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table. `default`: as TOML would give it; None: the key may be left out and is then None."""

    name: str
    shape: Shape
    help: str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of known keys. `short`: the key that a bare text stands for. `later`: keys of later versions."""

    wish: str
    keys: tuple[Key, ...]
    short: str = ""
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """A list of tables of one shape, at least one: `[[window]]`."""

    of: Table
    wish: str


@dataclass(frozen=True, slots=True)
class Each:
    """A table whose keys are names of the user's own. `name`: what a name must be."""

    name: Kind
    of: Shape
    wish: str
    at_least: int = 0


Shape: TypeAlias = Kind | Table | Tables | Each


def read(shape: Shape, value: Any, path: Path, found: Findings) -> Any:
    """What the plan holds for `value`; MISSING for a wrong value, whose problems are added to `found`."""
    match shape:
        case Kind():
            return _read_kind(shape, value, path, found)
        case Table():
            return _read_table(shape, value, path, found)
        case Tables():
            return _read_tables(shape, value, path, found)
        case Each():
            return _read_each(shape, value, path, found)


def _read_kind(kind: Kind, value: Any, path: Path, found: Findings) -> Any:
    try:
        return kind.read(value)
    except MisfitError as e:
        found.add(path, value, e.wish or kind.wish, e.hint, e.span)
        return MISSING


def _read_table(table: Table, value: Any, path: Path, found: Findings) -> Any:
    if table.short and isinstance(value, str):
        value = {table.short: value}
    if not isinstance(value, Mapping):
        found.add(path, value, table.wish)
        return MISSING
    _refuse_unknown(table, value, path, found)
    out: dict[str, Any] = {}
    for key in table.keys:
        given = value.get(key.name, key.default)
        if isinstance(given, Missing):
            found.add((*path, key.name), MISSING, key.shape.wish)
            continue
        got = None if given is None else read(key.shape, given, (*path, key.name), found)
        if not isinstance(got, Missing):  # a wrong value leaves no default behind: rules that need it are not asked
            out[key.name] = got
    return out


def _refuse_unknown(table: Table, value: Mapping[str, Any], path: Path, found: Findings) -> None:
    known = [k.name for k in table.keys]
    for name in value:
        if name in table.later:
            found.add((*path, name), value[name], "not in this version")
        elif name not in known:
            found.add((*path, str(name)), value[name], "unknown key", nearest(str(name), known))


def _read_tables(tables: Tables, value: Any, path: Path, found: Findings) -> Any:
    if not isinstance(value, list | tuple) or not value:
        found.add(path, value, tables.wish)
        return MISSING
    return [read(tables.of, v, (*path, i), found) for i, v in enumerate(value)]


def _read_each(each: Each, value: Any, path: Path, found: Findings) -> Any:
    if not isinstance(value, Mapping) or len(value) < each.at_least:
        found.add(path, value, each.wish)
        return MISSING
    out = {}
    for name, inside in value.items():
        if not isinstance(_read_kind(each.name, name, (*path, str(name)), found), Missing):
            got = read(each.of, inside, (*path, name), found)
            if not isinstance(got, Missing):
                out[name] = got
    return out


def schema_of(shape: Shape) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape."""
    match shape:
        case Kind():
            return dict(shape.schema)
        case Tables():
            return {"type": "array", "minItems": 1, "items": schema_of(shape.of)}
        case Each():
            names = {"propertyNames": dict(shape.name.schema)}
            least = {"minProperties": shape.at_least} if shape.at_least else {}
            return {"type": "object", **names, **least, "additionalProperties": schema_of(shape.of)}
        case Table():
            return _table_schema(shape)


def _table_schema(table: Table) -> dict[str, Any]:
    required = [k.name for k in table.keys if isinstance(k.default, Missing)]
    body: dict[str, Any] = {"type": "object", "additionalProperties": False}
    body["properties"] = {k.name: _key_schema(k) for k in table.keys}
    if required:
        body["required"] = required
    if not table.short:
        return body
    short = next(k for k in table.keys if k.name == table.short)
    return {"anyOf": [schema_of(short.shape), body]}


def _key_schema(key: Key) -> dict[str, Any]:
    default = {} if key.default is None or isinstance(key.default, Missing | dict) else {"default": key.default}
    return {"description": key.help, **schema_of(key.shape), **default}
