"""Buckets whose bounds grow by a constant share: 50 to each power of two, at equal distances.

A bucket [a, b) is at most 1/50 of its power of two wide, and its value 2ab / (a + b) differs from any number inside by
at most (b - a) / (b + a) <= 1/101 of that number. This is the linearly interpolated mapping of DDSketch (Masson, Rim,
Lee, VLDB 2019); it is done on the bits of doubles with integers, so that every machine finds the same bucket.

Numbers are held as `keys`, int64 in the order of the numbers: a double as its bits, mirrored below zero; an integer as
itself. The key of a bucket is that of its number nearest to zero, so a key that was coarsened is its own bucket.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index

PER_OCTAVE = 50
ERROR = 1 / (2 * PER_OCTAVE + 1)
"""Relative, of doubles of 2.3e-308 and more; smaller ones come out at most 4.5e-310 off."""

Floats = NDArray[np.float64]
Numeric = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]
_BITS = np.int64(52)
_FRACTION = np.int64((1 << 52) - 1)
_ONE = np.int64(1023 << 52)
_LARGEST_INTEGER = float(2**63 - 1024)  # the largest double that int64 holds


def keys_of(values: Numeric) -> Index:
    """int64[n]. 0.0 and -0.0 have one key."""
    if values.dtype != np.float64:
        return values.astype(np.int64)
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def values_of(keys: Index, *, whole: bool) -> Floats | Index:
    """The numbers again."""
    if whole:
        return keys
    size = np.abs(keys).view(np.float64)
    return np.where(keys < 0, -size, size)


def coarse(keys: Index, *, whole: bool) -> Index:
    """The key of each key's bucket."""
    size, negative = _sizes(keys, whole=whole)
    exponent, step = size >> _BITS, ((size & _FRACTION) * PER_OCTAVE) >> _BITS
    low = (exponent << _BITS) | _fraction(step)
    if whole:
        low = np.ceil(low.view(np.float64)).astype(np.int64)
    return np.where(negative, -low, low)


def middle(keys: Index, *, whole: bool) -> Floats:
    """The values of these keys' buckets; of a bucket that holds a single integer, that integer."""
    size, negative = _sizes(keys, whole=whole)
    step = ((size & _FRACTION) * PER_OCTAVE) >> _BITS
    a, b = 1.0 + step / PER_OCTAVE, 1.0 + (step + 1) / PER_OCTAVE
    power = (size >> _BITS) - 1023
    value = np.ldexp(2.0 * a * b / (a + b), power)
    if whole:
        low = size.view(np.float64)
        value = np.where(np.ldexp(b, power) <= low + 1.0, low, value)
    else:
        value = np.where(size < 1 << 52, size.view(np.float64), value)  # below 2.3e-308 and zero: the lower bound
    return np.where(negative, -value, value)


def _sizes(keys: Index, *, whole: bool) -> tuple[Index, NDArray[np.bool_]]:
    """(the bits of the double nearest to each number's size, whether the number is negative)."""
    if not whole:
        return np.abs(keys), keys < 0
    size = np.minimum(np.abs(keys.astype(np.float64)), _LARGEST_INTEGER)
    return size.view(np.int64), keys < 0


def _fraction(step: Index) -> Index:
    """The first fraction of a double, in units of 2**-52, that belongs to the step."""
    return -((-step << _BITS) // PER_OCTAVE)
