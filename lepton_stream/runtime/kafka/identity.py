"""Who a worker is to its consumer group at one moment."""

from __future__ import annotations

from typing import NamedTuple


class Identity(NamedTuple):
    """What the group coordinator checks a commit against; captured when a chunk is fetched and never renewed.

    A restart under the same static id (`instance`) keeps the generation and changes only `member_id`, hence all three.
    """

    generation: int
    member_id: str
    instance: str | None = None

    @property
    def is_member(self) -> bool:
        """False between leaving (or being thrown out of) the group and joining it."""
        return self.generation >= 0 and bool(self.member_id)
