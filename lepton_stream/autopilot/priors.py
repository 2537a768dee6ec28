"""What the ways of carrying out a plan should cost before anything was measured; docs/decisions/0009 has the figures.

Measured on the compiled path over four shuffle partitions (tests/autopilot/real_work.py). Other machines and the
portable path differ by a factor that the fit soon knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lepton_stream.autopilot.fit import Vector
from lepton_stream.autopilot.setting import Codec
from lepton_stream.kernels.entries import is_entries
from lepton_stream.kernels.kernel import Kernel
from lepton_stream.pipeline.plan import Plan
from lepton_stream.shuffle.frame import section_fields
from lepton_stream.windows.section import Section, sections

US = 1e-6
PREPARE = ("row aggregated", "row sent", "cell sent", "frame of rows", "frame of partials")
FOLD = ("row folded", "cell of rows folded", "cell folded", "frame of rows", "frame of partials")
BYTES = ("row sent", "cell sent")
OTHER = ("record", "flush")
"""What a section does not decide: a record of each model and alarm, and what the frames of every flush have."""
_SKETCH = 4.0
_TEXT_BYTES = 20.0
_HEADER_BYTES = 300.0


@dataclass(frozen=True, slots=True)
class Priors:
    """Coefficients in seconds or bytes: len(PREPARE) a section, one after the other, then OTHER; so for the others."""

    prepare: Vector
    fold: Vector
    bytes: Vector


@dataclass(frozen=True, slots=True)
class CodecPrior:
    """Seconds a byte before compression, and what is left of a byte."""

    compress_s: float
    decompress_s: float
    ratio: float


CODECS: dict[Codec, CodecPrior] = {
    "none": CodecPrior(0.0, 0.0, 1.0),
    "lz4": CodecPrior(1.1e-9, 0.4e-9, 0.33),
    "zstd-1": CodecPrior(2.4e-9, 0.8e-9, 0.20),
    "zstd-3": CodecPrior(3.6e-9, 0.8e-9, 0.19),
}


def priors_of(plan: Plan, partitions: int) -> Priors:
    """By the kernels and columns of each section. `partitions`: of the shuffle topic."""
    types = plan.types
    ready = sections(plan)
    prepare = [c for s in ready for c in _prepare(s)]
    fold = [c for s in ready for c in _fold(s)]
    size = [c for s in ready for c in _bytes(s, types)]
    frames = float(partitions)
    prepare += [0.07 * US, 20 * US * frames]
    fold += [0.2 * US, 40 * US * frames]
    size += [43.0, _HEADER_BYTES * frames]
    return Priors(np.array(prepare), np.array(fold), np.array(size))


def _weight(kernels: tuple[Kernel, ...]) -> float:
    """How many plain kernels these work like: sketches are dearer."""
    return sum(_SKETCH if any(map(is_entries, kernel.empty(1))) else 1.0 for kernel in kernels)


def _prepare(section: Section) -> list[float]:
    k, columns = _weight(section.kernels), len(section_fields(section)) + 2
    return [(0.012 + 0.02 * k) * US, 0.016 * columns * US, (0.025 + 0.023 * k) * US, 50 * US, (30 + 17 * k) * US]


def _fold(section: Section) -> list[float]:
    k = _weight(section.kernels)
    row, of_rows, cell = 0.01 + 0.018 * k, 0.03 + 0.045 * k, 0.03 + 0.037 * k
    return [row * US, of_rows * US, cell * US, (60 + 50 * k) * US, (50 + 32 * k) * US]


def _bytes(section: Section, types: Mapping[str, str]) -> list[float]:
    def wide(names: tuple[str, ...]) -> float:
        return 16.0 + sum(_TEXT_BYTES if types[name] == "str" else 8.0 for name in names)

    return [wide(section_fields(section)), wide(section.window.group_by) + 16.0 * _weight(section.kernels)]
