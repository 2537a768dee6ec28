"""`lepton-stream` that is killed (SIGKILL) while it puts a group's commits together again: $DIES_AT says where."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from lepton_stream.cli.main import main
from lepton_stream.protocol.recover import Recovery
from lepton_stream.runtime.kafka.committer import Committer

MOMENTS = ("after a checkpoint", "before the commit", "after the commit")
write, commit_together = Recovery.write, Committer.commit_together


async def write_and_die(self: Recovery) -> Any:
    """One checkpoint is in the state log, others are not."""
    await write(self)
    die()


async def die_first(self: Committer, *_: Any) -> None:
    """All checkpoints are there, and no commit."""
    die()


async def commit_and_die(self: Committer, *given: Any) -> None:
    """All is there, but nobody has published or gone on."""
    await commit_together(self, *given)
    die()


def die() -> None:
    """As nobody can prevent."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    at = MOMENTS.index(os.environ["DIES_AT"])
    if at == 0:
        Recovery.write = write_and_die  # type: ignore[method-assign]
    else:
        Committer.commit_together = (die_first, commit_and_die)[at - 1]  # type: ignore[method-assign,assignment]
    main(sys.argv[1:])
