"""Entries: state whose length differs from group to group, in arrays all the same.

A sketch holds some (key, weight) pairs a group, a few or thousands. They lie in layers: arrays `0:group`, `0:key`,
`0:weight`, sorted by group and then key (and `0:length`, `0:text` where a key stands for text), beside the state's
arrays of one row a group. New entries become a layer of their own; a layer is merged into the one below once that is
not twice as long (a log-structured merge tree: O'Neil et al., Acta Informatica 33, 1996), so that adding to a large
state costs what is added, times the logarithm of the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepton_stream.columns import PADDING, Index, Mask, Text, concat, pack, take

Arrays = dict[str, NDArray[Any]]
GROUP = np.int32
BYTES = 20
"""Of one entry, besides its text."""

_KINDS = {"group": "<i4", "key": "<i8", "weight": "<i8", "length": "<i8", "text": "|u1"}


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """`group`: int32[n]; `key` and `weight`: int64[n]; `text`: what each key stands for, if that is text."""

    group: NDArray[np.int32]
    key: Index
    weight: Index
    text: Text | None = None

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: Index | Mask) -> Entries:
        """These entries, in that order."""
        text = None if self.text is None else take(self.text, rows)
        assert text is None or isinstance(text, Text)
        return Entries(self.group[rows], self.key[rows], self.weight[rows], text)

    def sorted(self) -> Entries:
        """By group, then key."""
        return self.take(_order(self.group, self.key)) if len(self) else self

    def starts(self) -> Index:
        """Of sorted entries: the first one of each (group, key)."""
        if not len(self):
            return np.zeros(0, np.int64)
        new = np.ones(len(self), np.bool_)
        new[1:] = (self.key[1:] != self.key[:-1]) | (self.group[1:] != self.group[:-1])
        return np.flatnonzero(new)

    def counts(self, groups: int) -> Index:
        """int64[groups]: entries of each."""
        return np.bincount(self.group, minlength=groups)


def _order(group: NDArray[np.int32], key: Index) -> Index:
    """What sorts by group, then key: one sort of both in 63 bits, which is much faster than `lexsort`.

    Where they do not fit, the last bits of the keys are left out at first, which is seldom wrong.
    """
    low = int(key.min())
    span = (int(key.max()) - low).bit_length()
    shift = max(0, span + int(group.max()).bit_length() - 63)
    above = (key - low).view(np.uint64) >> np.uint64(shift)
    code = (group.astype(np.int64) << np.int64(span - shift)) | above.view(np.int64)
    order = np.argsort(code)
    if shift:
        code, key_then = code[order], key[order]
        if ((code[1:] == code[:-1]) & (key_then[1:] < key_then[:-1])).any():
            return np.lexsort((key, group))
    return order


def nothing() -> Entries:
    """No entries."""
    return Entries(np.zeros(0, GROUP), np.zeros(0, np.int64), np.zeros(0, np.int64))


def joined(pieces: list[Entries]) -> Entries:
    """One after the other, not sorted."""
    pieces = [p for p in pieces if len(p)]
    if len(pieces) < 2:
        return pieces[0] if pieces else nothing()
    group, key, weight = (np.concatenate([getattr(p, name) for p in pieces]) for name in ("group", "key", "weight"))
    texts = [p.text for p in pieces if p.text is not None]
    text = concat(texts) if texts else None
    assert text is None or isinstance(text, Text)
    return Entries(group, key, weight, text)


def is_entries(name: str) -> bool:
    """Whether an array of a state belongs to a layer, and so has not one row a group."""
    return ":" in name


def layers(state: Arrays) -> int:
    """How many there are."""
    return sum(1 for name in state if name.endswith(":key"))


def layer(state: Arrays, number: int) -> Entries:
    """Layer `number`, from 0 for the lowest."""
    group, key, weight = (state[f"{number}:{name}"] for name in ("group", "key", "weight"))
    length = state.get(f"{number}:length")
    if length is None:
        return Entries(group, key, weight)
    data = np.concatenate([state[f"{number}:text"], np.zeros(PADDING, np.uint8)])
    return Entries(group, key, weight, Text(data, np.cumsum(length) - length, length))


def push(state: Arrays, entries: Entries) -> None:
    """Lay sorted entries on top; none are not laid."""
    if not len(entries):
        return
    at = layers(state)
    for name in ("group", "key", "weight"):
        state[f"{at}:{name}"] = getattr(entries, name)
    if entries.text is not None:
        packed = pack(entries.text)
        state[f"{at}:length"], state[f"{at}:text"] = packed.length, packed.data[:-PADDING]


def pop(state: Arrays) -> Entries:
    """Take the highest layer off."""
    at = layers(state) - 1
    top = layer(state, at)
    for name in _KINDS:
        state.pop(f"{at}:{name}", None)
    return top


def pop_all(state: Arrays) -> list[Entries]:
    """Take all layers off, the highest first."""
    return [pop(state) for _ in range(layers(state))]


def each(state: Arrays) -> Iterator[Entries]:
    """The layers, the lowest first."""
    return (layer(state, number) for number in range(layers(state)))


def take_groups(entries: Entries, groups: Index) -> Entries:
    """The entries of these groups, which may repeat; the i-th becomes group i."""
    first = np.searchsorted(entries.group, groups, "left")
    count = np.searchsorted(entries.group, groups, "right") - first
    to = np.cumsum(count)
    rows = np.repeat(first - (to - count), count) + np.arange(to[-1] if len(to) else 0)
    found = entries.take(rows)
    return Entries(np.repeat(np.arange(len(groups), dtype=GROUP), count), found.key, found.weight, found.text)


def drop(state: Arrays, groups: Index, of: int) -> None:
    """These groups of so many lose their entries."""
    stay = np.ones(of, np.bool_)
    stay[groups] = False
    for below in reversed(pop_all(state)):
        push(state, below.take(stay[below.group]))


def check(state: Arrays, groups: int) -> None:
    """Raises ValueError if the layers are not what `push` lays for so many groups, KeyError if an array is missing."""
    for name, array in state.items():
        if is_entries(name) and _KINDS[name.partition(":")[2]] != array.dtype.str:
            raise ValueError(f"{name} has type {array.dtype.str}")
    for number in range(layers(state)):
        group, length = state[f"{number}:group"], state.get(f"{number}:length")
        rows = [group, state[f"{number}:key"], state[f"{number}:weight"], *([] if length is None else [length])]
        if len({len(a) for a in rows}) != 1 or not len(group):
            raise ValueError(f"layer {number}: its arrays differ in length")
        if group[0] < 0 or group[-1] >= groups or (group[1:] < group[:-1]).any():
            raise ValueError(f"layer {number}: its groups are not ascending below {groups}")
        if length is not None and not _fits(length, len(state[f"{number}:text"])):
            raise ValueError(f"layer {number}: its text and the lengths do not agree")


def _fits(length: Index, total: int) -> bool:
    return not ((length < 0) | (length > total)).any() and int(length.sum()) == total
