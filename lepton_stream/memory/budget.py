"""How much memory the state and the buffers of one worker may take, and why so much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from lepton_stream.errors import UsageError
from lepton_stream.pipeline.durations import parse_size
from lepton_stream.pipeline.keys import LEAST_MEMORY, MOST_MEMORY

VARIABLE = "LEPTON__MEMORY"
MiB, GiB = 1 << 20, 1 << 30
BASE = 320 * MiB
"""What a worker's process takes besides: interpreter, libraries, compiled code, and the steps of work themselves."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`bytes`: of state and buffers of one worker. `why`: for people, where the number comes from."""

    bytes: int
    why: str

    def __str__(self) -> str:
        """For people: the size and its reason."""
        return f"{about(self.bytes)} for state and buffers of each worker ({self.why})"


DEFAULT = Budget(GiB, "the default")


class Room(NamedTuple):
    """What this process may use. `whose`: who says so. `ours`: nobody else takes of it (a control group, a limit)."""

    bytes: int
    whose: str
    ours: bool


def budget_of(asked: Iterable[tuple[str, str | int | None]], room: Room | None, workers: int = 1) -> Budget:
    """The first that was asked for, as (who asks, what for), else a share of the room. Raises UsageError.

    Of what only we use, workers take three quarters, of a whole machine half: its page cache and others need some, too.
    """
    for where, wished in asked:
        if wished is not None:
            return Budget(_size(where, wished), where)
    if room is None:
        return Budget(GiB, "this system does not tell what it has")
    share = Fraction(3, 4) if room.ours else Fraction(1, 2)
    each = int(room.bytes * share) // max(workers, 1) - BASE
    of = f"{share.numerator} of {share.denominator} parts of {room.whose}'s {about(room.bytes)}"
    told = f"{of}, for {workers} worker{'s' if workers > 1 else ''}, less {about(BASE)} for the program"
    if each < LEAST_MEMORY:
        return Budget(LEAST_MEMORY, f"the least there is: {told} would be too little")
    return Budget(each, told)


def _size(where: str, wished: str | int) -> int:
    try:
        size = parse_size(wished) if isinstance(wished, str) else wished
    except ValueError:
        size = 0
    if not LEAST_MEMORY <= size <= MOST_MEMORY:
        raise UsageError(
            f'{where} is {str(wished)!r}: expects a size such as "512MiB" or "4GiB", at least {about(LEAST_MEMORY)}; '
            "it is what the state and the buffers of one worker may take"
        )
    return size


def about(size: int) -> str:
    """The size for people, to three digits or so.

    >>> about(1610612736), about(67108864), about(2048)
    ('1.5 GiB', '64 MiB', '2 KiB')
    """
    for unit, name in ((GiB, "GiB"), (MiB, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return (
                f"{size / unit:.1f}".removesuffix(".0") + f" {name}" if size < 10 * unit else f"{size // unit} {name}"
            )
    return f"{size} B"
