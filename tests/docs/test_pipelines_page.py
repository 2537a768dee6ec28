"""The pages of the shipped pipelines show what their demo prints, and the pictures hold the results' numbers."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lepton_stream.api.local import run
from lepton_stream.cli.main import outcome
from lepton_stream.pipeline.source import find, sample, shipped

DOCS = Path(__file__).resolve().parents[2] / "docs"
SHOWN = [
    (page, command, block)
    for page in sorted((DOCS / "pipelines").rglob("*.md"))
    for command, block in re.findall(
        r"^```\n\$ (lepton-stream demo [^\n]*--no-broker[^\n]*)\n(.*?)^```",
        page.read_text(encoding="utf-8"),
        re.M | re.S,
    )
]


def results(name: str) -> list[dict[str, Any]]:
    return list(run(find(name), sample(name)))


def events(name: str) -> list[dict[str, Any]]:
    """By event time."""
    told: list[dict[str, Any]] = []
    list(run(find(name), sample(name), events=told.append))
    return sorted(told, key=lambda event: event["event_time"])


def page_of(name: str) -> str:
    return (DOCS / "pipelines" / f"{name}.md").read_text(encoding="utf-8")


def clock(row: dict[str, Any], form: str, of: str = "window_start") -> str:
    return datetime.fromtimestamp(row[of] / 1000, UTC).strftime(form)


def moment(event: dict[str, Any]) -> str:
    return clock(event, "%H:%M:%S.%f", "event_time")[:-3]


@pytest.mark.parametrize(("page", "command", "block"), SHOWN, ids=[page.stem for page, _, _ in SHOWN])
def test_what_a_page_shows_is_what_the_demo_prints(
    page: Path, command: str, block: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "130")
    assert outcome(shlex.split(command)[1:]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line.rstrip() for line in block.splitlines()] == printed, page


def test_every_pipeline_is_listed_and_the_pages_of_two_show_their_output() -> None:
    listed = (DOCS / "pipelines.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in listed for name in shipped())
    assert {page.stem for page, _, _ in SHOWN} >= {"fx_ticks", "equipment"}


def test_the_picture_of_volatility_has_the_results_of_both_venues() -> None:
    text = (DOCS / "pipelines" / "finance" / "fx_ticks.md").read_text(encoding="utf-8")
    shown = re.findall(r"^(\d\d:\d\d) +([\d.]+) (█*) +([\d.]+) ?(█*)$", text, re.M)
    by = {(clock(row, "%H:%M"), row["venue"]): row for row in results("finance/fx_ticks") if row["symbol"] == "eurusd"}
    assert len(shown) == len(by) // 2 == 12
    for minute, *pictured in shown:
        for venue, figure, bar in (("fxcm", *pictured[:2]), ("oanda", *pictured[2:])):
            value = by[minute, venue]["volatility_bp"]
            assert (f"{value:.2f}", round(value)) == (figure, len(bar))


def test_the_picture_of_power_has_the_results_of_each_second() -> None:
    text = (DOCS / "pipelines" / "manufacturing" / "equipment.md").read_text(encoding="utf-8")
    shown = re.findall(r"^(\d\d:\d\d:\d\d) +([\d.]+) +(\d+) ?(█*)$", text, re.M)
    seconds = (row for row in results("manufacturing/equipment") if row["window"] == "second")
    by = {clock(row, "%H:%M:%S"): row for row in seconds}
    assert len(shown) > 10
    for second, mean, range_, bar in shown:
        row = by[second]
        assert (f"{row['mf01_mean']:.1f}", f"{row['mf01_range']:.0f}") == (mean, range_)
        assert round(row["mf01_range"] / 200) == len(bar)


def test_the_picture_of_quotes_that_jump_has_every_alarm_of_the_sample() -> None:
    text = page_of("finance/fx_ticks")
    shown = re.findall(r"^(\d\d:\d\d:\d\d\.\d{3})  (\w+) (\w+) +(-?[\d.]+)  (█+)$", text, re.M)
    told = events("finance/fx_ticks")
    off = [event["seen"] - event["expected"] for event in told]
    assert shown == [
        (moment(event), event["venue"], event["symbol"], f"{by:.2f}", "█" * round(abs(by) * 4))
        for event, by in zip(told, off, strict=True)
    ]
    (published,) = re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)
    assert json.loads(published) == told[-1]


def test_the_picture_of_drifts_has_every_alarm_of_the_sample() -> None:
    text = page_of("manufacturing/equipment")
    shown = re.findall(
        r"^(\d\d:\d\d:\d\d\.\d{3})  (mf..|pc..) +([\d,]+) +([\d,]+) +([\d.]+) +([-+][\d.]+) [▲▼]$", text, re.M
    )
    told = events("manufacturing/equipment")
    assert shown == [
        (
            moment(event),
            event["field"],
            f"{event['seen']:,.0f}",
            f"{event['expected']:,.0f}",
            f"{event['deviation']:.1f}",
            f"{event['score']:+.2f}",
        )
        for event in told
    ]
    (published,) = re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)
    assert json.loads(published) == told[2]
