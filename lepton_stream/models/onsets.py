"""Episodes of alarms, for models that tell only how each begins: emit = "onsets"."""

from __future__ import annotations

import numpy as np

from lepton_stream.columns import Mask
from lepton_stream.models.scorer import Floats, Run, State

EPISODE = "episode"
"""Of a key, int64: 1 or -1 in an episode above or below what was expected, else 0."""


def onsets(state: State, run: Run, score: Floats, scored: Mask, threshold: float) -> Mask:
    """bool[n]: alarms with which an episode begins; the state is moved on. Rows in the order of the run.

    An episode ends with a score below half the threshold, so that one which wavers about it is told once; with an alarm
    on the other side, which begins another; and where a key begins anew.
    """
    size = np.abs(score)
    alarm = scored & (size >= threshold)
    side = np.where(alarm, np.sign(score), 0).astype(np.int64)
    decides = alarm | ~scored | (size < threshold / 2)
    last = np.maximum.accumulate(np.where(decides, np.arange(len(score)), -1))
    before = state[EPISODE][run.key]
    now = np.where(last >= run.start[run.owner], side[last], before[run.owner])
    was = np.concatenate([now[:1], now[:-1]])
    was[run.start] = before
    state[EPISODE][run.key] = now[run.start + run.count - 1]
    return alarm & (now != was)
