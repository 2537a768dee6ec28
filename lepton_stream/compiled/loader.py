"""Turns the compiled path on without a cold start: work begins on the portable path and changes over when it can.

A thread loads what a process of its own has compiled (`warm`), function group by function group. Whatever goes wrong,
the portable path stays in force, and `state` says why. `LEPTON_STREAM_COMPILED`: `off` stays on the portable path, `on`
asks whoever starts it to wait (`start().join()`); anything else changes over on the way.
"""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple

from lepton_stream.compiled import cache, switch
from lepton_stream.compiled.parts import FUNCTIONS, PARTS

VARIABLE = "LEPTON_STREAM_COMPILED"
_LOOK_SECONDS = 0.1
_LOG = logging.getLogger("lepton_stream")
_MISSING = "Numba is not installed (pip install 'lepton-stream[compiled]')"


class State(NamedTuple):
    """`path`: "compiled", "compiling" or "portable"; `reason`: why, in words."""

    path: str
    reason: str

    @property
    def active(self) -> bool:
        """Whether the compiled path is in force."""
        return self.path == "compiled"

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.reason else self.path


class Abandoned(Exception):  # noqa: N818  (no error)
    """The process ends before anything was loaded."""


_NOT_STARTED = State("portable", "it was not turned on")
_state = _NOT_STARTED
_thread: threading.Thread | None = None


def state() -> State:
    """How far it has come in this process."""
    return _state


def outlook() -> State:
    """What a run would do, without starting anything: for those who only want to tell."""
    refusal = _refusal()
    if _state.active or refusal is not None:
        return _state if refusal is None else refusal
    try:
        at = cache.folder()
        there = cache.ready(at) or cache.seed(at) is not None
    except ValueError as error:
        return State("compiling", f"{error}: the next run compiles them again")
    except OSError as error:
        return State("portable", f"the cache cannot be used: {error}")
    return State("compiled", "loaded as a run begins") if there else State("compiling", "the next run compiles it")


def wished() -> bool:
    """Whether `LEPTON_STREAM_COMPILED=on` asks to wait for the compiled path."""
    return os.environ.get(VARIABLE) == "on"


def path() -> str:
    """The word for totals: how this process counted, by the end of it; what its workers did, if it only led them."""
    return (outlook() if _thread is None else _state).path


def start(say: Callable[[str], None] = _LOG.warning) -> threading.Thread:
    """Begin, once a process; join the thread to wait. `say` is told once if the compiled path cannot be had."""
    global _thread, _state  # noqa: PLW0603  (one process, one path)
    if _thread is None:
        refusal = _refusal()
        _state = refusal or State("compiling", "loading")
        _thread = threading.Thread(target=_bring if refusal is None else _nothing, args=(say,), name="compiled")
        _thread.start()
    return _thread


def functions_now() -> ModuleType:
    """The compiled functions, compiled in this process if need be: for tests and benchmarks."""
    start().join()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache.folder()))
    return importlib.import_module(FUNCTIONS)


def _refusal() -> State | None:
    if os.environ.get(VARIABLE) == "off":
        return State("portable", f"{VARIABLE}=off")
    return None if installed() else State("portable", _MISSING)


def installed() -> bool:
    """Whether Numba is here."""
    try:
        return find_spec("numba") is not None
    except ValueError:  # a blocked import
        return False


def _nothing(say: Callable[[str], None]) -> None:
    """There is nothing to be done; whoever asked to wait for it is told why."""
    if wished():
        say(str(_state))


def _bring(say: Callable[[str], None]) -> None:
    global _state  # noqa: PLW0603  (one process, one path)
    try:
        _load()
        _state = State("compiled", "")
    except Abandoned:
        return
    except Exception as error:
        _state = State("portable", f"the compiled path cannot be had: {error}")
        say(f"{_state.reason}; going on without it, slower")


def _load() -> None:
    """Have it compiled where it is not, then load it part by part: no step may hold the others up for long."""
    global _state  # noqa: PLW0603  (one process, one path)
    at = cache.folder()
    try:
        there = cache.ready(at)
    except ValueError:
        there = False
    if not there:
        _state = State("compiling", f"into {at}")
        _compile()
        if not cache.ready(at):
            raise OSError(f"nothing was compiled into {at}")
    os.environ["NUMBA_CACHE_DIR"] = str(at)
    for part in PARTS:
        if not threading.main_thread().is_alive():
            raise Abandoned
        importlib.import_module(part)
    switch.use(importlib.import_module(FUNCTIONS))


def _compile() -> None:
    """In a process of its own. It outlives us if we end first: what it compiles is good for the next start."""
    command = [sys.executable, "-m", "lepton_stream.compiled.warm", "--quiet"]
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    while True:
        try:
            _, told = process.communicate(timeout=_LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            if not threading.main_thread().is_alive():
                raise Abandoned from None
    if process.returncode != 0:
        raise OSError(told.decode(errors="replace").strip() or f"the compiler ended with {process.returncode}")
