"""Versioned bytes for frames and state: a small header and plain arrays, never a pickle.

    "LS" | format version (1 byte) | 0 | header length (4 bytes, little endian) | header (MessagePack) | arrays

The header holds `meta` and, for each array, its name, type and length; arrays follow each other at multiples of eight
bytes, so that they are read in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, TypeVar, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Column, Columns, Numbers, Text, pack
from lepton_stream.errors import IntegrityError

MAGIC = b"LS"
VERSION = 1
_PREFIX = 8
_TYPES = frozenset({"<f8", "<i8", "<u8", "|b1", "|u1", "<i4", "<u4"})

_NUMBERS = frozenset({"<f8", "<i8", "|b1"})

Arrays = dict[str, NDArray[Any]]


M = TypeVar("M")


class _Header(msgspec.Struct, Generic[M], array_like=True):
    meta: M
    arrays: list[tuple[str, str, int]]


_encoder = msgspec.msgpack.Encoder()


@cache
def _decoder(meta: Any) -> msgspec.msgpack.Decoder[_Header[Any]]:
    return msgspec.msgpack.Decoder(_Header[meta])


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


def dump(meta: Mapping[str, Any], arrays: Arrays) -> bytes:
    """`meta`: MessagePack values; arrays: one-dimensional, little endian."""
    described = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
    header = _encoder.encode(_Header(meta, described))
    parts = [MAGIC, bytes((VERSION, 0)), len(header).to_bytes(4, "little"), header]
    parts.append(bytes(_aligned(len(header)) - len(header)))
    for array in arrays.values():
        raw = np.ascontiguousarray(array).tobytes()
        parts += (raw, bytes(_aligned(len(raw)) - len(raw)))
    return b"".join(parts)


FOREIGN = "let nothing else write to this pipeline's topics, and give the plan a new `version` to count again"


_MISFITS = (LookupError, ValueError, TypeError, AttributeError, OverflowError)


@contextmanager
def read_as(what: str) -> Iterator[None]:
    """Bytes that load may still hold anything: whatever does not fit where they are used is an IntegrityError."""
    try:
        yield
    except _MISFITS as error:
        raise IntegrityError(f"{what}: the bytes are damaged ({type(error).__name__}: {error}); {FOREIGN}") from error


@overload
def load(data: bytes) -> tuple[dict[str, Any], Arrays]: ...


@overload
def load(data: bytes, meta: type[M]) -> tuple[M, Arrays]: ...


def load(data: bytes, meta: Any = dict[str, Any]) -> tuple[Any, Arrays]:
    """(meta, arrays); the arrays are read-only views. Raises IntegrityError for bytes that `dump` did not write.

    `meta`: the type that it must have, such as a TypedDict; every key and value is then checked.
    """
    if data[:2] != MAGIC or len(data) < _PREFIX:
        raise IntegrityError(f"frame or state: these bytes were not written by Lepton Stream; {FOREIGN}")
    if data[2] != VERSION:
        raise IntegrityError(
            f"frame or state version {data[2]}: this build reads version {VERSION}; "
            "finish with the build that wrote it, or start a new pipeline version"
        )
    size = int.from_bytes(data[4:_PREFIX], "little")
    try:
        header = _decoder(meta).decode(data[_PREFIX : _PREFIX + size])
        return header.meta, _arrays(data, header, _PREFIX + _aligned(size))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise IntegrityError(f"frame or state: the bytes are damaged ({error}); {FOREIGN}") from error


def _arrays(data: bytes, header: _Header[Any], at: int) -> Arrays:
    arrays: Arrays = {}
    for name, kind, length in header.arrays:
        if kind not in _TYPES or length < 0:
            raise ValueError(f"array {name!r} has type {kind!r} and length {length}")
        dtype = np.dtype(kind)
        if at + length * dtype.itemsize > len(data):  # in Python's integers: NumPy's may overflow
            raise ValueError(f"array {name!r} of length {length} reaches beyond the end")
        array = np.frombuffer(data, dtype, length, at)
        if kind == "|b1" and (array.view(np.uint8) > 1).any():
            raise ValueError(f"array {name!r} holds bytes that are no truth values")
        arrays[name] = array
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
    """The column that `put_column` added. Raises KeyError if there is none, ValueError if its arrays do not agree."""
    valid, values = arrays.get(f"{name}/valid"), arrays.get(f"{name}/values")
    length = arrays[f"{name}/length"] if values is None else values
    if valid is not None and (valid.dtype != np.bool_ or len(valid) != len(length)):
        raise ValueError(f"column {name!r}: its rows and their validity do not agree")
    if values is not None:
        if values.dtype.str not in _NUMBERS:
            raise ValueError(f"column {name!r} has numbers of type {values.dtype}")
        return Numbers(values, valid)
    text = arrays[f"{name}/text"]
    # no length above the whole: their sum cannot overflow then
    if length.dtype != np.int64 or text.dtype != np.uint8 or ((length < 0) | (length > len(text))).any():
        raise ValueError(f"column {name!r}: its text and the lengths do not agree")
    if int(length.sum()) != len(text):
        raise ValueError(f"column {name!r}: its text and the lengths do not agree")
    data = np.concatenate([text, np.zeros(PADDING, np.uint8)])
    return Text(data, np.cumsum(length) - length, length, valid)


def put_columns(arrays: Arrays, prefix: str, columns: Columns) -> None:
    """`put_column` for each, under `prefix/name`."""
    for name, column in columns.items():
        put_column(arrays, f"{prefix}/{name}", column)


def get_columns(arrays: Arrays, prefix: str, names: tuple[str, ...]) -> Columns:
    """The named columns under `prefix`."""
    return {name: get_column(arrays, f"{prefix}/{name}") for name in names}
