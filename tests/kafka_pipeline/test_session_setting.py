"""LEPTON__KAFKA__SESSION_SECONDS: read, bounded, and no setting of the connection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.runtime.kafka.app import make_app
from lepton_stream.runtime.kafka.connect import SESSION, Connection, from_environment
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.runtime.kafka.transport import Hooks


@pytest.mark.parametrize(("text", "session", "heartbeat"), [(None, 10.0, 1.0), ("2", 2.0, 0.5), ("60", 60.0, 1.0)])
def test_heartbeats_fit_the_session(text: str | None, session: float, heartbeat: float) -> None:
    timing = timing_of({} if text is None else {SESSION: text})
    assert (timing.session, timing.heartbeat) == (session, heartbeat)


@pytest.mark.parametrize("text", ["", "soon", "0.5", "nan", "1801"])
def test_what_is_no_session_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=SESSION):
        timing_of({SESSION: text})


@pytest.mark.parametrize("text", ["1", "40", "41", "1800"])
def test_a_worker_takes_every_session_that_is_allowed(text: str) -> None:
    hooks = cast("Hooks", SimpleNamespace())
    app = make_app(Connection("127.0.0.1:1"), "g", hooks, timing=timing_of({SESSION: text}))
    assert app.conf.broker_request_timeout > app.conf.broker_session_timeout == float(text)


def test_the_connection_leaves_it_alone_and_hints_at_it() -> None:
    assert from_environment({"KAFKA_BOOTSTRAP": "a:1", SESSION: "2"}).servers == ["a:1"]
    with pytest.raises(UsageError, match=SESSION):
        from_environment({"KAFKA_BOOTSTRAP": "a:1", f"{SESSION}S": "2"})
