"""Durations and sizes as people write them ("10s", "1.5h", "64MiB") to integers and back, never through a float."""

from __future__ import annotations

import re

MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "KiB": 2**10,
    "MB": 10**6,
    "MiB": 2**20,
    "GB": 10**9,
    "GiB": 2**30,
}
MAX_US = 36_525 * MICROSECONDS["d"]
"""A hundred years: sums of any two durations and an event time stay far inside int64."""
DURATION_PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,18})?(us|ms|s|m|h|d|w)$"
SIZE_PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,18})?(B|[kK]B|KiB|MB|MiB|GB|GiB)$"

_AMOUNT = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?([A-Za-z]{1,3})", re.ASCII)


def parse_duration(text: str) -> int:
    """Microseconds of "500ms", "1.5h", "7d". Raises ValueError; also for parts of a microsecond and over 100 years."""
    amount = _scaled(text, MICROSECONDS, 'a duration such as "10s", "1h" or "7d"', "microseconds")
    if amount > MAX_US:
        raise ValueError("expects a duration of at most 100 years")
    return amount


def parse_size(text: str) -> int:
    """Bytes of "512KiB", "1MB", "64MiB". Raises ValueError where it is not a size or not a whole number of bytes."""
    return _scaled(text, BYTES, 'a size such as "512KiB" or "64MiB"', "bytes")


def duration_text(us: int) -> str:
    """The shortest duration that parses to `us`, in the largest unit that divides it: 5400000000 is "90m".

    Weeks are left out: 7d says it too. Raises ValueError for a negative number.
    """
    return _text(us, {unit: size for unit, size in MICROSECONDS.items() if unit != "w"}, "s")


def size_text(count: int) -> str:
    """The size in the largest binary unit that divides it: 524288 is "512KiB". Raises ValueError if it is negative."""
    return _text(count, {unit: BYTES[unit] for unit in ("B", "KiB", "MiB", "GiB")}, "B")


def _scaled(text: str, units: dict[str, int], wish: str, whole: str) -> int:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or match[3] not in units:
        raise ValueError(f"expects {wish}")
    fraction = match[2] or ""
    one = int("1" + "0" * len(fraction))
    amount, rest = divmod(int(match[1] + fraction) * units[match[3]], one)
    if rest:
        raise ValueError(f"expects a whole number of {whole}")
    return amount


def _text(amount: int, units: dict[str, int], zero: str) -> str:
    if amount < 0:
        raise ValueError(f"{amount} is negative")
    if amount == 0:
        return f"0{zero}"
    unit = next(u for u in reversed(units) if amount % units[u] == 0)
    return f"{amount // units[unit]}{unit}"
