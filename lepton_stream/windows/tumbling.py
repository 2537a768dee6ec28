"""Tumbling windows: window k covers [k * size + offset, (k + 1) * size + offset) in event time, microseconds."""

from __future__ import annotations

from lepton_stream.columns import Index
from lepton_stream.pipeline.plan import Window


def number_of(window: Window, time: Index) -> Index:
    """int64[n]: the window of each event time."""
    return (time - window.offset_us) // window.size_us


def start_of(window: Window, number: Index) -> Index:
    """int64[n]: where each window begins."""
    return number * window.size_us + window.offset_us


def end_of(window: Window, number: Index) -> Index:
    """int64[n]: the first microsecond after each window."""
    return start_of(window, number + 1)
