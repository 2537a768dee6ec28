"""Fields that the plan does not list: ignored, told by name, and never many of them."""

from __future__ import annotations

import json

from lepton_stream.account import MOST_UNLISTED, OTHERS, Account
from lepton_stream.core import SourceState, prepare
from tests.core.streams import chunk
from tests.core.test_no_bytes_crash import job_for


def record(**more: object) -> bytes:
    return json.dumps({"t": 1.0, "device": "a", "id": 1, "ok": True, **more}).encode()


def account_of(start: int, values: list[bytes | None]) -> Account:
    job = job_for("json")
    return prepare(job, SourceState(job), chunk(start, values)).account


def test_unlisted_fields_change_no_verdict_and_are_counted_by_name_in_every_1024th_record() -> None:
    account = account_of(1024, [record(extra=1, __proto__={}), record(id=2, unseen=1)])
    assert (account.read, account.accepted, account.dead_lettered.total()) == (2, 2, 0)
    assert account.unlisted == {"extra": 1, "__proto__": 1}


def test_a_schema_that_grows_in_mid_stream_counts_on() -> None:
    before, after = [record(id=n) for n in range(5)], [record(id=n, v2={"new": [n]}) for n in range(5, 10)]
    account = account_of(0, [*before, *after])
    assert (account.accepted, account.balanced) == (10, True)


def test_names_of_the_datas_own_choosing_are_bounded_in_number_and_length() -> None:
    whole = Account()
    for n in range(40):
        names = {f"{n:03}-{m:03}-" + "x" * 1000: 0 for m in range(60)}
        whole.add(account_of(1024 * n, [record(**names)]))
    assert len(whole.unlisted) <= MOST_UNLISTED + 1
    assert whole.unlisted[OTHERS] > 0
    assert max(map(len, whole.unlisted)) <= 100
