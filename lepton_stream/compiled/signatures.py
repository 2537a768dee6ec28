"""The types that compiled functions name in their signatures: arrays without gaps; those only read may be read-only."""

from __future__ import annotations

from numba import types

OCTETS = types.Array(types.uint8, 1, "C", readonly=True)
FLOATS = types.Array(types.float64, 1, "C", readonly=True)
INDEX = types.Array(types.int64, 1, "C", readonly=True)
WORDS = types.Array(types.uint64, 1, "C", readonly=True)
MASK = types.Array(types.bool_, 1, "C", readonly=True)

INDEX_OUT = INDEX.copy(readonly=False)
WORDS_OUT = WORDS.copy(readonly=False)
MASK_OUT = MASK.copy(readonly=False)
FLOATS_OUT = FLOATS.copy(readonly=False)
LINES_OUT = types.Array(types.float64, 2, "C")
HASHES_OUT = types.Array(types.uint32, 1, "C")
SLOTS = types.Array(types.uint64, 2, "C")
LIMBS_OUT = types.Array(types.int64, 2, "C")

INT, WORD, BOOL, FLOAT, NOTHING = types.int64, types.uint64, types.bool_, types.float64, types.void
