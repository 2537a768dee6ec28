"""Versioned bytes for frames and state: a small header and plain arrays, never a pickle.

    "LS" | format version (1 byte) | 0 | header length (4 bytes, little endian) | header (MessagePack) | arrays

The header holds `meta` and, for each array, its name, type and length; arrays follow each other at multiples of eight
bytes, so that they are read in place.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Column, Columns, Numbers, Text, pack
from lepton_stream.errors import IntegrityError

MAGIC = b"LS"
VERSION = 1
_PREFIX = 8
_TYPES = frozenset({"<f8", "<i8", "<u8", "|b1", "|u1", "<i4", "<u4"})

Arrays = dict[str, NDArray[Any]]


class _Header(msgspec.Struct, array_like=True):
    meta: dict[str, Any]
    arrays: list[tuple[str, str, int]]


_decoder = msgspec.msgpack.Decoder(_Header)
_encoder = msgspec.msgpack.Encoder()


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


def dump(meta: dict[str, Any], arrays: Arrays) -> bytes:
    """`meta`: MessagePack values; arrays: one-dimensional, little endian."""
    described = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
    header = _encoder.encode(_Header(meta, described))
    parts = [MAGIC, bytes((VERSION, 0)), len(header).to_bytes(4, "little"), header]
    parts.append(bytes(_aligned(len(header)) - len(header)))
    for array in arrays.values():
        raw = np.ascontiguousarray(array).tobytes()
        parts += (raw, bytes(_aligned(len(raw)) - len(raw)))
    return b"".join(parts)


def load(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """(meta, arrays); the arrays are read-only views. Raises IntegrityError for bytes that `dump` did not write."""
    if data[:2] != MAGIC or len(data) < _PREFIX:
        raise IntegrityError("frame or state: these bytes were not written by Lepton Stream")
    if data[2] != VERSION:
        raise IntegrityError(
            f"frame or state version {data[2]}: this build reads version {VERSION}; "
            "finish with the build that wrote it, or start a new pipeline version"
        )
    size = int.from_bytes(data[4:_PREFIX], "little")
    try:
        header = _decoder.decode(data[_PREFIX : _PREFIX + size])
        return header.meta, _arrays(data, header, _PREFIX + _aligned(size))
    except (msgspec.MsgspecError, ValueError) as error:
        raise IntegrityError(f"frame or state: the bytes are damaged ({error})") from error


def _arrays(data: bytes, header: _Header, at: int) -> Arrays:
    arrays: Arrays = {}
    for name, kind, length in header.arrays:
        if kind not in _TYPES or length < 0:
            raise ValueError(f"array {name!r} has type {kind!r} and length {length}")
        dtype = np.dtype(kind)
        arrays[name] = np.frombuffer(data, dtype, length, at)
        at += _aligned(length * dtype.itemsize)
    return arrays


def put_column(arrays: Arrays, name: str, column: Column) -> None:
    """Add a column's arrays under `name`."""
    if isinstance(column, Text):
        packed = pack(column)
        arrays[f"{name}/text"], arrays[f"{name}/length"] = packed.data[:-PADDING], packed.length
    else:
        arrays[f"{name}/values"] = column.values
    if column.valid is not None:
        arrays[f"{name}/valid"] = column.valid


def get_column(arrays: Arrays, name: str) -> Column:
    """The column that `put_column` added. Raises KeyError if there is none."""
    valid = arrays.get(f"{name}/valid")
    if f"{name}/values" in arrays:
        return Numbers(arrays[f"{name}/values"], valid)
    length = arrays[f"{name}/length"]
    data = np.concatenate([arrays[f"{name}/text"], np.zeros(PADDING, np.uint8)])
    return Text(data, np.cumsum(length) - length, length, valid)


def put_columns(arrays: Arrays, prefix: str, columns: Columns) -> None:
    """`put_column` for each, under `prefix/name`."""
    for name, column in columns.items():
        put_column(arrays, f"{prefix}/{name}", column)


def get_columns(arrays: Arrays, prefix: str, names: tuple[str, ...]) -> Columns:
    """The named columns under `prefix`."""
    return {name: get_column(arrays, f"{prefix}/{name}") for name in names}
