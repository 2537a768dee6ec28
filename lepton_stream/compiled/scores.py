"""The recurrences of models in machine code: `recurrences`, compiled as they stand."""

from __future__ import annotations

from lepton_stream.compiled import recurrences
from lepton_stream.compiled.jit import jit_for
from lepton_stream.compiled.signatures import FLOAT, FLOATS, FLOATS_OUT, INDEX, INT, NOTHING

_ROWS = (INDEX, INDEX, FLOATS, INDEX)

ewma = jit_for(NOTHING(*_ROWS, FLOAT, INT, *[FLOATS_OUT] * 4))(recurrences.ewma)
level = jit_for(NOTHING(*_ROWS, FLOAT, FLOAT, INT, *[FLOATS_OUT] * 3))(recurrences.level)
