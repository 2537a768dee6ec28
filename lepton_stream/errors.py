"""Everything that can go wrong on purpose, with its exit code.

    LeptonError                 1   a failure that has no better name
    ├── UsageError              2   the command line asks for something that cannot be done (an unreadable file)
    ├── PlanError               3   the pipeline is not usable, or does not fit the data it is given
    ├── BrokerError             4   the broker cannot be reached, or refuses us
    ├── IntegrityError          5   the log does not fit what was promised; going on would count wrongly
    ├── TakenOverError          6   another process runs under our static member id
    ├── UnhealthyError          7   `doctor` found something that fails, or `probe` was told no
    ├── FloodError              8   too many dead letters in a row: what arrives is not what the plan is for
    └── MemoryBudgetError       9   the state needs more memory than the worker may take

Messages say what, where, and what to do next. The command line prints them without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class LeptonError(Exception):
    """Base of all errors that a person can act upon."""

    exit_code: ClassVar[int] = 1


class UsageError(LeptonError):
    """The command line names something that cannot be used."""

    exit_code = 2


class BrokerError(LeptonError):
    """The broker cannot be reached or does not let us in."""

    exit_code = 4


class IntegrityError(LeptonError):
    """What the log holds contradicts what was promised: stop instead of counting wrongly."""

    exit_code = 5


class TakenOverError(LeptonError):
    """Another process has taken our place: starting again would only take it back from there."""

    exit_code = 6


class UnhealthyError(LeptonError):
    """`doctor` found something that a run would refuse or that makes it count wrongly, or `probe` was told no."""

    exit_code = 7


class FloodError(LeptonError):
    """More records than the plan's ceiling allows are dead letters: a bad deploy, here or at a producer."""

    exit_code = 8


class MemoryBudgetError(LeptonError):
    """What must be kept needs more memory than we may take: a stop in good order, before the system makes one."""

    exit_code = 9


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a plan: the key, its value, what was wished for, and perhaps what was meant."""

    key: str
    value: str
    wish: str
    hint: str = ""
    where: str = ""
    shown: str = ""

    def __str__(self) -> str:
        """One line for people: `file:3:5: window[0].size is '1x': expects a duration such as "10s" or "1h"`.

        Of a text that is wrong in one place also the text (`shown`) with a caret below that place.
        """
        place = f"{self.where}: " if self.where else ""
        value = f" is {self.value}" if self.value else ""
        hint = f" (did you mean {self.hint}?)" if self.hint else ""
        shown = "".join(f"\n      {line}" for line in self.shown.splitlines())
        return f"{place}{self.key}{value}: {self.wish}{hint}{shown}"


class PlanError(LeptonError):
    """A plan with one or more problems, all told at once."""

    exit_code = 3

    def __init__(self, title: str, problems: Sequence[Problem] = ()) -> None:
        self.title = title
        self.problems = tuple(problems)
        super().__init__("\n".join([title, *(f"  - {p}" for p in self.problems)]))
