"""Recurrences over the rows of keys on the path that is in force: machine code over arrays, or Python over lists."""

from __future__ import annotations

from collections.abc import Sequence

from lepton_stream.compiled import recurrences, switch
from lepton_stream.models.scorer import Floats, Run


def in_turn(name: str, run: Run, numbers: Sequence[float], state: Sequence[Floats], found: Sequence[Floats]) -> None:
    """Carry out the recurrence of that name; `state` float64[m] and `found` float64[n] are written.

    Python goes through a row in a quarter to half of a microsecond. Arrays could only go through the k-th rows of all
    keys at once: 10 for a single key.
    """
    functions = switch.current()
    written = (*state, *found)
    if functions is not None:
        getattr(functions, name)(run.start, run.count, run.value, run.before, *numbers, *written)
        return
    given = [array.tolist() for array in (run.start, run.count, run.value, run.before)]
    lists = [array.tolist() for array in written]
    getattr(recurrences, name)(*given, *numbers, *lists)
    for array, values in zip(written, lists, strict=True):
        array[:] = values
