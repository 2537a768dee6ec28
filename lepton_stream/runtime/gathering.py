"""Values of several chunks put in another order, copied out and joined, without a Python object a record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lepton_stream.chunk import Values, chain
from lepton_stream.columns import PADDING, Index, Text, pack
from lepton_stream.compiled import switch
from lepton_stream.formats import table_values
from lepton_stream.formats.table_values import TableValues


def reordered(values: Values, rows: Index) -> Values:
    """These values in this order, of the same buffer."""
    if isinstance(values, TableValues):
        return values.pick(rows)
    data, start, length = values.spans()
    return Values(data, start[rows], length[rows])


def copied(values: Values) -> Values:
    """The same values apart from their neighbours: they no longer hold the buffer that they came in."""
    if isinstance(values, TableValues):
        return values.packed()
    functions = switch.current()
    data, start, length = values.spans()
    width = np.maximum(length, 0)
    if functions is None:
        text = pack(Text(data, start, width))
        return Values(text.data, text.start, length)
    own = np.zeros(int(width.sum()) + PADDING, np.uint8)
    functions.gather(data, np.ascontiguousarray(start), np.ascontiguousarray(length), own)
    return Values(own, np.cumsum(width) - width, length)


def joined(parts: Sequence[Values]) -> Values:
    """All values, part after part. The parts are of one kind."""
    if len(parts) == 1:
        return parts[0]
    tables = [part for part in parts if isinstance(part, TableValues)]
    return table_values.joined(tables) if tables else chain(parts)[0]
