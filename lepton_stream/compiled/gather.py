"""Spans from all over a buffer into a buffer of their own."""

from __future__ import annotations

from lepton_stream.columns import Index, Octets
from lepton_stream.compiled.jit import jit_for
from lepton_stream.compiled.signatures import INDEX, NOTHING, OCTETS

_OCTETS_OUT = OCTETS.copy(readonly=False)


@jit_for(NOTHING(OCTETS, INDEX, INDEX, _OCTETS_OUT))
def gather(data: Octets, start: Index, length: Index, out: Octets) -> None:
    """Put data[start[i] : start[i] + length[i]] one after the other into `out`; a length below 0 is none."""
    at = 0
    for i in range(len(start)):
        first = start[i]
        for k in range(length[i]):
            out[at + k] = data[first + k]
        at += max(length[i], 0)
