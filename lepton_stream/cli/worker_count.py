"""How many worker processes `--workers` asks for."""

from __future__ import annotations

from lepton_stream.errors import UsageError

AUTO = "auto"
_MOST = 1000


def worker_count(asked: str, cores: float, *, alone: bool) -> int:
    """A number from 1 to 1000; `auto`: one for each whole core. `alone`: there can only be one, as auto knows.

    Raises UsageError.
    """
    if asked == AUTO:
        return 1 if alone else max(int(cores), 1)
    if not asked.isdecimal() or not 1 <= int(asked) <= _MOST:
        raise UsageError(f"--workers is {asked!r}: expects a number from 1 to {_MOST}, or {AUTO}: one for each core")
    return int(asked)
