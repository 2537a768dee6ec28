"""HyperLogLog: how many different hashes there were, from the longest run of zeros in each of 4,096 classes of them.

Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", AofA 2007; the estimator, which needs neither tables nor cases for
few or many values, is Ertl's improved raw one, "New cardinality estimation algorithms for HyperLogLog sketches"
(arXiv:1702.01284), algorithm 6. Standard error 1.04 / sqrt(4096) = 1.6 %.

A class's register is a byte. Eight of them travel as one int64: a `block`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import Index

CLASSES = 4096
_HASH_BITS, _CLASS_BITS, _IN_BLOCK_BITS = 63, 12, 3
_REST_BITS = _HASH_BITS - _CLASS_BITS
_BLOCK_SHIFT = np.int64(_HASH_BITS - _CLASS_BITS + _IN_BLOCK_BITS)
LONGEST = _REST_BITS + 1
"""The most that a register holds."""
_SHORT_RUN = 8  # most runs are of one block; `reduceat` is slow on many of those
_HALF_BY_LOG_2 = 0.7213475204444817  # 1 / (2 ln 2), Ertl's alpha for unboundedly many classes

Floats = NDArray[np.float64]


def block_keys(hashes: Index) -> Index:
    """The block of each hash, as a number of the hashes' order."""
    return (hashes >> _BLOCK_SHIFT) << _BLOCK_SHIFT


def block_weights(hashes: Index) -> Index:
    """A block that holds this one hash's register: 1 and the zeros that lead the bits behind its class."""
    register = (hashes >> np.int64(_REST_BITS)) & 7
    rest = hashes & np.int64((1 << _REST_BITS) - 1)
    run = _REST_BITS + 1 - np.frexp(rest.astype(np.float64))[1].astype(np.int64)
    return run << (8 * register)


def joined(blocks: Index, starts: Index) -> Index:
    """The largest of each register over each run of blocks; the runs begin at `starts`."""
    length = np.diff(starts, append=len(blocks))
    if int(length.max()) > _SHORT_RUN:
        registers = np.ascontiguousarray(blocks).view(np.uint8).reshape(-1, 8)
        return np.ascontiguousarray(np.maximum.reduceat(registers, starts, axis=0)).view(np.int64).reshape(-1)
    found = blocks[starts]
    for i in range(1, int(length.max())):
        rows = np.flatnonzero(length > i)
        found[rows] = np.maximum(found[rows].view(np.uint8), blocks[starts[rows] + i].view(np.uint8)).view(np.int64)
    return found


def estimates(group: NDArray[np.int32], blocks: Index, groups: int) -> Index:
    """int64[groups]: how many values. `group`: of each block; a block that a group lacks holds zeros."""
    registers = np.ascontiguousarray(blocks).view(np.uint8).reshape(-1)
    code = np.repeat(group.astype(np.int64), 8) * (LONGEST + 1) + np.minimum(registers, LONGEST)
    counts = np.bincount(code, minlength=groups * (LONGEST + 1)).reshape(groups, -1).astype(np.float64)
    counts[:, 0] = CLASSES - counts[:, 1:].sum(axis=1)
    z = CLASSES * _tau(1.0 - counts[:, LONGEST] / CLASSES)
    for length in range(LONGEST - 1, 0, -1):
        z = 0.5 * (z + counts[:, length])
    z += CLASSES * _sigma(np.clip(counts[:, 0] / CLASSES, 0.0, 1.0))
    return np.rint(_HALF_BY_LOG_2 * CLASSES * CLASSES / z).astype(np.int64)


def _sigma(x: Floats) -> Floats:
    """X + sum of x**(2**k) * 2**(k - 1); infinite for 1: no register was set."""
    total, power, factor = x.copy(), x.copy(), 1.0
    while True:
        power = power * power
        added = np.where(x < 1.0, total + power * factor, np.inf)
        factor *= 2.0
        if (added == total).all():
            return added
        total = added


def _tau(x: Floats) -> Floats:
    """(1 - x - sum of (1 - x**(2**-k))**2 * 2**-k) / 3, 0 for 0 and 1."""
    total, root, factor = 1.0 - x, x.copy(), 1.0
    while True:
        root = np.sqrt(root)
        factor *= 0.5
        less = total - (1.0 - root) ** 2 * factor
        if (less == total).all():
            return np.where((x > 0.0) & (x < 1.0), less / 3.0, 0.0)
        total = less
