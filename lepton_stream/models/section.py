"""One `[[model]]` of a plan made ready: what scores its rows, and the columns that rows must carry."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.models.ewma import Ewma
from lepton_stream.models.robust_z import RobustZ
from lepton_stream.models.scorer import Scorer
from lepton_stream.pipeline.plan import Call, Model, Plan


@dataclass(frozen=True, slots=True)
class ModelSection:
    """`whole`: the field holds integers. `topic`: of the records, for events."""

    model: Model
    scorer: Scorer
    whole: bool
    topic: str

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
    return RobustZ(int(parameter)) if call.function == "robust_z" else Ewma(parameter)
