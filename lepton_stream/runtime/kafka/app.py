"""The Faust app that agents are written against: settings that our promises need, chunks for events, typed ends."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import faust
from aiokafka.errors import KafkaConnectionError
from faust.tables.manager import TableManager
from mode.supervisors import CrashingSupervisor

from lepton_stream.runtime.kafka.assignor import LoadAssignor
from lepton_stream.runtime.kafka.chunks import BOUNDS, Bounds
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.credentials import diagnose, faust_credentials, faust_urls
from lepton_stream.runtime.kafka.linger import Waits
from lepton_stream.runtime.kafka.transport import ChunkTransport, Flow, Hooks, Partitions

logger = logging.getLogger(__name__)
STOP_SECONDS = 30.0
NEVER = 1e6
"""Seconds: an idle worker would otherwise leave the group after a while and not come back."""


class NoTables(TableManager):  # type: ignore[misc]
    """Faust's tables are not used: starting them waits a second for nothing."""

    async def on_start(self) -> None:
        """Start without the wait."""
        await self._update_channels()
        await self.recovery.start()


SETTINGS: dict[str, Any] = {
    "broker_max_poll_interval": NEVER,
    "broker_commit_interval": NEVER,
    "consumer_auto_offset_reset": "none",
    "stream_wait_empty": False,
    "table_standby_replicas": 0,
    "topic_disable_leader": True,
    "topic_allow_declare": False,
    "producer_request_timeout": 60,
    "agent_supervisor": CrashingSupervisor,
    "TableManager": NoTables,
    "web_enabled": False,
    "web_tables_enabled": False,
    "web_router_enabled": False,
    "worker_redirect_stdouts": False,
}
"""What our promises need of Faust, whatever else is asked for."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds.

    `session`: a worker that says nothing for so long is taken for dead. `rebalance`: how long one slow worker may hold
    up all others; half of it is for what `Hooks.revoked` has to finish. `fetch_wait`: how long the broker may keep a
    fetch open; aiokafka has one open at a time, so an idle partition delays the busy ones by it. `quiet_wait`: the same
    while all partitions are idle.
    """

    session: float = 10.0
    heartbeat: float = 1.0
    rebalance: float = 30.0
    request: float = 40.0
    fetch_wait: float = 0.05
    quiet_wait: float = 0.5
    backoff: float = 0.05


class App(faust.App):  # type: ignore[misc]
    """A Faust app whose events are chunks; made by `make_app`."""

    connection: Connection
    hooks: Hooks
    bounds: Bounds
    pointing: frozenset[str]
    revoke_seconds: float
    consumer_settings: dict[str, Any]
    quiet_wait_ms: int
    waits: Callable[[], Waits]
    assignor_by_load: LoadAssignor | None

    def _new_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_consumer, self)

    @property
    def flow_control(self) -> Flow:
        """The one flow gate of this app."""
        flow = self.__dict__.get("_flow")
        if flow is None:
            flow = self.__dict__["_flow"] = Flow(loop=self.loop)
        return flow

    @property
    def partitions(self) -> Partitions:
        """Start, pause, resume and read partitions."""
        return Partitions(self)

    def chunk_topic(self, name: str, buffer: int = 16) -> Any:
        """A topic for `@app.agent`; `buffer` counts chunks over all its partitions."""
        return self.topic(name, key_serializer="raw", value_serializer="raw", maxsize=buffer, acks=False)

    def _create_directories(self) -> None:
        """None: nothing is kept on this machine."""

    @property
    def fatal(self) -> asyncio.Future[None]:
        """Done, with the error, when the worker must end."""
        future = self.__dict__.get("_fatal")
        if future is None:
            future = self.__dict__["_fatal"] = self.loop.create_future()
        return future

    def fail(self, error: BaseException) -> None:
        """End the worker with this error; the first one counts. Call it in the main loop."""
        if not self.fatal.done():
            self.fatal.set_exception(error)

    def fail_from_thread(self, error: BaseException) -> None:
        """The same from another thread."""
        self.loop.call_soon_threadsafe(self.fail, error)


def make_app(
    connection: Connection,
    group: str,
    hooks: Hooks,
    *,
    instance: str | None = None,
    timing: Timing | None = None,
    bounds: Bounds = BOUNDS,
    pointing: Iterable[str] = (),
    fetch_bytes: int = 1 << 20,
    read_uncommitted: bool = False,
    assignor: LoadAssignor | None = None,
    waits: Callable[[], Waits] = lambda: Waits(0.0),
) -> App:
    """The app of one worker of a group; agents read with `app.partitions.read(stream)` from `app.chunk_topic(name)`.

    `instance`: the static member id, one for each worker. `fetch_bytes`: of one partition at a time. `pointing`: topics
    of which a batch above the bounds is told as a row of its chunk; of others it ends the worker. `assignor`: places
    partitions by load where every worker of the group has one; None: equally. `waits` tells at any time how a
    fetch waits. Topics are never created here, and no web server is started.
    """
    t = timing or Timing()
    app = App(
        group,
        broker=faust_urls(connection),
        broker_credentials=faust_credentials(connection),
        broker_session_timeout=t.session,
        broker_heartbeat_interval=t.heartbeat,
        broker_rebalance_timeout=t.rebalance,
        broker_request_timeout=t.request,
        consumer_max_fetch_size=fetch_bytes,
        consumer_group_instance_id=instance,
        **SETTINGS,
    )
    app.connection, app.hooks = connection, hooks
    app.bounds, app.pointing, app.revoke_seconds = bounds, frozenset(pointing), t.rebalance / 2
    app.quiet_wait_ms, app.waits = int(t.quiet_wait * 1000), waits
    app.consumer_settings = {
        "_fetch_max_wait_ms": int(t.fetch_wait * 1000),
        "_retry_backoff_ms": int(t.backoff * 1000),
        "_isolation_level": "read_uncommitted" if read_uncommitted else "read_committed",
    }
    app.assignor_by_load = assignor
    return app


async def serve(app: App, until: asyncio.Event) -> None:
    """Run the worker until the event is set. Raises the error that ended it, typed where a person can act upon it."""
    stop = asyncio.create_task(until.wait())
    crashed = asyncio.create_task(app._crashed.wait())
    fatal = app.fatal
    try:
        await app.start()
        await asyncio.wait([stop, crashed, fatal], return_when=asyncio.FIRST_COMPLETED)
    except KafkaConnectionError:
        raise (await diagnose(app.connection, 10.0)) from None
    finally:
        stop.cancel()
        crashed.cancel()
        await stop_within(app, STOP_SECONDS)
    if fatal.done():
        fatal.result()
    if app.crash_reason is not None:
        raise app.crash_reason


async def stop_within(app: App, seconds: float) -> None:
    """Stop politely; a worker that cannot is taken for dead by the group after its session, and nobody waits for it."""
    try:
        await asyncio.wait_for(app.stop(), seconds)
    except TimeoutError:
        logger.warning("the worker did not stop within %s s", seconds)
    # Faust leaves the loop of a consumer thread open that never ran.
    loop = app.consumer._thread.thread_loop
    if not loop.is_running():
        loop.close()
