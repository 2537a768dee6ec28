"""`lepton-stream probe`: what it says of a service that is well, not well, not there, or none of ours."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from lepton_stream.cli.main import outcome
from lepton_stream.telemetry.address import Address
from lepton_stream.telemetry.asking import answer_of, ask, reachable
from lepton_stream.telemetry.server import MetricsServer
from lepton_stream.telemetry.snapshot import Snapshot
from lepton_stream.telemetry.tally import Tally


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer(Address(port=0, asked=True), Tally(lambda: 0.0, range(1)), "shop", "1") as made:
        yield made


def port_of(server: MetricsServer) -> str:
    return server.url.removesuffix("/metrics").rpartition(":")[2]


def test_yes_is_0_and_a_line(server: MetricsServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["probe", "--metrics", port_of(server)]) == 0
    assert capsys.readouterr() == ("live: yes\n", "")


def test_no_is_7_with_the_reasons_of_the_service(server: MetricsServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.tally.hear(0, Snapshot(joined=True, restoring=("orders[2]",)))
    assert outcome(["probe", "ready", "--metrics", port_of(server)]) == 7
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "lepton-stream: not ready: worker 0: restoring orders[2]\n"
    assert outcome(["probe", "live", "--metrics", port_of(server)]) == 0


def test_the_environment_says_where_and_everywhere_is_here(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON__METRICS", f"0.0.0.0:{port_of(server)}")
    assert outcome(["probe"]) == 0
    assert reachable(Address("::", 9577)) == Address("::1", 9577)
    assert reachable(Address("10.0.0.7", 9577)) == Address("10.0.0.7", 9577)


def test_nobody_there_is_7_and_off_is_2(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = port_of(server)
    server.close()
    assert outcome(["probe", "--metrics", port]) == 7
    assert f"not live: 127.0.0.1:{port} does not answer: Connection refused" in capsys.readouterr().err
    monkeypatch.setenv("LEPTON__METRICS", "off")
    assert outcome(["probe"]) == 2


def test_it_waits_until_the_answer_is_yes(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def becoming_ready(_seconds: float) -> None:
        asked.append(1)
        server.tally.hear(0, Snapshot(joined=len(asked) > 2))

    monkeypatch.setattr("lepton_stream.cli.probe.time.sleep", becoming_ready)
    assert outcome(["probe", "ready", "--metrics", port_of(server), "--wait", "30"]) == 0
    assert len(asked) == 3


class Silent(http.server.BaseHTTPRequestHandler):
    """Never answers: what it does not read leaves the client waiting."""

    def do_GET(self) -> None:
        self.server.left.wait(10)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        return


def test_an_answer_that_does_not_come_is_a_no() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), Silent)
    server.left = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    found = ask(Address(port=server.server_port), "live", 0.2)
    server.left.set()  # type: ignore[attr-defined]
    thread.join()
    server.server_close()
    assert not found.ok
    assert "does not answer: timed out" in found.reasons[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"reasons": 3}', b'{"other": []}', b"\xff"])
def test_somebody_elses_answer_is_a_no_that_says_so(body: bytes) -> None:
    assert answer_of(404, body).reasons == ("the answer is HTTP 404: is it the metrics port of `lepton-stream run`?",)
