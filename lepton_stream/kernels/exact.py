"""Exact sums of floats and integers, for many groups at once.

A double is an integer times a power of two, so a sum of doubles is one too. Each group's sum is held as that integer
in limbs of 32 bits at fixed positions (limb k weighs 2**(32 k)), one int64 array a limb over all groups, and only the
limbs that the data touches. Adding is then integer addition: it does not round, so order, chunks and partitions do not
matter, and the result is rounded once, to nearest even. The idea of a wide fixed-point register is Kulisch's (Computer
Arithmetic and Validity, 2008); superaccumulators in software: Neal, "Fast exact summation using small and large
superaccumulators" (arXiv:1505.05571).

Cost: a value of ordinary size touches three limbs: three multiplications, three truncations, three `bincount`s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index, Mask, Words
from lepton_stream.compiled import switch
from lepton_stream.kernels.kernel import State

BITS = 32
_MASK = np.int64((1 << BITS) - 1)
_TOP = np.int64(1 << 33)
_ROWS_AT_ONCE = 1 << 20  # 2**20 rows of less than 2**32 each stay below 2**53, where bincount's float sums are exact
_PLAIN_EXPONENT = 1000  # beyond this 2.0**e is not a double; ldexp is
_LOST = (1 << 11) - 1  # of 64 bits, a double keeps 53
_SMALL, _LARGE = 2.0**62, 2.0**100

Floats = NDArray[np.float64]


def limb(k: int) -> str:
    """The name of limb k's array in a state."""
    return f"limb{k:+d}"


def limbs_of(state: State) -> list[int]:
    """Which limbs a state has, ascending."""
    return sorted(int(name[4:]) for name in state if name.startswith("limb"))


def _scaled(x: Floats, exponent: int) -> Floats:
    return x * 2.0**exponent if abs(exponent) <= _PLAIN_EXPONENT else np.ldexp(x, exponent)


def _add_limb(into: State, k: int, contribution: NDArray[np.int64]) -> None:
    name = limb(k)
    into[name] = into[name] + contribution if name in into else contribution


def add_floats(into: State, groups: Index, x: Floats, count: int, shift: int = 0) -> None:
    """Add x[i] * 2**(32 shift) to group groups[i] < count, in place. x is finite."""
    for at in range(0, len(x), _ROWS_AT_ONCE):
        _add_floats(into, groups[at : at + _ROWS_AT_ONCE], x[at : at + _ROWS_AT_ONCE], count, shift)


def _add_floats(into: State, groups: Index, x: Floats, count: int, shift: int) -> None:
    functions = switch.current()
    if functions is not None:
        lowest, highest = functions.limb_range(x)
        limbs = np.zeros((highest - lowest + 1, count), np.int64)
        functions.add_limbs(groups, x, lowest, limbs)
        for k, contribution in enumerate(limbs, lowest):
            _add_limb(into, k + shift, contribution)
        return
    top = float(np.max(np.abs(x), initial=0.0))
    rest = x
    k = (int(np.frexp(top)[1]) - 1) // BITS
    while top > 0.0:
        head = np.trunc(_scaled(rest, -BITS * k))
        _add_limb(into, k + shift, np.bincount(groups, head, count).astype(np.int64))
        rest = rest - _scaled(head, BITS * k)
        k -= 1
        top = 1.0 if rest.any() else 0.0


def add_integers(into: State, groups: Index, x: NDArray[np.int64] | Words, count: int, shift: int = 0) -> None:
    """Add x[i] * 2**(32 shift), int64 or uint64, to group groups[i] < count, in place."""
    mask, bits = x.dtype.type(_MASK), x.dtype.type(BITS)
    for at in range(0, len(x), _ROWS_AT_ONCE):
        part, where = x[at : at + _ROWS_AT_ONCE], groups[at : at + _ROWS_AT_ONCE]
        for k, piece in ((0, part & mask), (1, part >> bits)):
            _add_limb(into, k + shift, np.bincount(where, piece.astype(np.float64), count).astype(np.int64))


def add_integer_squares(into: State, groups: Index, x: NDArray[np.int64], count: int) -> None:
    """Add int64 x[i]**2 exactly to group groups[i] < count, in place."""
    size = np.abs(x).view(np.uint64)  # as uint64 even -2**63 has its absolute value
    if int(size.max(initial=0)) < 1 << 31:
        return add_integers(into, groups, x * x, count)
    high, low = size >> np.uint64(BITS), size & np.uint64(_MASK)
    for product, shift in ((low * low, 0), (high * low, 1), (high * low, 1), (high * high, 2)):
        add_integers(into, groups, product, count, shift)
    return None


_SPLIT = 134217729.0  # 2**27 + 1: Dekker's constant, cuts a double into two halves of 26 bits
_FAR = 19  # limbs: 608 bits, so that squares of very large and very small numbers keep clear of overflow and underflow


def add_squares(into: State, groups: Index, x: Floats, count: int) -> None:
    """Add x[i]**2 exactly: the rounded product and its rounding error are both doubles."""
    size = np.abs(x)
    large, small = size > 2.0**500, (size < 2.0**-450) & (size > 0.0)
    if large.any() or small.any():
        for mask, by in ((large, -_FAR), (small, _FAR), (~(large | small), 0)):
            _add_squares(into, groups[mask], np.ldexp(x[mask], BITS * by), count, -2 * by)
    else:
        _add_squares(into, groups, x, count, 0)


def _add_squares(into: State, groups: Index, x: Floats, count: int, shift: int) -> None:
    for part in two_product(x, x):
        add_floats(into, groups, part, count, shift)


def two_product(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """(x y rounded, its rounding error), both exact where no product of halves over- or underflows (Dekker 1971)."""
    product = x * y
    (a, b), (c, d) = _halves(x), _halves(y)
    return product, ((a * c - product) + a * d + b * c) + b * d


def _halves(x: Floats) -> tuple[Floats, Floats]:
    high = x * _SPLIT
    high = high - (high - x)
    return high, x - high


def normalise(state: State) -> None:
    """Carry, in place: limbs come into [0, 2**32), but for the highest, which keeps the sign and stays below 2**33."""
    k = min(limbs_of(state), default=0)
    top = max(limbs_of(state), default=-1)
    while k < top or (k == top and bool((np.abs(state[limb(k)]) > _TOP).any())):
        low = state.get(limb(k))
        if low is not None:
            state[limb(k)] = low & _MASK
            _add_limb(state, k + 1, low >> BITS)
            top = max(top, k + 1)
        k += 1


def merge(state: State, groups: Index, other: State) -> None:
    """Add the sums of another state, in place. `other` is normalised, so 2**29 merges fit into a limb."""
    count = len(next(iter(state.values())))
    for k in limbs_of(other):
        name = limb(k)
        if name not in state:
            state[name] = np.zeros(count, np.int64)
        np.add.at(state[name], groups, other[name])


def to_integers(state: State, groups: int) -> tuple[list[int], int]:
    """(one Python integer a group, e): the sums are exactly the integers times 2**e."""
    have = limbs_of(state)
    totals = [0] * groups
    for k in have:
        by = BITS * (k - have[0])
        totals = [t + (v << by) for t, v in zip(totals, state[limb(k)].tolist(), strict=True)]
    return totals, BITS * have[0] if have else 0


def to_int64(state: State, groups: int) -> Index | None:
    """The sums of integers, None where some may not be within 63 bits."""
    have = limbs_of(state)
    if have and have[0] < 0:
        return None
    about, total = np.zeros(groups), np.zeros(groups, np.int64)
    for k in have:
        weighed = _scaled(state[limb(k)].astype(np.float64), BITS * k)
        if bool((np.abs(weighed) > _LARGE).any()):  # beyond it `about` would be too far off
            return None
        about += weighed
        if k <= 1:  # of higher limbs nothing is left in 64 bits, where the sum itself is right
            total += state[limb(k)] << np.int64(BITS * k)
    return total if bool((np.abs(about) < _SMALL).all()) else None


def to_floats(state: State, groups: int) -> Floats:
    """The sums, rounded once to nearest even; infinite where a sum exceeds the range of doubles."""
    lead, exponent, negative = _leading(state, groups)
    with np.errstate(over="ignore"):
        size = np.ldexp(lead.astype(np.float64), exponent)
    return np.where(negative, -size, size)


def to_means(state: State, counts: Index) -> Floats:
    """The sums divided by `counts` > 0, within 0.501 units in the last place; finite also where only the sum is not.

    The quotient of the rounded sum is mended by its exact remainder and by what rounding the sum took away.
    """
    lead, exponent, negative = _leading(state, len(counts))
    n, total = counts.astype(np.float64), lead.astype(np.float64)
    # total may be 2**64, which uint64 does not hold: halves tell whether it was rounded up
    up = (total * 0.5).astype(np.uint64) > lead >> np.uint64(1)
    lost = (lead & np.uint64(_LOST)).astype(np.float64) - np.where(up, _LOST + 1.0, 0.0)
    quotient = total / n
    product, error = two_product(quotient, n)
    mended = quotient + ((total - product) - error + lost) / n
    with np.errstate(over="ignore"):
        size = np.ldexp(mended, exponent)
    return np.where(negative, -size, size)


def _magnitude(state: State, groups: int, span: range) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Limbs [0, 2**32) of the absolute value, highest first and two zero limbs behind; and which sums are negative."""
    limbs = [state.get(limb(k), np.zeros(groups, np.int64)) for k in span]
    negative = np.zeros(groups, np.bool_)
    for _ in range(2):  # the first pass finds the sign, the second carries the absolute value
        out: list[NDArray[np.int64]] = []
        carry = np.zeros(groups, np.int64)
        for low in limbs:
            total = low + carry
            out.append(total & _MASK)
            carry = total >> BITS
        if negative.any() or not (carry < 0).any():
            break
        negative = carry < 0
        limbs = [np.where(negative, -low, low) for low in limbs]
    rows = [*reversed([*out, carry]), np.zeros(groups, np.int64), np.zeros(groups, np.int64)]
    return np.array(rows).astype(np.uint64), negative


def _leading(state: State, groups: int) -> tuple[Words, Index, Mask]:
    """(the 64 leading bits of each sum's magnitude, their power of two, whether it is negative).

    The last bit is sticky: set if anything follows. So rounding these 64 bits rounds the sum, once.
    """
    have = limbs_of(state)
    magnitude, negative = _magnitude(state, groups, range(have[0], have[-1] + 1))
    places = len(magnitude)
    first = np.argmax(magnitude[:-2] != 0, axis=0)
    column = np.arange(groups)
    a, b, c = (magnitude[first + i, column] for i in range(3))
    below = np.arange(places)[:, None] > first + 2
    sticky = ((magnitude != 0) & below).any(axis=0)
    room = np.uint64(BITS) - np.frexp(a.astype(np.float64))[1].astype(np.uint64)  # leading zeros of the highest limb
    lead = ((a << np.uint64(BITS) | b) << room) | (c >> (np.uint64(BITS) - room))
    rest = (c << room) & np.uint64(_MASK)
    lead |= (sticky | (rest != 0)).astype(np.uint64)
    return lead, BITS * (have[0] + places - 4 - first) - room.astype(np.int64), negative
