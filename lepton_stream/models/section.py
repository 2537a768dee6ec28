"""One `[[model]]` of a plan made ready: what scores its rows, and the columns that rows must carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lepton_stream.models.drift import Drift
from lepton_stream.models.ewma import Ewma
from lepton_stream.models.onsets import EPISODE
from lepton_stream.models.robust_z import RobustZ
from lepton_stream.models.scorer import Scorer, State
from lepton_stream.pipeline.plan import Call, Model, Plan


@dataclass(frozen=True, slots=True)
class ModelSection:
    """`whole`: the field holds integers. `topic`: of the records, for events."""

    model: Model
    scorer: Scorer
    whole: bool
    topic: str

    def empty(self, keys: int) -> State:
        """State of so many keys that have seen no value."""
        state = self.scorer.empty(keys)
        return state | {EPISODE: np.zeros(keys, np.int64)} if self.model.emit == "onsets" else state

    @property
    def columns(self) -> tuple[str, ...]:
        """Key fields and the field that is scored."""
        return tuple(dict.fromkeys((*self.model.by, self.model.field)))


def model_sections(plan: Plan) -> tuple[ModelSection, ...]:
    """The plan's models, in its order."""
    types = plan.types
    return tuple(ModelSection(m, _scorer(m.score), types[m.field] == "int", plan.source.topic) for m in plan.models)


def _scorer(call: Call) -> Scorer:
    parameter = float(call.args[1])
    if call.function == "robust_z":
        return RobustZ(int(parameter))
    return Drift(parameter) if call.function == "drift" else Ewma(parameter)
