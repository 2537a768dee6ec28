"""What a query reads is found in whatever form it is written."""

from __future__ import annotations

import pytest

from lepton_stream.grafana.promql import kept, named, uses

CASES = {
    "bare": ("lepton_up", {"lepton_up": set()}),
    "with matchers": ('lepton_up{a="x", b=~"y|z",c!~"q"}', {"lepton_up": {"a", "b", "c"}}),
    "braces and equals inside a value": ('lepton_up{a="x=,", b="y"} > 1', {"lepton_up": {"a", "b"}}),
    "grouped": ("sum by (a, b) (rate(lepton_x_total[5m]))", {"lepton_x_total": {"a", "b"}}),
    "grouped, only one side": (
        "sum by (a) (lepton_x) / sum(lepton_y)",
        {"lepton_x": {"a"}, "lepton_y": set()},
    ),
    "nested": ("max by (a) (sum by (a, b) (lepton_x))", {"lepton_x": {"a", "b"}}),
    "recorded": ("lepton:lag:sum > 1", {"lepton:lag:sum": set()}),
    "own health": ('up{job="j"} == 0', {"up": {"job"}}),
    "ranges and offsets are no metrics": (
        "lepton_x[5m] offset 1h unless on (a) lepton_y",
        {"lepton_x": set(), "lepton_y": set()},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_metrics_and_labels_are_found(name: str) -> None:
    expr, wanted = CASES[name]
    assert {use.name: set(use.labels) for use in uses(expr)} == wanted


def test_labels_that_are_kept_and_those_that_are_named() -> None:
    assert kept("sum by (a, b) (lepton_x) + max by (c)(lepton_y)") == {"a", "b", "c"}
    assert named("{{topic}}[{{ partition }}] {{ $labels.pipeline }}") == {"topic", "partition", "pipeline"}
