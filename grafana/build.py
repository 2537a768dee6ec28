"""From our plain values to Grafana's JSON, with Grafana's own builders (extra `dashboards`)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase

from lepton_stream.errors import UsageError
from lepton_stream.grafana import MISSING
from lepton_stream.grafana.autopilot import NEW_DECISION
from lepton_stream.grafana.screen import PIPELINE, Panel, Query, Screen, Steps

try:
    with warnings.catch_warnings():  # it wishes for version 2, which Grafana before 12 cannot read
        warnings.simplefilter("ignore", DeprecationWarning)
        from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.models import common as kinds
        from grafana_foundation_sdk.models import dashboard as model
except ImportError:
    raise UsageError(MISSING.format("grafana-foundation-sdk")) from None

DATASOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
NEW_VERSION = "lepton_build_info{0} unless lepton_build_info{0} offset 1m".format(f"{{{PIPELINE}}}")
Built = stat.Panel | timeseries.Panel


def build(screen: Screen) -> bytes:
    """The dashboard's JSON: the same bytes each time, keys sorted, so that a difference is a change."""
    built = (
        dashboard.Dashboard(screen.title)
        .uid(screen.uid)
        .description(screen.description)
        .tags(["lepton-stream"])
        .timezone("browser")
        .time("now-30m", "now")
        .refresh("10s")
        .readonly()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
        .with_variable(_pipeline())
        .annotation(_restarts())
        .annotation(_decisions())
    )
    ids = count(1)
    for row in screen.rows:
        if row.title:
            built = built.with_row(dashboard.Row(row.title).id(next(ids)))
        for panel in row.panels:
            built = built.with_panel(_panel(panel).id(next(ids)))
    text = json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _pipeline() -> dashboard.QueryVariable:
    everything = model.VariableOption(selected=True, text="All", value="$__all")
    return (
        dashboard.QueryVariable("pipeline")
        .label("Pipeline")
        .datasource(DATASOURCE)
        .query("label_values(lepton_build_info, pipeline)")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def _restarts() -> dashboard.AnnotationQuery:
    """Lines where another version began to run."""
    return (
        dashboard.AnnotationQuery()
        .name("New version")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("purple")
        .expr(NEW_VERSION)
        .title_format("{{pipeline}} {{version}}")
    )


def _decisions() -> dashboard.AnnotationQuery:
    """Lines where the autopilot has decided."""
    return (
        dashboard.AnnotationQuery()
        .name("Decision")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("orange")
        .expr(NEW_DECISION)
        .title_format("{{pipeline}}: {{knob}} {{choice}}")
    )


def _panel(panel: Panel) -> Built:
    built: Built = _stat() if panel.is_stat else _graph(stacked=panel.stacked)
    built.title(panel.title).description(panel.description).datasource(DATASOURCE).unit(panel.unit)
    built.span(panel.width).height(panel.height)
    if panel.steps:
        built.thresholds(_thresholds(panel.steps))
    for ref, query in zip(ascii_uppercase, panel.queries, strict=False):
        built.with_target(_target(ref, query))
        if changed := list(_changed(query)):
            built.override_by_query(ref, changed)
    return built


def _stat() -> stat.Panel:
    return (
        stat.Panel()
        .color_mode(kinds.BigValueColorMode.BACKGROUND)
        .graph_mode(kinds.BigValueGraphMode.AREA)
        .text_mode(kinds.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .no_value("-")
    )


def _graph(*, stacked: bool) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(kinds.LegendDisplayMode.LIST)
        .placement(kinds.LegendPlacement.BOTTOM)
    )
    tooltip = common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
    built = timeseries.Panel().legend(legend).tooltip(tooltip).line_width(1).fill_opacity(30 if stacked else 8)
    built.show_points(kinds.VisibilityMode.NEVER).no_value("-")
    if stacked:
        built.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL))
    return built


def _target(ref: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(ref).expr(query.expr).legend_format(query.legend).datasource(DATASOURCE)
    return target.range()


def _changed(query: Query) -> Iterator[model.DynamicConfigValue]:
    """What is other for this query than for its panel."""
    if query.unit is not None:
        yield model.DynamicConfigValue("unit", query.unit)
    if query.steps is not None:
        yield model.DynamicConfigValue("thresholds", _thresholds(query.steps).build())


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    marks = [model.Threshold(value=value, color=color) for color, value in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(marks)
