"""Who may import whom, and what pure code must not call: the table, and the checker that reads source by AST.

A new module or package needs a line in AREAS; widening a line is a decision about the architecture, so say why in the
pull request.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "lepton_stream"
LINKED = ("agents", "topics", "grafana")  # real folders beside the package, reached through links inside it


@dataclass(frozen=True)
class Area:
    """`knows`: parts of the package, a whole package or one module; `uses`: third-party packages besides the stdlib.

    A pure area decides things: no clock, no randomness, no `hash()`, no processes, no network.
    """

    knows: tuple[str, ...]
    uses: tuple[str, ...] = ()
    pure: bool = True


BASE = ("errors", "columns", "chunk", "compiled.switch")
PLAN = (*BASE, "pipeline.plan")
STEPS = ("expression", "formats", "cleaning", "dedup", "kernels", "windows", "shuffle", "models")
CORE = (*BASE, *STEPS, "pipeline", "account", "wire", "core")
AROUND = (
    *CORE, "memory", "protocol", "autopilot", "clock", "compiled.loader", "telemetry", "topics", "doctor", "printable",
)  # fmt: skip

AREAS: dict[str, Area] = {
    "": Area((*CORE, "api", "lepton", "_version"), pure=False),  # the package's own face: it re-exports
    "_version": Area(()),
    "api": Area((*CORE, "api", "runtime"), ("msgspec", "orjson"), pure=False),
    "errors": Area(()),
    "columns": Area((), ("numpy",)),
    "chunk": Area(("columns",), ("numpy",)),
    "compiled": Area((*BASE, "compiled"), ("numpy", "numba", "llvmlite")),
    "compiled.switch": Area((), pure=False),
    "compiled.parts": Area((), pure=False),
    "compiled.recurrences": Area(()),  # plain Python, which models run as it stands where nothing is compiled
    "compiled.cache": Area(("_version",), pure=False),
    "compiled.warm": Area(("compiled.cache", "compiled.parts"), pure=False),
    "compiled.loader": Area(("compiled.cache", "compiled.parts", "compiled.switch"), pure=False),  # it starts a process
    "wire": Area(BASE, ("numpy", "msgspec", "zstandard")),
    "account": Area(PLAN, ("numpy", "msgspec")),
    "pipeline": Area(("errors", "expression", "pipeline"), ("msgspec", "orjson")),
    "expression": Area(("expression", "pipeline.near")),
    "expression.made": Area((*BASE, "expression"), ("numpy",)),
    "expression.arithmetic": Area((*BASE, "expression"), ("numpy",)),
    "expression.logic": Area((*BASE, "expression"), ("numpy",)),
    "expression.choices": Area((*BASE, "expression"), ("numpy",)),
    "expression.texts": Area((*BASE, "expression"), ("numpy",)),
    "expression.moments": Area((*BASE, "expression", "formats.zones"), ("numpy",)),
    "expression.evaluate": Area((*BASE, "expression"), ("numpy",)),
    "formats": Area((*PLAN, "formats"), ("numpy", "msgspec", "orjson", "zstandard")),
    "cleaning": Area((*PLAN, "cleaning", "formats"), ("numpy",)),
    "dedup": Area((*PLAN, "dedup"), ("numpy",)),
    "kernels": Area((*PLAN, "kernels", "pipeline.catalogue", "dedup.fingerprint", "wire"), ("numpy",)),  # names, hashes
    "windows": Area((*PLAN, "windows", "kernels", "dedup", "wire", "expression"), ("numpy", "orjson")),
    "shuffle": Area((*PLAN, "shuffle", "windows", "kernels", "dedup", "account", "wire"), ("numpy", "orjson")),
    "models": Area(  # durations: events say in words how long
        (*PLAN, "models", "compiled.recurrences", "kernels", "windows", "dedup", "wire", "pipeline.durations"),
        ("numpy",),
    ),
    "core": Area(CORE, ("numpy",)),
    "memory": Area((*PLAN, "pipeline.durations", "pipeline.keys", "memory")),  # budgets, and what follows from them
    "protocol": Area((*CORE, "protocol"), ("numpy", "msgspec", "orjson")),
    "autopilot": Area((*CORE, "autopilot"), ("numpy", "msgspec")),
    "lepton": Area((*CORE, "lepton", "clock"), ("numpy", "rich"), pure=False),  # it shows those who wait how far it is
    "clock": Area((), pure=False),
    "printable": Area(()),
    "topics": Area((*BASE, "pipeline", "topics")),
    "doctor": Area((*BASE, "pipeline", "topics", "protocol.metadata", "memory.budget", "doctor")),  # the runtime looks
    "telemetry": Area(
        # the decoder: reasons of dead letters
        (*BASE, "account", "clock", "pipeline.plan", "formats.decoder", "printable", "telemetry"),
        ("prometheus_client", "msgspec"),
        pure=False,
    ),
    "grafana": Area(("errors", "telemetry", "grafana"), ("grafana_foundation_sdk", "jsonschema"), pure=False),
    "data": Area(("data",), pure=False),
    "pipelines": Area(("pipelines", "errors"), pure=False),
    "runtime.machine": Area(  # it looks, for `doctor` and for the share of memory that a worker takes
        (*BASE, "compiled.loader", "doctor", "memory.budget", "pipeline.plan", "_version"), pure=False
    ),
    "runtime": Area((*AROUND, "runtime", "pipelines"), ("numpy", "msgspec", "orjson", "zstandard"), pure=False),
    "runtime.kafka": Area(
        (*AROUND, "runtime"),
        ("numpy", "msgspec", "orjson", "zstandard", "aiokafka", "faust", "mode", "cramjam", "google_crc32c", "yarl"),
        pure=False,
    ),
    # it measures the others from outside
    "bench": Area((*AROUND, "bench", "runtime", "_version"), ("numpy", "orjson"), pure=False),
    "agents": Area((*BASE, "agents", "core", "pipeline", "runtime", "topics", "telemetry"), ("faust",), pure=False),
    # it puts workers together
    "cli": Area(
        (*AROUND, "_version", "agents", "bench", "cli", "runtime", "pipelines", "data", "grafana"),
        ("typer", "rich", "click", "numpy", "orjson"),
        pure=False,
    ),
    "__main__": Area(("cli",), pure=False),
}

# Imports inside functions, each with its reason: (module, what it imports).
INSIDE: dict[tuple[str, str], str] = {
    ("cli.run", "cli.run_kafka"): "runs over files start half a second sooner without Faust and aiokafka",
    ("cli.dashboards", "grafana.files"): "its packages are the extra `dashboards`: --help must work without them",
    ("cli.demo", "cli.demo_kafka"): "the demo over files starts half a second sooner without Faust and aiokafka",
    ("api.results", "runtime.kafka.tail"): "programs that read no results start half a second sooner without aiokafka",
    ("api.results", "runtime.kafka.published"): "the same half a second",
}
OPTIONAL = ("pandas", "polars", "pyarrow")  # extras: only ever imported where they are used, in any area

IMPURE_MODULES = {
    "asyncio",
    "multiprocessing",
    "pickle",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
}
CLOCKS = {"time.time", "time.time_ns", "time.monotonic", "time.perf_counter"}
IMPURE_CALLS = {"hash", "input", "now", "utcnow", "today", "uuid1", "uuid4", "urandom", "default_rng", "getrandbits"}


@dataclass(frozen=True)
class Module:
    """One source file. `name` is dotted, without the package: `windows.fixed`; the package itself is ""."""

    name: str
    path: Path
    source: str

    @property
    def area(self) -> str:
        """The longest entry of AREAS that covers the name, or "?"."""
        covering = [a for a in AREAS if covers(a, self.name) and (a or not self.name)]
        return max(covering, key=len, default="?")


@dataclass(frozen=True)
class Import:
    """`name` without the package where it is ours; otherwise the third-party or stdlib module, with `ours` False.

    `inside`: it stands in a function; `for_types`: below `if TYPE_CHECKING`.
    """

    name: str
    line: int
    ours: bool
    inside: bool
    for_types: bool


def covers(prefix: str, name: str) -> bool:
    """Is `name` the module `prefix` or inside it?"""
    return name == prefix or name.startswith(f"{prefix}.")


def modules(root: Path = ROOT) -> Iterator[Module]:
    """Every file of the package once, the linked folders at their real place."""
    for top in (PACKAGE, *LINKED):
        for path in sorted((root / top).rglob("*.py")):  # does not follow links
            parts = path.relative_to(root).with_suffix("").parts
            parts = tuple(p for p in (parts[1:] if top == PACKAGE else parts) if p != "__init__")
            yield Module(".".join(parts), path.relative_to(root), path.read_text(encoding="utf-8"))


def imports(module: Module) -> Iterator[Import]:
    """All imports of a file, wherever they stand."""
    tree = ast.parse(module.source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    guarded = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    for_types = {id(node) for guard in guarded for node in ast.walk(guard)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = imported_names(node)
        else:
            continue
        for name in names:
            ours = covers(PACKAGE, name)
            short = name[len(PACKAGE) + 1 :] if ours else name
            yield Import(short, node.lineno, ours, id(node) in inside, id(node) in for_types)


def imported_names(node: ast.ImportFrom) -> list[str]:
    """`from lepton_stream import wire` names lepton_stream.wire; deeper, the module says enough."""
    if node.level:
        return ["." * node.level + (node.module or "")]
    if node.module == PACKAGE:
        return [f"{PACKAGE}.{alias.name}" for alias in node.names if alias.name != "__version__"]
    own = ROOT / str(node.module).replace(".", "/")
    if covers(PACKAGE, str(node.module)) and own.is_dir():
        return [f"{node.module}.{a.name}" if (own / f"{a.name}.py").exists() else str(node.module) for a in node.names]
    return [str(node.module)]


def wrong_imports(module: Module) -> Iterator[str]:
    """What the table does not allow, one line each."""
    place = f"{module.path}"
    if module.area == "?":
        yield f"{place}: no area covers {module.name}: give it a line in AREAS of tests/architecture.py"
        return
    area = AREAS[module.area]
    for found in imports(module):
        where = f"{place}:{found.line}"
        if found.name.startswith("."):
            yield f"{where}: relative import"
        elif not is_allowed(found, area):
            yield f"{where}: {module.area or PACKAGE} must not import {found.name}"
        if found.inside and found.name.split(".")[0] not in OPTIONAL and (module.name, found.name) not in INSIDE:
            yield f"{where}: import of {found.name} inside a function"


def is_allowed(found: Import, area: Area) -> bool:
    """May this area import that?"""
    if found.ours:
        return any(covers(known, found.name) for known in area.knows)
    top = found.name.split(".")[0]
    if top in sys.stdlib_module_names:
        return not (area.pure and top in IMPURE_MODULES)
    return top in area.uses or (top in OPTIONAL and (found.inside or found.for_types))


def impure_calls(module: Module) -> Iterator[str]:
    """Clocks, randomness and `hash()` called in a pure area."""
    if module.area == "?" or not AREAS[module.area].pure:
        return
    for node in ast.walk(ast.parse(module.source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        last = called.rsplit(".", 1)[-1]
        if last in IMPURE_CALLS or ".random." in f".{called}" or called in CLOCKS:
            yield f"{module.path}:{node.lineno}: {called}() in pure code"


def too_long(module: Module, lines: int, function_lines: int) -> Iterator[str]:
    """Files and functions beyond the house's limits."""
    length = module.source.count("\n")
    if length > lines:
        yield f"{module.path}: {length} lines (at most {lines})"
    for node in ast.walk(ast.parse(module.source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > function_lines:
                yield f"{module.path}:{node.lineno}: {node.name} has {size} lines (at most {function_lines})"
