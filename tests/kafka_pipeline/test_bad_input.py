"""Bad input through the whole service: bombs, giants, nothing but poison, and a flood that must stop it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer

from tests.data.planted import Planted, generate
from tests.kafka_pipeline.pipe import PLANTED, Done, Pipe
from tests.reference.murmur2 import partition_of

pytestmark = pytest.mark.kafka
BOMB = 66 << 20
"""Bytes of a batch once opened; a few kilobytes on the wire. The bound is 64 MiB."""
WIDE = random.Random(1).randbytes(262_000).hex() + "ab" * 50
HEAD = ("lepton.dlq.reason", "lepton.dlq.detail", "lepton.dlq.offset")


def send(pipe: Pipe, records: Sequence[Planted], **options: object) -> None:
    """With a plain client, by key."""

    async def sent() -> None:
        async with AIOKafkaProducer(bootstrap_servers=pipe.bootstrap, max_request_size=80 << 20, **options) as producer:
            acks = [
                await producer.send(pipe.source, r.value, key=r.key, partition=partition_of(r.key, 4)) for r in records
            ]
            await asyncio.gather(*acks)

    asyncio.run(sent())


def rewritten(pipe: Pipe, setting: str) -> None:
    pipe.write(PLANTED.read_text() + f"\n[dead_letters]\n{setting}\n")


def letters(pipe: Pipe) -> list[dict[str, str]]:
    found = [dict(s.headers) for s in pipe.stored(pipe.names.dead_letters)]
    return [{name: headers[name].decode() for name in HEAD} for headers in found]


def assert_counted(done: Done, records: int) -> None:
    """The four verdicts of each source partition add up, over all of these."""
    for account in done.stats["sources"].values():
        assert account["read"] == account["accepted"] + account["duplicate"] + account["late"] + sum(
            account["dead_lettered"].values()
        )
    assert done.stats["read"] == records


def good(n: int, seed: int = 1) -> list[Planted]:
    return list(generate(n, seed))


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4"])  # Snappy packs 1 MB no denser than 22 MB
def test_a_bomb_is_one_dead_letter_that_points_at_it_and_its_neighbours_count(pipe: Pipe, codec: str) -> None:
    records = good(400)
    send(pipe, records[:200])
    send(pipe, [Planted(b"dev-1", bytes(BOMB), "broken")], compression_type=codec)
    send(pipe, records[200:])
    done = pipe.to_the_end(workers=1)
    assert done.stats["dead_lettered"]["decompression_limit"] == 1
    assert_counted(done, 401)
    (told,) = [each for each in letters(pipe) if each["lepton.dlq.reason"] == "decompression_limit"]
    at = told["lepton.dlq.offset"]
    assert told["lepton.dlq.detail"].startswith(f"offsets {at} to {at}: it decompresses to more than")


def test_a_flood_stops_the_crew_with_the_reason_and_the_next_start_goes_on_where_it_was(pipe: Pipe) -> None:
    rewritten(pipe, "among = 200")
    send(pipe, good(200))
    before = pipe.to_the_end().stats
    flood = [Planted(b"dev-1", b"not json %d" % i, "broken") for i in range(300)]
    send(pipe, flood)
    positions = pipe.look()
    code, messages = pipe.refused()
    assert code == 8, messages
    said = next(line for line in messages if "dead_letters.ceiling" in line)
    tp = next(tp for tp in pipe.partitions(pipe.source) if tp.partition == partition_of(b"dev-1", 4))
    first = positions.position(tp)
    for words in (
        f"{pipe.source} partition {tp.partition}",
        f"at offset {first}: decode_error",
        "raise dead_letters.ceiling",
    ):
        assert words in said
    assert pipe.look().position(tp) == first, "moved beyond what is durable"
    assert len(letters(pipe)) == sum(before["dead_lettered"].values())
    rewritten(pipe, "ceiling = 1")
    done = pipe.to_the_end()
    assert_counted(done, 500)
    assert sum(done.stats["dead_lettered"].values()) == sum(before["dead_lettered"].values()) + 300
    assert len(letters(pipe)) == sum(done.stats["dead_lettered"].values())


def test_nothing_but_poison_flows_to_the_dead_letters_where_the_ceiling_is_off(pipe: Pipe) -> None:
    rewritten(pipe, "ceiling = 1")
    poison = [Planted(b"dev-%d" % (i % 50), b"\xff\x00 %d" % i, "broken") for i in range(20_000)]
    send(pipe, poison)
    done = pipe.to_the_end()
    assert done.stats["dead_lettered"] == {"decode_error": 20_000}
    assert (len(letters(pipe)), done.stats["results"]) == (20_000, 0)
    assert "ended" not in done.said


def test_giant_keys_and_hostile_groups_are_carried_and_change_nothing(pipe: Pipe) -> None:
    """A record key of 900 kB; a group as long as a record may be, which nothing packs; one that steers terminals."""
    records = good(200)
    send(pipe, records)
    event = json.loads(next(r.value for r in records if not r.trouble))
    wide = json.dumps(event | {"device": WIDE, "event_id": "wide"}).encode()
    odd = json.dumps(event | {"device": "\x1b[2J\x00{}'\";--", "event_id": "odd"}).encode()
    send(pipe, [Planted(b"k" * 900_000, b"{", "broken"), Planted(b"wide", wide, ""), Planted(b"odd", odd, "")])
    done = pipe.to_the_end(workers=1)
    assert_counted(done, 203)
    groups = {row["device"] for row in done.rows}
    assert {WIDE, "\x1b[2J\x00{}'\";--"} <= groups
    stored = pipe.stored(pipe.names.dead_letters)
    assert any(s.key == b"k" * 900_000 and s.value == b"{" for s in stored)
    assert "\x1b" not in done.said
