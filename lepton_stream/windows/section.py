"""One `[[window]]` of a plan made ready: its functions, the kernels they read, the fields those need."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.kernels.functions import Function, function
from lepton_stream.kernels.kernel import Kernel
from lepton_stream.pipeline.plan import Plan, Window


@dataclass(frozen=True, slots=True)
class Section:
    """`kernels`: each needed once, however many results read it; `fields`: number or text fields that they read."""

    window: Window
    functions: tuple[tuple[str, Function], ...]
    kernels: tuple[Kernel, ...]
    fields: tuple[str, ...]


def sections(plan: Plan) -> tuple[Section, ...]:
    """The plan's windows, in its order."""
    types: dict[str, str] = {**plan.types}
    return tuple(_section(window, types) for window in plan.windows)


def _section(window: Window, types: dict[str, str]) -> Section:
    functions = tuple((name, function(call, types)) for name, call in window.results)
    kernels = {kernel.key: kernel for _, f in functions for kernel in f.kernels}
    named = {str(arg) for _, call in window.results for arg in call.args if isinstance(arg, str)}
    return Section(window, functions, tuple(kernels.values()), tuple(sorted(named)))
