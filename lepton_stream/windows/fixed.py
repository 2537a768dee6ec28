"""Windows of one size, tumbling and hopping: number k covers [k * step + offset, k * step + offset + size), in µs.

A tumbling window begins where the last one ends: step is size. Hopping ones begin more often, so that an event time
lies in size / step of them: those numbered `number_of` and so many before it.
"""

from __future__ import annotations

from lepton_stream.columns import Index
from lepton_stream.pipeline.plan import Window


def number_of(window: Window, time: Index) -> Index:
    """int64[n]: the last window that each event time lies in; of hopping ones it is the number of its pane, too."""
    return (time - window.offset_us) // window.step_us


def first_of(window: Window, number: Index) -> Index:
    """int64[n]: the first window that a time lies in whose last one is `number`."""
    return number if window.overlap == 1 else number - (window.overlap - 1)


def start_of(window: Window, number: Index) -> Index:
    """int64[n]: where each window begins."""
    return number * window.step_us + window.offset_us


def end_of(window: Window, number: Index) -> Index:
    """int64[n]: the first microsecond after each window."""
    return number * window.step_us + (window.offset_us + window.size_us)
