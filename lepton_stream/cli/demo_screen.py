"""What the demo shows while it runs: how far it has come, and the results that changed last."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group

from lepton_stream.account import Account
from lepton_stream.cli.demo_table import newest, tables_of
from lepton_stream.runtime.kafka.feed import Fed


class Screen:
    """`total`: records that will be fed, `fed`: those that were; results are kept by key, the newest last.

    `state`: what is going on, in words.
    """

    def __init__(self, name: str, rows: int) -> None:
        """`rows`: how many results to show."""
        self.console = Console()
        self.total, self.fed = 0, Fed()
        self.state = "the worker joins its group"
        self._name, self._rows = name, rows
        self._known: dict[bytes, dict[str, Any]] = {}

    @property
    def results(self) -> int:
        """Distinct results seen."""
        return len(self._known)

    def put(self, key: bytes, row: dict[str, Any]) -> None:
        """A result that is news."""
        self._known.pop(key, None)
        self._known[key] = row

    def tables(self) -> Group:
        """The results that changed last, of each window section."""
        shown = newest(self._known.values(), self._rows)
        return tables_of(f"{self._name}: the last {len(shown)} of {self.results:,} results", shown, self.console)

    def render(self, account: Account) -> Group:
        """The account so far above the table; on a low terminal the table gives way."""
        sections = len({row["window"] for row in self._known.values()}) or 1
        rows, self._rows = self._rows, max(min(self._rows, self.console.height // sections - 8), 1)
        try:
            return Group(self._told(account), "", self.tables())
        finally:
            self._rows = rows

    def _told(self, account: Account) -> str:
        outcomes = f"accepted {account.accepted:,}  duplicate {account.duplicate:,}  late {account.late:,}"
        dead = f"dead-lettered {account.dead_lettered.total():,}"
        if not self.total:
            return self.state
        return f"{self.state}\nfed {self.fed.records:,} of {self.total:,}, read {account.read:,}: {outcomes}  {dead}"
