"""A broker is not started on a port that somebody else listens on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.kafka import broker
from deploy.kafka.jars import SetupError


def test_a_port_that_is_taken_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} of 127.0.0.1 cannot be used .* another port with --port"):
            broker.start(tmp_path / "broker", port)
    assert not (tmp_path / "broker" / "pid").exists()
    broker.refuse_taken(port)  # nobody is there any more
