"""What a checkpoint holds for good of the account: the numbers that no crash takes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lepton_stream.account import AccountData
from lepton_stream.core import PartitionState


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one shuffle partition; a copy, as the state moves on.

    `number`: the checkpoint's; `accounts` by source partition, `results` by window section, `scored` records and
    `events` by model.
    """

    number: int
    accounts: Mapping[int, AccountData]
    results: Mapping[str, int]
    scored: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)


def kept_of(state: PartitionState) -> Kept:
    """As the state is now."""
    accounts = {source: account.to_dict() for source, account in state.account.items()}
    return Kept(state.number, accounts, dict(state.by_window), dict(state.scored), dict(state.events))
