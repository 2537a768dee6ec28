"""The fingerprint index in machine code, over the tables of `dedup.slots`: uint64[slots, 3] of high, low, value + 1."""

from __future__ import annotations

import numpy as np
from numba import types

from lepton_stream.columns import Index, Mask, Words
from lepton_stream.compiled.jit import inlined, jit_for
from lepton_stream.compiled.signatures import INDEX, INDEX_OUT, INT, MASK_OUT, SLOTS, WORDS, WORDS_OUT
from lepton_stream.compiled.words import cell, prefetch, put

_CLAIMED = np.int64(0x7FFFFFFFFFFFFFFF)
_SLOT = 24  # bytes
_LINE = 64  # bytes
_AHEAD = 12  # rows whose slots are asked for before they are looked at: memory takes its time
_FEW, _MANY = 2, 3
"""Lines of memory to ask for: a fingerprint that is there is found in the third slot on average where three quarters
of them are in use, one that is not is missed after eight."""


@inlined
def _first(slots: int, low: np.uint64) -> np.int64:
    return np.int64((low >> np.uint64(32)) * np.uint64(slots) >> np.uint64(32))


@inlined
def _slot(table: np.int64, slots: int, floor: int, high: np.uint64, low: np.uint64) -> np.int64:
    """Address of the fingerprint's slot, or of the empty one where it would be. `table`: its address."""
    at, end = table + _SLOT * _first(slots, low), table + _SLOT * slots
    while cell(at, 2) > floor and (cell(at, 1) != np.int64(low) or cell(at, 0) != np.int64(high)):
        at += _SLOT
        if at == end:
            at = table
    return at


@inlined
def _ask_for(table: np.int64, slots: int, low: np.uint64, lines: int) -> None:
    """The memory in which the fingerprint would be, to be looked at soon."""
    at = table + _SLOT * _first(slots, low)
    for line in range(lines):
        prefetch(at + _LINE * line)


@inlined
def _held(table: np.int64, slots: int, floor: int, high: np.uint64, low: np.uint64) -> int:
    """What is held there, a value + 1, or 0; the table may have no slots at all."""
    if slots == 0:
        return 0
    held = cell(_slot(table, slots, floor, high, low), 2)
    return held if held > floor else 0


@inlined
def _fill(at: np.int64, high: np.uint64, low: np.uint64, value: np.int64) -> None:
    put(at, 0, np.int64(high))
    put(at, 1, np.int64(low))
    put(at, 2, value)


@jit_for(INDEX_OUT(SLOTS, INT, WORDS, WORDS))
def find(table: Words, floor: int, high: Words, low: Words) -> Index:
    """`dedup.slots.find`."""
    found, base = np.empty(len(low), np.int64), np.int64(table.ctypes.data)
    for i in range(len(low)):
        if i + _AHEAD < len(low):
            _ask_for(base, len(table), low[i + _AHEAD], _FEW)
        found[i] = _held(base, len(table), floor, high[i], low[i]) - 1
    return found


@jit_for(types.Tuple((INDEX_OUT, MASK_OUT, INT))(SLOTS, INT, WORDS, WORDS))
def settle(table: Words, floor: int, high: Words, low: Words) -> tuple[Index, Mask, int]:
    """`dedup.slots.settle`."""
    slots, new, taken = np.empty(len(low), np.int64), np.empty(len(low), np.bool_), 0
    base = np.int64(table.ctypes.data)
    for i in range(len(low)):
        if i + _AHEAD < len(low):
            _ask_for(base, len(table), low[i + _AHEAD], _FEW)
        at = _slot(base, len(table), floor, high[i], low[i])
        if cell(at, 2) <= floor:
            _fill(at, high[i], low[i], _CLAIMED)
            taken += 1
        slots[i], new[i] = (at - base) // _SLOT, cell(at, 2) == _CLAIMED
    return slots, new, taken


@jit_for(INT(SLOTS, SLOTS, INT, INT, INT))
def move(old: Words, table: Words, floor: int, begin: int, end: int) -> int:
    """`dedup.slots.move`."""
    base, source = np.int64(table.ctypes.data), np.int64(old.ctypes.data)
    for i in range(begin, end):
        held = cell(source + _SLOT * i, 2)
        if held > floor:
            at = _slot(base, len(table), floor, old[i, 0], old[i, 1])
            if cell(at, 2) <= floor:
                _fill(at, old[i, 0], old[i, 1], held)
    return end


@jit_for(INT(SLOTS, SLOTS, INT, SLOTS, SLOTS, INT, WORDS, WORDS, INDEX, INT, MASK_OUT))
def seen(
    table: Words, outgrown: Words, floor: int, old: Words, old_outgrown: Words, old_floor: int,
    high: Words, low: Words, offsets: Index, memory: int, duplicate: Mask,
) -> int:  # fmt: skip
    """`DedupMemory.seen` in one pass; gives how many ids the new generation did not have.

    `outgrown`: what the new generation is being moved out of; then the old generation. All but `table` may be empty.
    """
    taken, base, second = 0, np.int64(table.ctypes.data), np.int64(old.ctypes.data)
    outgrown_base, last = np.int64(outgrown.ctypes.data), np.int64(old_outgrown.ctypes.data)
    for i in range(len(low)):
        if i + _AHEAD < len(low):
            _ask_for(base, len(table), low[i + _AHEAD], _FEW)
            if len(old):
                _ask_for(second, len(old), low[i + _AHEAD], _MANY)
        at = _slot(base, len(table), floor, high[i], low[i])
        held = cell(at, 2)
        if held <= floor:
            held = _held(outgrown_base, len(outgrown), floor, high[i], low[i])
            if held == 0:
                taken += 1
                held = _held(second, len(old), old_floor, high[i], low[i])
            if held == 0:
                held = _held(last, len(old_outgrown), old_floor, high[i], low[i])
        duplicate[i] = held != 0 and offsets[i] - (held - 1) <= memory
        _fill(at, high[i], low[i], offsets[i] + 1)
    return taken


@jit_for(types.Tuple((INDEX_OUT, INDEX_OUT))(WORDS, WORDS))
def cells(high: Words, low: Words) -> tuple[Index, Index]:
    """(code of each row, first row of each code): rows with equal fingerprints share one; in order of first rows."""
    n = len(low)
    slots = 64
    while slots < 2 * n:
        slots *= 2
    table, mask = np.full(slots, np.int64(-1)), np.uint64(slots - 1)
    code, first, count = np.empty(n, np.int64), np.empty(n, np.int64), 0
    for i in range(n):
        at = low[i] & mask
        while table[at] >= 0 and (low[first[table[at]]] != low[i] or high[first[table[at]]] != high[i]):
            at = (at + np.uint64(1)) & mask
        if table[at] < 0:
            table[at], first[count] = count, i
            count += 1
        code[i] = table[at]
    return code, first[:count].copy()


@jit_for(types.void(WORDS, WORDS, INDEX, WORDS_OUT, WORDS_OUT))
def mix(high: Words, low: Words, window: Index, mixed_high: Words, mixed_low: Words) -> None:
    """Fingerprints of (group, window), see `shuffle.routing.prints_of`."""
    for i in range(len(low)):
        number = np.uint64(window[i])
        word = low[i] + number * np.uint64(0x9E3779B97F4A7C15)
        mixed_high[i] = high[i] ^ (word >> np.uint64(29)) ^ number
        mixed_low[i] = word ^ (word >> np.uint64(32))
