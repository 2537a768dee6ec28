"""Bytes spoiled by chance, for where there is no fuzzer that watches what code they reach."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

TOKENS = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xfd",
    b"\xfe",
    b'"',
    b",",
    b"\n",
    b"{",
    b"[" * 40,
    b"null",
    b"-1",
    b"1e999",
)


def spoiled(good: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Without end; equal seeds give equal bytes. The first are the good ones."""
    dice = random.Random(seed)
    yield from good
    while True:
        data = bytearray(dice.choice(good))
        for _ in range(dice.choice((1, 1, 2, 3, 8))):
            at = dice.randrange(len(data) + 1)
            data[at : at + dice.choice((0, 1, 1, 2, 9))] = _piece(dice, good)
        yield bytes(data[: dice.choice((len(data), len(data), len(data), dice.randrange(len(data) + 1)))])


def _piece(dice: random.Random, good: Sequence[bytes]) -> bytes:
    kind = dice.randrange(4)
    if kind == 0:
        return dice.choice(TOKENS)
    if kind == 1:
        other = dice.choice(good)
        at = dice.randrange(len(other) + 1)
        return other[at : at + dice.randrange(30)]
    return dice.randbytes(dice.choice((0, 1, 1, 2, 4, 8)))
