"""The queries of the committed dashboard, as Grafana would send them."""

from __future__ import annotations

import json

from lepton_stream.grafana.check import expressions
from lepton_stream.grafana.files import FOLDER


def queries(pipeline: str = ".*", interval: str = "20s", span: str = "5m") -> dict[str, str]:
    """Place to expression, with the dashboard's variables filled in."""
    document = json.loads((FOLDER / "overview.json").read_bytes())
    filled = {"$__rate_interval": interval, "$__range": span, "$pipeline": pipeline}
    found = {}
    for where, expr, _ in expressions(document):
        for name, value in filled.items():
            expr = expr.replace(name, value)
        found[where] = expr
    return found
