"""SipHash with 128 bits of output, word by word in Python integers, written from the paper's description."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

MASK = (1 << 64) - 1
Value = str | int | float | bool | None


def rotate(x: int, by: int) -> int:
    return (x << by | x >> 64 - by) & MASK


def sip_round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a = a + b & MASK
    b = rotate(b, 13) ^ a
    a = rotate(a, 32)
    c = c + d & MASK
    d = rotate(d, 16) ^ c
    a = a + d & MASK
    d = rotate(d, 21) ^ a
    c = c + b & MASK
    b = rotate(b, 17) ^ c
    return a, b, rotate(c, 32), d


def siphash(words: Sequence[int], secret: bytes, word_rounds: int = 1, end_rounds: int = 3) -> tuple[int, int]:
    """(first, second) 64 bits of output. `words`: whole ones; the published hash ends them with the input's length."""
    k0, k1 = struct.unpack("<QQ", secret)
    constants = struct.unpack(">QQQQ", b"somepseudorandomlygeneratedbytes")
    a, b, c, d = (x ^ k for x, k in zip(constants, (k0, k1, k0, k1), strict=True))
    b ^= 0xEE
    for word in words:
        d ^= word
        for _ in range(word_rounds):
            a, b, c, d = sip_round(a, b, c, d)
        a ^= word
    c ^= 0xEE
    for _ in range(end_rounds):
        a, b, c, d = sip_round(a, b, c, d)
    first = a ^ b ^ c ^ d
    b ^= 0xDD
    for _ in range(end_rounds):
        a, b, c, d = sip_round(a, b, c, d)
    return first, a ^ b ^ c ^ d


def words_of(value: Value, kind: str, secret: bytes, long: int) -> list[int]:
    """A header of type and length, then the value. `kind`: the field's type, which a null has too."""
    if kind == "str":
        data = b"" if value is None else str(value).encode()
        header = 0 if value is None else len(data) << 8 | 4
        if len(data) > long:
            return [header, *struct.unpack("<QQ", hashlib.blake2b(data, digest_size=16, key=secret).digest())]
        data += bytes(-len(data) % 8)
        return [header, *struct.unpack(f"<{len(data) // 8}Q", data)]
    if value is None:
        return [0, 0]
    packed = {"float": ("<d", 1), "int": ("<q", 2), "bool": ("<Q", 3)}[kind]
    plain = value + 0.0 if isinstance(value, float) else value
    return [packed[1], *struct.unpack("<Q", struct.pack(packed[0], plain))]
