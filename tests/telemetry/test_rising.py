"""Dead letters that become many are told once, with the reason."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from lepton_stream.account import Account, AccountData
from lepton_stream.telemetry.rising import LEAST, SECONDS, Rising

SOURCE = ("orders", "1")


def account(read: int, **dead: int) -> tuple[tuple[str, ...], AccountData]:
    gone = sum(dead.values())
    return SOURCE, Account(read=read, accepted=read - gone, dead_lettered=Counter(dead)).to_dict()


def told(caplog: pytest.LogCaptureFixture, *looks: tuple[tuple[str, ...], AccountData]) -> list[dict[str, object]]:
    now = [0.0]
    rising = Rising(lambda: now[0])
    with caplog.at_level(logging.INFO, "lepton_stream.facts"):
        for one in looks:
            rising.look([one])
            now[0] += SECONDS
    return [record.fields for record in caplog.records]  # type: ignore[attr-defined]


def test_many_dead_letters_are_told_with_the_commonest_reason(caplog: pytest.LogCaptureFixture) -> None:
    (fields,) = told(caplog, account(1000, too_large=500), account(2000, too_large=500, decode_error=40, too_deep=2))
    assert fields == {
        "topic": "orders", "partition": "1", "dead_lettered": 42, "read": 1000, "reason": "decode_error",
    }  # fmt: skip


def test_few_are_everyday(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, account(1000), account(3000, decode_error=20), account(3010, decode_error=20 + LEAST - 1)) == []


def test_what_was_there_at_a_takeover_is_old_news(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, account(1000, decode_error=900), account(1000, decode_error=900)) == []
