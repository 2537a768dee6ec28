"""Every function of the catalogue on every kind of field, so that one test finds all kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from lepton_stream.kernels.functions import function
from lepton_stream.kernels.kernel import Kernel
from lepton_stream.pipeline.catalogue import SIGNATURES, Signature
from lepton_stream.pipeline.plan import Call


def calls(types: Mapping[str, str]) -> list[Call]:
    """Every call that a plan with these fields can make. `types`: field types by name."""
    return [call for signature in SIGNATURES.values() for call in _calls_of(signature, types)]


def _calls_of(signature: Signature, types: Mapping[str, str]) -> Iterator[Call]:
    if signature.optional_field:
        yield Call(signature.name)
    fitting = [[name for name, kind in types.items() if kind in accepted] for accepted in signature.fields]
    for fields in product(*fitting):
        yield Call(signature.name, (*fields, *[p.example for p in signature.parameters]))


def kernels(types: Mapping[str, str]) -> dict[str, Kernel]:
    """Every kernel that those calls read, by key."""
    return {kernel.key: kernel for call in calls(types) for kernel in function(call, dict(types)).kernels}
