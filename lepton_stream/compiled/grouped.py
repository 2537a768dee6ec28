"""Grouped exact sums, and Kafka's key hash: one pass over the rows each."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from lepton_stream.columns import Index, Octets
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.signatures import (
    FLOATS,
    HASHES_OUT,
    INDEX,
    INT,
    LIMBS_OUT,
    NOTHING,
    OCTETS,
)
from lepton_stream.compiled.words import bits_of_float, load, trailing_zeros

_FRACTION = np.uint64((1 << 52) - 1)
_HIDDEN = np.uint64(1 << 52)
_LIMB = np.uint64((1 << 32) - 1)
_BIAS = 1075

Floats = NDArray[np.float64]


@inlined
def _parts(x: np.float64) -> tuple[np.uint64, np.int64]:
    """(m, e): the size of x is m * 2**e, m an integer below 2**53."""
    bits = np.uint64(bits_of_float(x))
    exponent = np.int64(bits >> np.uint64(52)) & 2047
    if exponent == 0:
        return bits & _FRACTION, np.int64(1 - _BIAS)
    return (bits & _FRACTION) | _HIDDEN, exponent - _BIAS


@jit_for(types.UniTuple(INT, 2)(FLOATS))
def limb_range(x: Floats) -> tuple[np.int64, np.int64]:
    """(lowest, highest) limb that finite values need; lowest > highest where all are zero."""
    lowest, largest = np.int64(1 << 20), np.float64(0.0)
    for i in range(len(x)):
        m, e = _parts(x[i])
        if m != np.uint64(0):
            lowest = min(lowest, (e + np.int64(trailing_zeros(m))) >> 5)
            largest = max(largest, abs(x[i]))
    if largest == 0.0:
        return np.int64(1), np.int64(0)
    m, e = _parts(largest)
    highest = e
    while m > np.uint64(1):
        m >>= np.uint64(1)
        highest += 1
    return lowest, highest >> 5


@jit_for(NOTHING(INDEX, FLOATS, INT, LIMBS_OUT))
def add_limbs(groups: Index, x: Floats, lowest: int, limbs: NDArray[np.int64]) -> None:
    """Add each value's digits, 32 bits a limb, to its group: limbs[k, group] weighs 2**(32 (lowest + k))."""
    for i in range(len(x)):
        m, e = _parts(x[i])
        if m == np.uint64(0):
            continue
        k = (e >> 5) - lowest
        by = np.uint64(e & 31)
        sign = np.int64(-1) if x[i] < 0.0 else np.int64(1)
        g = groups[i]
        low, rest = (m & _LIMB) << by, (m >> np.uint64(32)) << by
        middle = (low >> np.uint64(32)) + (rest & _LIMB)
        if low & _LIMB:
            limbs[k, g] += sign * np.int64(low & _LIMB)
        if middle & _LIMB:
            limbs[k + 1, g] += sign * np.int64(middle & _LIMB)
        top = (middle >> np.uint64(32)) + (rest >> np.uint64(32))
        if top:
            limbs[k + 2, g] += sign * np.int64(top)


@inlined
def _step(h: np.uint32, k: np.uint32) -> np.uint32:
    k = np.uint32(k * np.uint32(0x5BD1E995))
    k = np.uint32((k ^ (k >> np.uint32(24))) * np.uint32(0x5BD1E995))
    return np.uint32(np.uint32(h * np.uint32(0x5BD1E995)) ^ k)


@jit_for(HASHES_OUT(OCTETS, INDEX, INDEX))
def murmur2(data: Octets, start: Index, length: Index) -> NDArray[np.uint32]:
    """uint32[n]: `shuffle.murmur2.murmur2`."""
    out, base = np.empty(len(start), np.uint32), np.int64(data.ctypes.data)
    for i in range(len(start)):
        at, n = start[i], length[i]
        h = np.uint32(0x9747B28C) ^ np.uint32(n)
        while n >= 4:
            h = _step(h, np.uint32(load(base + at) & np.uint64(0xFFFFFFFF)))
            at, n = at + 4, n - 4
        if n > 0:
            rest = load(base + at) & ((np.uint64(1) << np.uint64(8 * n)) - np.uint64(1))
            h = np.uint32((h ^ np.uint32(rest)) * np.uint32(0x5BD1E995))
        h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0x5BD1E995))
        out[i] = h ^ (h >> np.uint32(15))
    return out
