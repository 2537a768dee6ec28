"""The account: what became of every record read, per source partition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict


class AccountData(TypedDict):
    """An account as plain values."""

    read: int
    accepted: int
    duplicate: int
    late: int
    dead_lettered: dict[str, int]
    late_by_window: dict[str, int]
    mended: dict[str, int]
    unlisted: dict[str, int]
    filtered: NotRequired[int]
    filtered_by_window: NotRequired[dict[str, int]]


MOST_UNLISTED = 100
OTHERS = "(others)"


@dataclass(slots=True)
class Account:
    """Each record read has one of four outcomes, and they add up to `read`.

    `late_by_window`: accepted records that were left out of a window section they were late for, or of some of its
    windows where it has hopping ones. `mended`: values that on_bad replaced, by rule. `unlisted`: in how many of the
    records sampled for it (every 1024th offset) a field was there that the plan does not list; beyond a hundred names
    they are counted together. `filtered`: accepted records that the source's `where` keeps out of every window section;
    `filtered_by_window`: those of the others that the section's own `where` keeps out. What is filtered is not late for
    a window.
    """

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)
    late_by_window: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    unlisted: Counter[str] = field(default_factory=Counter)
    filtered: int = 0
    filtered_by_window: Counter[str] = field(default_factory=Counter)

    def add(self, other: Account) -> None:
        """Add another account."""
        self.read += other.read
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.late += other.late
        self.dead_lettered.update(other.dead_lettered)
        self.late_by_window.update(other.late_by_window)
        self.mended.update(other.mended)
        self.filtered += other.filtered
        self.filtered_by_window.update(other.filtered_by_window)
        self.unlisted.update(other.unlisted)
        for name in sorted(self.unlisted.keys() - {OTHERS})[MOST_UNLISTED:]:  # names of the data's own choosing
            self.unlisted[OTHERS] += self.unlisted.pop(name)

    @classmethod
    def total(cls, accounts: Iterable[Account]) -> Account:
        """All of them together."""
        whole = cls()
        for account in accounts:
            whole.add(account)
        return whole

    @property
    def balanced(self) -> bool:
        """Whether the four outcomes add up to the records read."""
        return self.read == self.accepted + self.duplicate + self.late + self.dead_lettered.total()

    def to_dict(self) -> AccountData:
        """Plain values, keys of the counters sorted. What is filtered is told where there is some."""
        told: AccountData = {
            "read": self.read,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "late": self.late,
            "dead_lettered": dict(sorted(self.dead_lettered.items())),
            "late_by_window": dict(sorted(self.late_by_window.items())),
            "mended": dict(sorted(self.mended.items())),
            "unlisted": dict(sorted(self.unlisted.items())),
        }
        if self.filtered:
            told["filtered"] = self.filtered
        if self.filtered_by_window:
            told["filtered_by_window"] = dict(sorted(self.filtered_by_window.items()))
        return told

    @classmethod
    def from_dict(cls, data: AccountData) -> Account:
        """What `to_dict` gave."""
        counters = (data["dead_lettered"], data["late_by_window"], data["mended"], data["unlisted"])
        whole = (data["read"], data["accepted"], data["duplicate"], data["late"])
        dead, late, mended, unlisted = map(Counter, counters)
        filtered = (data.get("filtered", 0), Counter(data.get("filtered_by_window", {})))
        return cls(*whole, dead, late, mended, unlisted, *filtered)
