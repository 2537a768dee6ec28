"""The modules that compile as they are imported, small steps first to last; `functions` gathers what they offer.

Named, not imported: who reads this must not import Numba yet. Every function has its types in its decorator, so
importing these is all that there is to compile or to load.
"""

from __future__ import annotations

_HERE = "lepton_stream.compiled"

FUNCTIONS = f"{_HERE}.functions"
PARTS = (
    "numba",
    *(f"{_HERE}.{name}" for name in ("words", "utf8", "number", "syntax", "json", "records")),
    *(f"{_HERE}.{name}" for name in ("csv_cells", "csv", "gather", "weave")),
    *(f"{_HERE}.{name}" for name in ("siphash", "slots", "grouped")),
    *(f"{_HERE}.{name}" for name in ("scores", "medians")),
    FUNCTIONS,
)
