"""What became of every record, one at a time and in offset order, and what every window holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.reference.records import Record, Rejected, read
from tests.reference.rules import Rules, WindowRule
from tests.reference.summary import Row, Summary, summarise

Group = tuple[object, ...]


@dataclass
class Account:
    """The four verdicts of one source partition; they add up to `read`."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)
    late_by_window: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class DeadLetter:
    """A rejected record: where it was, why, and its bytes."""

    partition: int
    offset: int
    reason: str
    value: bytes | None


@dataclass
class Truth:
    """`windows[section][(group..., window start in microseconds)]` is the summary of that window."""

    accounts: dict[int, Account]
    dead_letters: list[DeadLetter]
    windows: dict[str, dict[Group, Summary]]


def evaluate(partitions: Mapping[int, Sequence[bytes | None]], rules: Rules) -> Truth:
    """Judge whole source partitions; the place of a record in its sequence is its offset."""
    accounts: dict[int, Account] = {}
    dead: list[DeadLetter] = []
    rows: dict[str, dict[Group, list[Row]]] = {w.name: defaultdict(list) for w in rules.windows}
    for partition in sorted(partitions):
        judge = Judge(partition, rules, dead, rows)
        for offset, raw in enumerate(partitions[partition]):
            judge.take(offset, raw)
        accounts[partition] = judge.account
    windows = {name: {group: summarise(of) for group, of in groups.items()} for name, groups in rows.items()}
    return Truth(accounts, dead, windows)


class Judge:
    """Walks one source partition. Dead-lettered comes before duplicate, duplicate before late, late before accepted."""

    def __init__(
        self, partition: int, rules: Rules, dead: list[DeadLetter], rows: dict[str, dict[Group, list[Row]]]
    ) -> None:
        self.partition, self.rules, self.dead, self.rows = partition, rules, dead, rows
        self.account = Account()
        self.high: int | None = None
        self.seen: dict[object, int] = {}

    def take(self, offset: int, raw: bytes | None) -> None:
        """Give record `offset` its verdict and put it where it belongs."""
        self.account.read += 1
        try:
            record = read(raw, self.rules)
        except Rejected as verdict:
            self.account.dead_lettered[verdict.reason] += 1
            self.dead.append(DeadLetter(self.partition, offset, verdict.reason, raw))
            return
        high = self.high
        self.high = record.time_us if high is None else max(high, record.time_us)
        if self.is_duplicate(offset, raw, record):
            self.account.duplicate += 1
            return
        late = [w for w in self.rules.windows if high is not None and record.time_us < high - w.lateness_us]
        if late and len(late) == len(self.rules.windows):
            self.account.late += 1
            return
        self.account.accepted += 1
        self.account.late_by_window.update(w.name for w in late)
        for window in (w for w in self.rules.windows if w not in late):
            self.put(window, offset, record)

    def is_duplicate(self, offset: int, raw: bytes | None, record: Record) -> bool:
        """Did the id occur within the previous `memory` offsets? Every occurrence is remembered anew."""
        if self.rules.id is None:
            return False
        identity = raw if self.rules.id == "all" else tuple((type(v := record.values[n]), v) for n in self.rules.id)
        before = self.seen.get(identity)
        self.seen[identity] = offset
        return before is not None and before >= offset - self.rules.memory

    def put(self, window: WindowRule, offset: int, record: Record) -> None:
        """Append the record's row to its (group, window)."""
        start = (record.time_us - window.offset_us) // window.size_us * window.size_us + window.offset_us
        group = (*(record.values[name] for name in window.group_by), start)
        value = record.values[window.value]
        assert value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        self.rows[window.name][group].append(Row(record.time_us, self.partition, offset, value))
