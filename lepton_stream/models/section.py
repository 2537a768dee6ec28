"""One `[[model]]` or `[[alarm]]` of a plan made ready: what judges its rows, and the columns that rows must carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lepton_stream.models.drift import Drift
from lepton_stream.models.ewma import Ewma
from lepton_stream.models.hysteresis import Hysteresis
from lepton_stream.models.onsets import EPISODE
from lepton_stream.models.robust_z import RobustZ
from lepton_stream.models.scorer import Scorer, State
from lepton_stream.pipeline.plan import Alarm, Call, Model, Plan


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
        return _carried(self.model)


@dataclass(frozen=True, slots=True)
class AlarmSection:
    """As a model's, whose machinery it shares: `model` is the alarm, `scorer` holds its state."""

    model: Alarm
    scorer: Hysteresis
    whole: bool
    topic: str

    def empty(self, keys: int) -> State:
        """State of so many keys that have seen no value."""
        return self.scorer.empty(keys)

    @property
    def columns(self) -> tuple[str, ...]:
        """Key fields and the field that is watched."""
        return _carried(self.model)


OrderedSection: TypeAlias = ModelSection | AlarmSection


def _carried(of: Model | Alarm) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*of.by, of.field)))


def ordered_sections(plan: Plan) -> tuple[OrderedSection, ...]:
    """The plan's models, then its alarms, in its order."""
    types, topic = plan.types, plan.source.topic
    models = (ModelSection(m, _scorer(m.score), types[m.field] == "int", topic) for m in plan.models)
    alarms = (AlarmSection(a, Hysteresis(a), types[a.field] == "int", topic) for a in plan.alarms)
    return (*models, *alarms)


def _scorer(call: Call) -> Scorer:
    parameter = float(call.args[1])
    if call.function == "robust_z":
        return RobustZ(int(parameter))
    return Drift(parameter) if call.function == "drift" else Ewma(parameter)
