"""The builder's words for a path: `window("hour").size` instead of `window[0].size`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lepton_stream.pipeline.findings import Path, show_value, toml_name


def python_name(data: Mapping[str, Any], path: Path) -> str:
    """The method and the argument that said what stands at `path` in the builder's `data`."""
    match path:
        case ("window", int(i), *rest):
            column = rest[:1] == ["results"] and len(rest) > 1  # a result column is an argument of its own
            return _dotted(f"window({show_value(_name_of(data, i))})", rest[1:] if column else rest)
        case ("model" | "alarm" as kind, int(i), *rest):
            return _dotted(f"{kind}({show_value(data[kind][i].get('name'))})", rest)
        case ("fields", name, *rest):
            return _dotted(f"field({show_value(name)})", rest)
        case ("source", "file", *rest):
            return _dotted("file", rest)
        case ("source", "where"):
            return "where"
        case ("derive", name, *rest):
            return _dotted(f"derive({show_value(name)})", rest)
        case ("source", *rest) if "source" in data:
            return _dotted("source", rest)
        case ("name" | "version" as key,):
            return f"Pipeline.{key}"
        case (str(section), *rest):
            return _dotted(section, rest)
    return toml_name(path)


def _name_of(data: Mapping[str, Any], i: int) -> object:
    return data["window"][i].get("name")


def _dotted(method: str, rest: list[str | int]) -> str:
    return f"{method}.{toml_name(tuple(rest))}" if rest else method
