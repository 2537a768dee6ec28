"""The server: three paths, a port of its own, and answers that wait for nobody."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.address import Address
from lepton_stream.telemetry.meter import Samples
from lepton_stream.telemetry.probes import LIVE_S
from lepton_stream.telemetry.server import MOST_AT_ONCE, MetricsServer
from lepton_stream.telemetry.snapshot import Snapshot
from lepton_stream.telemetry.tally import Tally

JOINED = Snapshot(joined=True)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer(Address(port=0, asked=True), Tally(Clock(), range(1)), "shop", "1") as made:
        yield made


def get(server: MetricsServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    request = urllib.request.Request(server.url.replace("/metrics", path), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def told(server: MetricsServer, path: str) -> tuple[int, list[str]]:
    status, body = get(server, path)
    found = json.loads(body)
    assert found["ok"] == (status == 200)
    return status, found["reasons"]


def test_metrics_are_there_from_the_start(server: MetricsServer) -> None:
    status, body = get(server, "/metrics")
    assert status == 200
    assert b'lepton_up{pipeline="shop"} 1.0' in body


def test_ready_says_who_is_waited_for_until_all_is_restored(server: MetricsServer) -> None:
    status, reasons = told(server, "/ready")
    assert (status, len(reasons)) == (503, 1)
    assert "worker 0" in reasons[0]
    server.tally.hear(0, Snapshot(joined=False))
    assert told(server, "/ready")[0] == 503
    server.tally.hear(0, Snapshot(joined=True, restoring=("orders[2]",)))
    status, reasons = told(server, "/ready")
    assert status == 503
    assert "orders[2]" in reasons[0]
    server.tally.hear(0, JOINED)
    assert told(server, "/ready") == (200, [])


def test_live_as_long_as_the_loop_answers(server: MetricsServer) -> None:
    assert told(server, "/live") == (200, [])  # it starts: no reason to end it
    server.tally.hear(0, JOINED)
    clock = server.tally.clock
    assert isinstance(clock, Clock)
    clock.now += LIVE_S + 1
    assert told(server, "/live")[0] == 503
    assert told(server, "/ready")[0] == 503
    server.tally.hear(0, JOINED)
    assert told(server, "/live")[0] == 200


def test_a_run_over_files_may_wait_for_its_input(server: MetricsServer) -> None:
    server.tally.hear(0, Snapshot(joined=True, may_wait=True))
    server.tally.clock.now += 10 * LIVE_S  # type: ignore[attr-defined]
    assert told(server, "/live")[0] == 200


@pytest.mark.parametrize("path", ["/", "/table/", "/metrics/../etc", "/%2e%2e", "/metricsx"])
def test_nothing_else_is_served(server: MetricsServer, path: str) -> None:
    assert get(server, path)[0] == 404


def test_only_reading_is_allowed(server: MetricsServer) -> None:
    assert get(server, "/metrics", "POST")[0] == 501
    assert get(server, "/metrics", "HEAD") == (200, b"")


def test_clients_that_say_nothing_hold_up_nobody_and_are_bounded(server: MetricsServer) -> None:
    where = ("127.0.0.1", int(server.url.rsplit(":", 1)[1].split("/")[0]))
    with ExitStack() as open_sockets:
        silent = [open_sockets.enter_context(socket.create_connection(where)) for _ in range(MOST_AT_ONCE // 2)]
        assert get(server, "/metrics")[0] == 200
        assert len(silent) == MOST_AT_ONCE // 2
        before = threading.active_count()
        more = [open_sockets.enter_context(socket.create_connection(where)) for _ in range(3 * MOST_AT_ONCE)]
        more[-1].settimeout(10)
        assert more[-1].recv(1) == b""  # closed at once: there is no room
        assert threading.active_count() <= before + MOST_AT_ONCE


def test_a_client_that_drips_its_request_is_left(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_stream.telemetry.server.SECONDS", 0.5)
    where = ("127.0.0.1", int(server.url.rsplit(":", 1)[1].split("/")[0]))
    with socket.create_connection(where) as dripping:
        dripping.settimeout(0.1)
        for _ in range(100):  # a byte every tenth of a second: never silent for long
            try:
                dripping.send(b"G")
                left = dripping.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                left = True
            if left:
                return
    pytest.fail("it was listened to for ten seconds")


def test_an_answer_that_fails_is_told_in_the_log(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> tuple[int, str, bytes]:
        raise ValueError("a defect")

    monkeypatch.setattr(server, "answer", broken)
    with pytest.raises(OSError, match="closed"):
        get(server, "/metrics")
    assert "a defect" in caplog.text


def test_a_taken_port_that_was_asked_for_is_one_clear_message(server: MetricsServer) -> None:
    port = int(server.url.rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(UsageError, match=rf"--metrics 127.0.0.1:{port}: cannot listen there.*--metrics off") as caught:
        MetricsServer(Address(port=port, asked=True), Tally(Clock()), "other", "1")
    assert caught.value.exit_code == 2


def test_a_taken_default_port_gives_way_to_a_free_one(server: MetricsServer) -> None:
    port = int(server.url.rsplit(":", 1)[1].split("/")[0])
    with MetricsServer(Address(port=port), Tally(Clock()), "other", "1") as other:
        assert get(other, "/metrics")[0] == 200
        assert other.url != server.url


def test_scrapes_go_on_while_workers_tell(server: MetricsServer) -> None:
    """Readers and the writer share one lock, held for a few copies."""
    stop = threading.Event()

    def telling() -> None:
        number = 0.0
        while not stop.is_set():
            number += 1
            samples: Samples = {c.BYTES_READ.name: {(): number}}
            server.tally.hear(0, Snapshot(joined=True, counters=samples))

    writer = threading.Thread(target=telling)
    writer.start()
    try:
        seen = [get(server, "/metrics")[1] for _ in range(20)]
    finally:
        stop.set()
        writer.join()
    assert all(b"lepton_up" in body for body in seen)
