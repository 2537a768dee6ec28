"""A real Prometheus on a free port, with a configuration of its own; ended by its process id."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from lepton_stream.runtime.kafka.embedded import free_port

BINARY = shutil.which("prometheus")
MISSING = "prometheus is not installed (Debian: apt install prometheus)"
RULES = Path(__file__).resolve().parents[2] / "deploy/rules.yml"
LOOK_AGAIN = 0.1

CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: lepton-stream
    static_configs: [{{targets: {targets}}}]
"""


def until(holds: Callable[[], Any], seconds: float, what: Callable[[], str]) -> Any:
    """The first true value of `holds`."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(LOOK_AGAIN)
    return value


class Prometheus:
    """Scrapes every second."""

    def __init__(self, folder: Path, targets: Sequence[str]) -> None:
        """`targets`: HOST:PORT of metrics servers."""
        assert BINARY is not None
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(rules=RULES, targets=json.dumps(list(targets))))
        self.url = f"http://127.0.0.1:{free_port()}"
        listen = self.url.removeprefix("http://")
        command = [BINARY, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        with (folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--web.listen-address={listen}", "--log.level=warn"], stdout=log, stderr=log
            )
        self._log = folder / "prometheus.log"

    def __enter__(self) -> Self:
        until(self._is_ready, 30, self._log.read_text)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return int(answer.status) == 200
        except OSError:
            return False

    def asked(self, path: str, **parameters: str) -> Any:
        """The data of an answer of the API. Fails with Prometheus's own words."""
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def values(self, expr: str) -> list[float]:
        """The numbers that a query gives now; those that are none (0 / 0) left out."""
        found = [float(series["value"][1]) for series in self.asked("query", query=expr)["result"]]
        return [value for value in found if not math.isnan(value)]

    def rules(self) -> list[dict[str, Any]]:
        """Recording and alert rules as they were loaded."""
        return [rule for group in self.asked("rules")["groups"] for rule in group["rules"]]
