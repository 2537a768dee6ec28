"""Bytes and words at addresses, and what machine code can do with a word and Python has no name for.

Small functions that are called many times a record take addresses, not arrays: Numba counts references to an array
wherever it is handed on, which costs more than the work itself. Who asks keeps the arrays alive and inside bounds.
"""

# ruff: noqa: ARG001  (every intrinsic has the parameters that Numba hands it)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

Word: TypeAlias = Any
"""A uint64. NumPy's own types do not say what compiled code does with it."""

_I64, _I128 = ir.IntType(64), ir.IntType(128)

ONES: Word = np.uint64(0x0101010101010101)
TOPS: Word = np.uint64(0x8080808080808080)


def _intrinsic(function: Callable[..., Any]) -> Any:
    """Called with values inside compiled code, not with the Numba types that the function itself is handed."""
    return intrinsic(function)


@_intrinsic
def byte(typing: Any, at: Any) -> Any:
    """The byte at an address, 0 to 255."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())), _I64)

    return types.int64(types.int64), build


@_intrinsic
def load(typing: Any, at: Any) -> Any:
    """The eight bytes from an address on, wherever it is, as a little-endian word; they must exist (`PADDING`)."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.load(builder.inttoptr(arguments[0], _I64.as_pointer()))
        word.align = 1
        return word

    return types.uint64(types.int64), build


@_intrinsic
def store(typing: Any, at: Any, word: Any) -> Any:
    """Write a word to the eight bytes from an address on, wherever it is; they must exist."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        written = builder.store(arguments[1], builder.inttoptr(arguments[0], _I64.as_pointer()))
        written.align = 1
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), build


@_intrinsic
def cell(typing: Any, table: Any, index: Any) -> Any:
    """The int64 at a place of the table at an address."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _I64.as_pointer())
        return builder.load(builder.gep(place, [arguments[1]]))

    return types.int64(types.int64, types.int64), build


@_intrinsic
def put(typing: Any, table: Any, index: Any, value: Any) -> Any:
    """Write an int64 to a place of the table at an address."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _I64.as_pointer())
        builder.store(arguments[2], builder.gep(place, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


@_intrinsic
def product(typing: Any, a: Any, b: Any) -> Any:
    """The upper and the lower word of the product of two words."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = builder.mul(*(builder.zext(word, _I128) for word in arguments))
        upper = builder.trunc(builder.lshr(whole, ir.Constant(_I128, 64)), _I64)
        return context.make_tuple(builder, signature.return_type, [upper, builder.trunc(whole, _I64)])

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), build


@_intrinsic
def leading_zeros(typing: Any, word: Any) -> Any:
    """Zero bits above the highest one."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), build


@_intrinsic
def trailing_zeros(typing: Any, word: Any) -> Any:
    """Zero bits below the lowest one."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), build


@_intrinsic
def float_of_bits(typing: Any, word: Any) -> Any:
    """The float64 of these bits."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), build


@_intrinsic
def bits_of_float(typing: Any, number: Any) -> Any:
    """The bits of a float64, as an int64."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _I64)

    return types.int64(types.float64), build


@_intrinsic
def prefetch(typing: Any, at: Any) -> Any:
    """Ask for the memory at an address, to be written soon; nothing waits for it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place, i32 = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()), ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [place.type], ir.FunctionType(ir.VoidType(), [place.type, i32, i32, i32])
        )
        builder.call(function, [place, i32(1), i32(1), i32(1)])
        return context.get_dummy_value()

    return types.void(types.int64), build
