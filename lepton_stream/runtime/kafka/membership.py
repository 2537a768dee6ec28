"""What aiokafka does silently when the group throws a member out, made loud where our rules need it."""

# ruff: noqa: SLF001  (what lies inside aiokafka and Faust is pinned by tests/kafka/test_contract.py)

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lepton_stream.runtime.kafka.errors import ProcessFenced


def watch(coordinator: Any, failed: Callable[[BaseException], None]) -> None:
    """Tell `failed` about errors of the group coordinator, and keep a static member from joining again.

    aiokafka rejoins when its member id is unknown. Under a static id that means that a twin has taken its place: two
    processes that rejoin evict each other for ever, each with the generation of the other. `failed` is called in the
    consumer's thread.
    """
    push = coordinator._push_error_to_user

    def push_error_to_user(error: BaseException) -> Any:
        failed(error)
        return push(error)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed(error)

    coordinator._push_error_to_user = push_error_to_user
    coordinator._coordination_task.add_done_callback(ended)
    if coordinator._group_instance_id is not None:
        coordinator.reset_generation = once_only(coordinator, failed)


def once_only(coordinator: Any, failed: Callable[[BaseException], None]) -> Callable[[], None]:
    """`reset_generation` for a static member: it may join once, and ends when the group no longer knows it."""
    reset = coordinator.reset_generation

    def reset_generation() -> None:
        if coordinator.generation < 0 or coordinator._closing.done():
            reset()
            return
        error = ProcessFenced(
            f"the group {coordinator.group_id} no longer knows this member, and another process may run under the "
            f"static member id {coordinator._group_instance_id!r}: this one ends"
        )
        failed(error)
        raise error

    return reset_generation
