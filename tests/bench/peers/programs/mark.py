"""The only line of ours in the programs of the others: it writes down when the first record was parsed."""

from __future__ import annotations

import os
import time
from pathlib import Path

_marked = False


def first() -> None:
    """Write the time (seconds since 1970) into `$FIRST_FILE`, at the first call only."""
    global _marked  # noqa: PLW0603  (a call for each record must cost next to nothing)
    if not _marked:
        _marked = True
        Path(os.environ["FIRST_FILE"]).write_text(repr(time.time_ns() / 1e9))
