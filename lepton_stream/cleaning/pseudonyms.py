"""Pseudonyms: text replaced by a keyed hash of it, so that what follows tells people apart and names nobody.

Input: a text column. Result: 32 hexadecimal digits a row, the first 128 bits of HMAC-SHA-256 (RFC 2104, FIPS 180-4) of
the text's UTF-8 bytes under a secret; missing rows stay missing. Equal texts have equal pseudonyms wherever the secret
is the same; two among n different texts share one with a probability of about n² / 2**129 (a thousand million:
1.5e-21). Who has the secret and a guess can check it: pseudonyms hide people from those without the secret only.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from lepton_stream.columns import Index, Text, take, text_from_bytes, text_to_bytes

LEAST_BYTES = 16
"""A secret that is shorter could be found by trying."""
_TAG = b"lepton-stream: which secret for pseudonyms"
_BYTES, _TAG_BYTES = 16, 4


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """`secret`: at least `LEAST_BYTES` bytes; it is never shown."""

    secret: bytes = field(repr=False)

    def of(self, value: bytes) -> bytes:
        """The pseudonym of one text."""
        return hmac.digest(self.secret, value, "sha256")[:_BYTES].hex().encode()

    @property
    def tag(self) -> str:
        """Eight digits that tell secrets apart, and say no more of them than a pseudonym does."""
        return hmac.digest(self.secret, _TAG, "sha256")[:_TAG_BYTES].hex()

    def column(self, column: Text, first: Index, code: Index) -> Text:
        """`first`: a row of each different text (a missing one is a text, too); `code`: which of them each row has."""
        different = take(column, first)
        texts = text_to_bytes(different) if isinstance(different, Text) else []
        valid = [True] * len(texts) if different.valid is None else different.valid.tolist()
        told = text_from_bytes([self.of(text) if ok else None for text, ok in zip(texts, valid, strict=True)])
        return Text(told.data, told.start[code], told.length[code], None if told.valid is None else told.valid[code])
