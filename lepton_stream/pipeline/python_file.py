"""A Python file where a pipeline is asked for: what to give instead, read from its text without running it."""

from __future__ import annotations

import ast
from pathlib import Path


def as_module(name: str) -> str:
    """The message for a file `name`: `module:object` of each pipeline that stands in it."""
    path = Path(name)
    if not path.is_file():
        return f"{name} is not there; a pipeline in Python is given as module:object, such as my_pipelines:air"
    here, full = Path.cwd(), path.resolve()
    inside = full.is_relative_to(here)
    parts = (full.relative_to(here) if inside else Path(full.name)).with_suffix("").parts
    if not all(part.isidentifier() for part in parts):
        return f"{name} cannot be imported under this name (letters, digits and _ only): rename it, then module:object"
    made = pipelines_in(path.read_text(encoding="utf-8", errors="replace")) or ["OBJECT"]
    wished = " or ".join(f"{'.'.join(parts)}:{one}" for one in made)
    where = "" if inside else f" (in the folder {path.parent}, or with it in PYTHONPATH)"
    return f"{name} is a Python file: expects module:object; give {wished}{where}"


def pipelines_in(text: str) -> list[str]:
    """Names that are bound at the top of the text to what a call of `Pipeline` begins."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    found = []
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value and _begins(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            found += [target.id for target in targets if isinstance(target, ast.Name)]
    return found


def _begins(value: ast.expr) -> bool:
    """`Pipeline(..)`, `lepton_stream.Pipeline(..)`, and methods called on them one after the other."""
    while isinstance(value, ast.Call | ast.Attribute):
        if isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "Pipeline":
            return True
        value = value.func if isinstance(value, ast.Call) else value.value
    return False
