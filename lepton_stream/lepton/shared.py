"""Big arrays between processes: through shared memory, where there is room; all else goes through the pipe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

from lepton_stream.lepton.arrays import Array

BIG = 1 << 20
"""Bytes from which an array goes through shared memory."""
_WHERE = Path("/dev/shm")  # noqa: S108  where Linux keeps it: asked for its free space only


@dataclass(frozen=True, slots=True)
class Shared:
    """An array in a named block."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def pack(value: Any) -> Any:
    """The value with its big arrays in shared memory: itself, or in lists, tuples and dicts."""
    return _mapped(value, lambda v: isinstance(v, np.ndarray), _share)


def unpack(value: Any) -> tuple[Any, list[SharedMemory]]:
    """The value with views on the blocks, which must stay open while it is in use."""
    blocks: list[SharedMemory] = []

    def view(shared: Shared) -> Array:
        blocks.append(SharedMemory(shared.name))
        return np.ndarray(shared.shape, shared.dtype, blocks[-1].buf)

    return _mapped(value, lambda v: isinstance(v, Shared), view), blocks


def take(value: Any) -> Any:
    """The value with arrays of its own; the blocks are gone."""

    def copied(shared: Shared) -> Array:
        block = SharedMemory(shared.name)
        try:
            return np.ndarray(shared.shape, shared.dtype, block.buf).copy()
        finally:
            block.close()
            block.unlink()

    return _mapped(value, lambda v: isinstance(v, Shared), copied)


def discard(value: Any) -> None:
    """The blocks are gone, whoever has not taken them."""

    def unlink(shared: Shared) -> None:
        try:
            block = SharedMemory(shared.name)
        except FileNotFoundError:
            return
        block.close()
        block.unlink()

    _mapped(value, lambda v: isinstance(v, Shared), unlink)


def _share(array: Array) -> Any:
    if (
        array.nbytes < BIG
        or array.dtype.hasobject
        or type(array) not in (np.ndarray, np.memmap)
        or not _room(array.nbytes)
    ):
        return array
    block = SharedMemory(create=True, size=array.nbytes)
    np.ndarray(array.shape, array.dtype, block.buf)[...] = array
    block.close()
    return Shared(block.name, array.shape, array.dtype)


def _room(size: int) -> bool:
    """Writing beyond what is there would end the process; the margin is for those who ask at the same time."""
    return not _WHERE.is_dir() or shutil.disk_usage(_WHERE).free > 4 * size


def _mapped(value: Any, is_one: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    if is_one(value):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)(_mapped(v, is_one, change) for v in value)
    if type(value) is dict:
        return {k: _mapped(v, is_one, change) for k, v in value.items()}
    return value
