"""PIPELINE on the command line: a shipped name, a TOML file, or `module:object`."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.resources import as_file, files
from pathlib import Path

from lepton_stream.errors import LeptonError, PlanError, UsageError
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.python_file import as_module
from lepton_stream.pipeline.toml_front import load

_PACKAGE = "lepton_stream"
_SHIPPED = f"{_PACKAGE}.pipelines"


def find(name: str) -> Plan:
    """The plan that `name` names. Raises UsageError if there is none such, PlanError if it is not usable."""
    if name.endswith(".toml"):
        return load(name)
    if name.endswith(".py"):
        raise UsageError(as_module(name))
    if ":" in name:
        return _from_module(name)
    if name in shipped():
        domain, stem = name.split("/")
        with as_file(files(_SHIPPED) / domain / f"{stem}.toml") as path:
            return load(path)
    if Path(name).exists() and not Path(name).is_dir():  # a pipe too, as in `check <(generate)`
        return load(name)
    if Path(name).is_dir():
        raise UsageError(f"{name}: is a directory; name the TOML file in it")
    near = nearest(name, shipped())
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(
        f"no pipeline {name}.{hint} Shipped: {', '.join(shipped())}. Or give a TOML file, or module:object."
    )


def shipped() -> tuple[str, ...]:
    """Names of the pipelines in the package, sorted: `iot/air_quality`."""
    domains = [d for d in files(_SHIPPED).iterdir() if d.is_dir()]
    tomls = [(d.name, f.name) for d in domains for f in d.iterdir() if f.name.endswith(".toml")]
    return tuple(sorted(f"{domain}/{file.removesuffix('.toml')}" for domain, file in tomls))


def about(name: str) -> str:
    """What a shipped pipeline is for: the first sentence of its TOML, which is a comment."""
    domain, stem = name.split("/")
    text = (files(_SHIPPED) / domain / f"{stem}.toml").read_text(encoding="utf-8")
    return text.splitlines()[0].removeprefix("#").strip().split(". ")[0].rstrip(".") + "."


def sample(name: str) -> list[str]:
    """The files of a shipped pipeline's sample, sorted; they may be those of another one that reads the same topic.

    Raises UsageError where there is none.
    """
    if name in shipped():
        topic = find(name).source.topic
        for one in (name, *(other for other in shipped() if find(other).source.topic == topic)):
            folder = files(_PACKAGE).joinpath("data", *one.split("/"))
            if folder.is_dir():
                return sorted(str(file) for file in folder.iterdir() if not file.name.endswith(".md"))
    raise UsageError(f"{name}: no sample is shipped; the shipped pipelines are {', '.join(shipped())}")


def _from_module(name: str) -> Plan:
    module_name, _, path = name.partition(":")
    if not path or not all(part.isidentifier() for part in [*module_name.split("."), *path.split(".")]):
        raise UsageError(f"{name}: expects module:object, such as my_pipelines:air")
    found = _import(module_name)
    for part in path.split("."):
        if not hasattr(found, part):
            near = nearest(part, [n for n in dir(found) if not n.startswith("_")])
            hint = f" (did you mean {near}?)" if near else ""
            raise UsageError(f"{name}: {module_name} has no {path}{hint}")
        found = getattr(found, part)
    if isinstance(found, Pipeline):
        return found.plan
    if isinstance(found, Plan):
        return found
    raise UsageError(f"{name} is a {type(found).__name__}: expects a Pipeline or a Plan")


def _import(module_name: str) -> object:
    if os.getcwd() not in sys.path and "" not in sys.path:  # noqa: PTH109  (sys.path holds text)
        sys.path.insert(0, os.getcwd())  # noqa: PTH109  (the same)
    try:
        return importlib.import_module(module_name)
    except LeptonError:
        raise
    except ModuleNotFoundError as e:
        if e.name is not None and (module_name == e.name or module_name.startswith(f"{e.name}.")):
            raise UsageError(f"no module {module_name}, looked for in {os.getcwd()} and the packages") from None  # noqa: PTH109
        raise PlanError(f"{module_name} cannot be imported: {e}") from None
    except (Exception, SystemExit) as e:  # a user's module may fail in any way; its traceback is not ours to show
        raise PlanError(f"{module_name} cannot be imported: {type(e).__name__}: {e}") from None
