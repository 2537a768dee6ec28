"""The shipped Prometheus files by promtool: they load, each alert fires when it should, and a spoiled one is found."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY, CASES = ROOT / "deploy", ROOT / "tests/deploy/rules_test.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt install prometheus)"
)


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT)


@needs_promtool
def test_config_and_rules_load() -> None:
    done = promtool("check", "config", DEPLOY / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


@needs_promtool
def test_every_alert_fires_when_it_should_and_is_silent_otherwise() -> None:
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (DEPLOY / "rules.yml").read_text()))
    fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:", CASES.read_text()))
    assert alerts
    assert fired == alerts


SPOILED = {
    "threshold": ("lepton:records_unaccounted > 0", "lepton:records_unaccounted > 2"),
    "patience": (
        "deriv(lepton:lag_records[10m]) > 0\n        for: 10m",
        "deriv(lepton:lag_records[10m]) > 0\n        for: 90m",
    ),
    "watermark left out": ("          unless max by (pipeline) (lepton_watermark_timestamp_seconds)\n", ""),
    "dead letters of one outcome too many": ('{outcome="dead_lettered"}[5m]', "[5m]"),
    "restarts never": (">= 3", ">= 300"),
}


@needs_promtool
@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_rule_is_found(name: str, tmp_path: Path) -> None:
    right, wrong = SPOILED[name]
    rules = (DEPLOY / "rules.yml").read_text()
    assert rules.count(right) == 1
    (tmp_path / "rules.yml").write_text(rules.replace(right, wrong))
    (tmp_path / "cases.yml").write_text(CASES.read_text().replace("../../deploy/rules.yml", "rules.yml"))
    assert promtool("test", "rules", tmp_path / "cases.yml").returncode != 0


def test_grafana_is_told_where_prometheus_and_the_dashboards_are() -> None:
    provisioning = DEPLOY / "grafana/provisioning"
    source = (provisioning / "datasources/prometheus.yml").read_text()
    boards = (provisioning / "dashboards/lepton.yml").read_text()
    assert source.count("\napiVersion: 1\n") == boards.count("\napiVersion: 1\n") == 1
    assert "type: prometheus" in source
    assert "allowUiUpdates: false" in boards
    interval = re.search(r"scrape_interval: (\w+)", (DEPLOY / "prometheus.yml").read_text())
    assert interval is not None
    assert f"timeInterval: {interval[1]} " in source


def test_setup_goes_on_without_prometheus_and_says_how_to_get_it(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    command = [bash, str(ROOT / "scripts/prometheus.sh")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 0
    assert "sudo apt-get install prometheus" in done.stderr
