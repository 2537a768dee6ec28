"""What must have been counted, by the reference over the source topic as it stands; nothing here is the product's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from tests.data.planted import RULES
from tests.faults.ledger import Acked, crc_of
from tests.reference.stream import Truth, evaluate

KEPT_BYTES = 65_536
ROUNDED = 1e-15
OURS = ("lepton.dlq.", "__connect.errors.")
COUNTED = ("read", "accepted", "duplicate", "late", "dead_lettered", "late_by_window")


class Source:
    """The source topic, as a plain client read it."""

    def __init__(self, records: Iterable[Any], partitions: int) -> None:
        self.parts: dict[int, list[Any]] = {p: [] for p in range(partitions)}
        for record in records:
            part = self.parts[record.partition]
            assert record.offset == len(part), "the source topic has a hole"
            part.append(record)

    def holds(self, acked: Iterable[Acked]) -> int:
        """Every acknowledged record is where the acknowledgement said: the broker kept its word. How many those are."""
        count = 0
        for one in acked:
            record = self.parts[one.partition][one.offset]
            assert crc_of(record.key, record.value) == one.crc, f"not what was acknowledged: {one}"
            count += 1
        return count

    def truth(self) -> Truth:
        """Verdicts and windows."""
        return evaluate({p: [record.value for record in part] for p, part in self.parts.items()}, RULES)

    def assert_letters(self, found: Sequence[Any], truth: Truth) -> None:
        """One dead letter for each place that must have one, repeated ones alike, with bytes, key and headers kept."""
        places: dict[tuple[int, int], tuple[Any, ...]] = {}
        for letter in found:
            headers = dict(letter.headers)
            at = int(headers["lepton.dlq.partition"]), int(headers["lepton.dlq.offset"])
            reason = headers["lepton.dlq.reason"].decode()
            own = tuple(header for header in letter.headers if not header[0].startswith(OURS))
            one = (reason, letter.key, _kept(reason, letter.value), own)
            assert places.setdefault(at, one) == one
        wanted = {}
        for letter in truth.dead_letters:
            record = self.parts[letter.partition][letter.offset]
            kept = _kept(letter.reason, record.value)
            wanted[letter.partition, letter.offset] = (letter.reason, record.key, kept, tuple(record.headers))
        odd = [at for at in places.keys() | wanted.keys() if places.get(at) != wanted.get(at)]
        assert odd == [], f"{len(odd)} of {len(wanted)} dead letters are missing, too many or changed"


def _kept(reason: str, value: bytes | None) -> bytes | None:
    """Of a record that was too large the beginning at least."""
    return value[:KEPT_BYTES] if reason == "too_large" and value else value


def assert_accounts(stats: Mapping[str, Any], topic: str, truth: Truth) -> None:
    """Read = accepted + duplicate + late + dead-lettered, each exact, for each source partition."""
    for p, account in truth.accounts.items():
        told = stats["sources"].get(f"{topic}[{p}]") or dict.fromkeys(COUNTED, 0) | {"read": 0}
        wanted = {name: getattr(account, name) for name in COUNTED}
        assert {name: told[name] or type(wanted[name])() for name in COUNTED} == wanted
        four = account.accepted + account.duplicate + account.late + account.dead_lettered.total()
        assert account.read == four


def assert_windows(rows: Iterable[Mapping[str, Any]], truth: Truth) -> int:
    """Every window of every key has its figures, and there are no others. How many there are."""
    found: dict[tuple[object, ...], Mapping[str, Any]]
    found = {(row["device"], row["window_start"] * 1000): row for row in rows}
    wanted = truth.windows["minute"]
    assert found.keys() == wanted.keys()
    for key, summary in wanted.items():
        row = found[key]
        assert row["final"]
        exact = [row[name] for name in ("n", "min", "max", "first", "last")]
        assert exact == [summary.rows, summary.min, summary.max, summary.first, summary.last]
        for name, figure in (("sum", summary.sum), ("mean", summary.mean), ("variance", summary.variance)):
            assert row[name] == (figure if figure is None else pytest.approx(figure, rel=ROUNDED, abs=0))
    return len(found)
