"""One 63-bit number a value, the same in every worker and after every restart.

Numbers are mixed by the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), a bijection of 64 bits; text goes
through SipHash-1-3 with a fixed key. Nothing is secret, or two workers would not agree: somebody who may choose the
values can make hashes collide on purpose. By chance, two of n values share one with a probability of n² / 2**64.
"""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Column, Index, Text, Words, take
from lepton_stream.dedup.fingerprint import Key, fingerprints

_FIXED = Key(0, 0)
_ONE = np.uint64(1)


def hashes(column: Column) -> Index:
    """int64[n] >= 0. 0.0 and -0.0 are one value; what missing rows get means nothing."""
    if isinstance(column, Text):
        return (fingerprints([Text(column.data, column.start, column.length)], _FIXED).low >> _ONE).view(np.int64)
    values = column.values + 0.0 if column.values.dtype == np.float64 else column.values
    words = values.astype(np.uint64) if values.dtype == np.bool_ else values.view(np.uint64)
    return (_mixed(words) >> _ONE).view(np.int64)


def _mixed(x: Words) -> Words:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def there(groups: Index, column: Column) -> tuple[Index, Column]:
    """Groups and values of the rows where a field is there."""
    return (groups, column) if column.valid is None else (groups[column.valid], take(column, column.valid))
