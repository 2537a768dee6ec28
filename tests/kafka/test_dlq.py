"""Dead letters read back: counted once a record, shown as they were, sent again as they were."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from lepton_stream.chunk import Chunk, SourcePartition, Values
from lepton_stream.cli.dlq import counts_of, known, lateness_lines, line_of, text_of
from lepton_stream.cli.main import outcome
from lepton_stream.errors import UsageError
from lepton_stream.formats.decoder import Reason, Reject
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.plan import Field, Plan, Source, Window
from lepton_stream.protocol.metadata import Claim, to_text
from lepton_stream.runtime.kafka.admin import Admin
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.dlq import (
    Box,
    Lateness,
    chosen,
    highs,
    lateness,
    newest,
    open_box,
    portions,
    send_again,
    sendable,
)
from lepton_stream.runtime.kafka.group import NOBODY
from lepton_stream.runtime.kafka.letters import ATTEMPT, ORIGIN, Letter
from lepton_stream.runtime.kafka.produce import Producer, Record
from lepton_stream.runtime.kafka.protocol import CommitRequest
from lepton_stream.runtime.kafka.provision import apply
from lepton_stream.runtime.kafka.reader import read_range
from lepton_stream.runtime.kafka.wire import Coordinator, Wire
from tests.kafka.letter_records import dead_letter_record
from tests.kafka.test_admin import TOML, short

S = 1_000_000
P0, P1 = SourcePartition("events", 0), SourcePartition("events", 1)
MINUTE = Window("minute", 60 * S, (), (), lateness_us=10 * S)
HOUR = Window("hour", 3600 * S, (), (), lateness_us=600 * S)
PLAN = Plan("p", Source("events", "ts"), (Field("ts", "float"),), (MINUTE, HOUR))


def letter(offset: int, tp: SourcePartition = P0, value: bytes | None = b'{"ts":1}', **fields: object) -> Letter:
    plain = Letter(tp, offset, 5, Reason.DECODE_ERROR, "why", "p", 1, 1, value, None, ())
    return replace(plain, **fields)  # type: ignore[arg-type]


def at(offset: int, seconds: float, tp: SourcePartition = P0) -> Letter:
    return letter(offset, tp, b'{"ts":%g}' % seconds)


def test_a_record_has_one_letter_however_often_it_was_written() -> None:
    box = Box()
    for each in (letter(1), letter(1, detail="again"), letter(1, P1), letter(2, pipeline="other")):
        box.add(each, "p")
    assert sorted(box.letters) == [(P0, 1), (P1, 1)]
    assert (box.letters[P0, 1].detail, box.repeated, box.others) == ("again", 1, 1)


def test_letters_are_chosen_by_reason_and_given_by_partition_and_offset() -> None:
    letters = [letter(9), letter(2, P1), letter(3, reason=Reason.TOO_DEEP), letter(1, P1, reason=Reason.BELOW_MIN)]
    assert [x.place for x in chosen(letters, [])] == [(P0, 3), (P0, 9), (P1, 1), (P1, 2)]
    assert [x.offset for x in chosen(letters, ["too_deep", "below_min"])] == [3, 1]
    assert [x.offset for x in chosen(letters, [], 1)] == [3]


def test_an_event_that_was_replayed_and_failed_again_is_sent_once() -> None:
    first, other = letter(4), letter(5)
    second = letter(90, headers=((ATTEMPT, b"2"), (ORIGIN, b"0/4")), attempt=2)
    third = letter(91, headers=((ATTEMPT, b"3"), (ORIGIN, b"0/4")), attempt=3)
    assert newest([third, first, second, other]) == [other, third]


def test_an_event_that_was_replayed_and_failed_again_is_listed_once_by_its_last_reason() -> None:
    box = Box()
    again: dict[str, Any] = {"headers": ((ATTEMPT, b"2"), (ORIGIN, b"0/4")), "attempt": 2, "reason": Reason.TOO_DEEP}
    for one in (letter(4), letter(5), letter(90, **again)):
        box.add(one, "p")
    listed = counts_of(PLAN, box)
    assert (listed["letters"], listed["again"]) == (2, 1)
    assert {count["reason"]: count["letters"] for count in listed["counts"]} == {"decode_error": 1, "too_deep": 1}


def test_lateness_is_judged_as_prepare_would_in_the_order_of_sending() -> None:
    letters = [at(1, 995), at(2, 989), at(3, 100), at(4, 2000), at(5, 1500), at(6, 0, P1), letter(7, value=b"{")]
    would = lateness(PLAN, letters, {P0: 1000 * S})
    assert would == Lateness(late=1, by_window={"minute": 3, "hour": 1}, no_time=1, judged=True)


def test_without_claims_nothing_is_said_about_lateness() -> None:
    would = lateness(PLAN, [at(1, 995)], {})
    assert not would.judged
    assert "nothing is known" in lateness_lines(would)[0]


def test_replays_go_out_in_portions_that_lose_and_repeat_nothing() -> None:
    letters = [letter(i, value=b"x" * size) for i, size in enumerate((3, 3, 3, 20, 1, 1))]
    got = list(portions(letters, 7))
    assert [len(some) for some in got] == [2, 1, 1, 2]
    assert [x for some in got for x in some] == letters
    assert list(portions([])) == []


def test_bytes_that_are_no_text_are_shown_as_base64_and_nothing_acts_on_a_terminal() -> None:
    odd = letter(1, value=b"\xff\x00", key=b"k\x1b[2J", headers=(("h", b"\xfe"), ("t", b"text")))
    line = orjson.loads(line_of(odd))
    assert (line["value_base64"], line["key"], "value" in line) == ("/wA=", "k\x1b[2J", False)
    assert line["headers"] == [{"name": "h", "value_base64": "/g=="}, {"name": "t", "value": "text"}]
    assert orjson.loads(line_of(letter(1, value=None)))["value"] is None
    assert "\x1b" not in text_of(odd)
    assert "key: k\\x1b[2J" in text_of(odd)


def test_letters_that_only_point_at_a_batch_are_not_sent_again() -> None:
    pointer = letter(9, value=None, reason=Reason.DECOMPRESSION_LIMIT)
    assert sendable([letter(1), pointer, letter(2)]) == [letter(1), letter(2)]


def test_an_unknown_reason_is_refused_with_what_was_perhaps_meant() -> None:
    with pytest.raises(UsageError, match=r"--reason decode-error: expects one of .*did you mean decode_error"):
        known(["decode-error"])
    assert known(None) == []


async def prepared(connection: Connection, plan: Plan) -> None:
    """Topics with two dead letters of the plan (one of them twice), one of another pipeline, one foreign record."""
    async with Admin(connection) as admin:
        await apply(plan, admin)
    dlq = names(plan).dead_letters
    tp = SourcePartition(plan.source.topic, 1)
    values = Values.from_list([b"good", b"\xffbad", b'{"ts":"x"}'])
    headers: list[Sequence[tuple[str, bytes]]] = [[("h", b"0")], [("h", b"1")], [("h", b"\xff2")]]
    chunk = Chunk(tp, 10, 13, np.arange(10, 13), values, np.full(3, S), Values.from_list([None, b"k1", None]), headers)
    bad = Reject(1, Reason.DECODE_ERROR, "not UTF-8 (byte 0)")
    wrong = Reject(2, Reason.WRONG_TYPE, "ts: expected a float")
    sent = [dead_letter_record(dlq, chunk, r, plan.name, 1) for r in (bad, wrong, bad)]
    sent += [dead_letter_record(dlq, chunk, bad, "other", 1), Record(SourcePartition(dlq, 0), b"theirs")]
    async with Producer(connection) as producer:
        await producer.send_all(sent)


@pytest.mark.kafka
async def test_replayed_records_are_in_the_source_as_they_were_with_the_attempt_raised(
    connection: Connection, name: str
) -> None:
    plan = replace(PLAN, name=name, source=Source(f"{name}.events", "ts"))
    await prepared(connection, plan)
    box = await open_box(connection, plan)
    assert (len(box.letters), box.repeated, box.others, box.foreign) == (2, 1, 1, 1)
    assert await send_again(connection, newest(box.letters.values())) == 2
    (chunk,) = [c async for c in read_range(connection, SourcePartition(plan.source.topic, 1), 0, 2)]
    assert chunk.values.to_list() == [b"\xffbad", b'{"ts":"x"}']
    assert chunk.keys is not None
    assert chunk.keys.to_list() == [b"k1", None]
    assert [list(h) for h in chunk.headers or []] == [
        [("h", b"1"), (ATTEMPT, b"2"), (ORIGIN, b"1/11")],
        [("h", b"\xff2"), (ATTEMPT, b"2"), (ORIGIN, b"1/12")],
    ]


@pytest.mark.kafka
async def test_the_highest_event_time_comes_from_the_claims_of_the_group(connection: Connection, name: str) -> None:
    plan = replace(PLAN, name=name, source=Source(f"{name}.events", "ts"))
    async with Admin(connection) as admin:
        await apply(plan, admin)
    sources = [SourcePartition(plan.source.topic, p) for p in (0, 1)]
    assert await highs(connection, plan, sources) == {}
    async with Wire(connection) as wire:
        group = names(plan).group
        claim = to_text(Claim("hash", 5, high=77 * S))
        await wire.coordinated(Coordinator.GROUP, group, CommitRequest(group, NOBODY, {sources[1]: (5, claim)}))
    assert await highs(connection, plan, sources) == {sources[1]: 77 * S}


@pytest.mark.kafka
def test_the_command_line_lists_shows_and_replays(
    connection: Connection, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = short(name)
    pipeline = tmp_path / "p.toml"
    pipeline.write_text(TOML.format(name=own))
    broker = [str(pipeline), "--broker", connection.bootstrap]
    assert outcome(["dlq", "list", *broker]) == 2
    assert "does not exist; create it with: lepton-stream topics apply" in capsys.readouterr().err
    asyncio.run(prepared(connection, replace(PLAN, name=own, source=Source(f"{own}.events", "ts"))))
    assert outcome(["dlq", "list", *broker, "--json"]) == 0
    listed = orjson.loads(capsys.readouterr().out)
    assert listed["counts"] == [
        {"reason": "decode_error", "partition": 1, "letters": 1},
        {"reason": "wrong_type", "partition": 1, "letters": 1},
    ]
    assert outcome(["dlq", "list", *broker]) == 0
    assert "decode_error partition 1: 1" in capsys.readouterr().out
    assert outcome(["dlq", "show", *broker, "--reason", "wrong_type", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert orjson.loads(line)["value"] == '{"ts":"x"}'
    assert outcome(["dlq", "show", *broker, "--limit", "1"]) == 0
    assert "offset 11: decode_error, attempt 1" in capsys.readouterr().out
    assert outcome(["dlq", "replay", *broker, "--dry-run", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out) == {"letters": 2, "sent": 0, "without_time": 2, "late": None}
    assert outcome(["dlq", "replay", *broker, "--reason", "wrong_type"]) == 0
    assert "1 letters, sent again" in capsys.readouterr().out
