"""The compose file's broker settings and commands at work: a real Apache Kafka, and processes instead of containers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka import broker
from tests.deploy.test_compose import OURS, SERVICES, mounts

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[2]
PRODUCT = [sys.executable, "-m", "lepton_stream"]
NOT_SETTINGS = ("KAFKA_HEAP_OPTS",)


def properties(environment: dict[str, Any]) -> str:
    """server.properties as the image makes it: KAFKA_NODE_ID is node.id."""
    named = {k: v for k, v in environment.items() if k.startswith("KAFKA_") and k not in NOT_SETTINGS}
    return "".join(f"{k.removeprefix('KAFKA_').lower().replace('_', '.')}={v}\n" for k, v in named.items())


def here(text: str, ports: dict[str, int], data: Path) -> str:
    """The same on this machine: free ports, one address, a folder of the test's."""
    for port, free in ports.items():
        text = re.sub(rf"(?<=:){port}\b", str(free), text)
    text = re.sub(r"(://|@)(kafka)?:", r"\g<1>127.0.0.1:", text)
    return text.replace("/var/lib/kafka/data", str(data))


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Apache Kafka with the compose file's settings; what stands there as kafka:9092."""
    folder = tmp_path_factory.mktemp("kafka")
    ports = {port: broker.free_port() for port in ("9092", "19092", "9093")}
    text = here(properties(SERVICES["kafka"]["environment"]), ports, folder / "data")
    (folder / "template").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker, "TEMPLATE", folder / "template")
        node = broker.start(folder, ports["9092"])
    yield node.bootstrap
    assert broker.stop(folder)


def test_topics_feeder_and_worker_do_their_work(bootstrap: str) -> None:
    metrics = f"127.0.0.1:{broker.free_port()}"

    def line(name: str) -> tuple[list[str], dict[str, str]]:
        """A service's command and environment; the feeder does not wait between readings."""
        words = [w for w in OURS[name]["command"] if not w.startswith("--pace")]
        for source, target, _ in mounts(OURS[name]):
            words = [w.replace(f"{target}/", f"{source}/") for w in words]
        given = {k: str(v) for k, v in OURS[name]["environment"].items()}
        return [*PRODUCT, *words], {**os.environ, **given, "KAFKA_BOOTSTRAP": bootstrap, "LEPTON__METRICS": metrics}

    def done(command: list[str], env: dict[str, str]) -> str:
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    done(*line("topics"))
    command, env = line("worker")
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as worker:
        done([*PRODUCT, "probe", "ready", "--wait", "60"], env)
        done(*line("feeder"))
        told = done([*PRODUCT, "tail", "iot/air_quality", "--from-start", "--until-quiet", "3", "--json"], env)
        worker.send_signal(signal.SIGTERM)
        log = worker.communicate(timeout=60)[1]
    assert worker.returncode == 143, log
    assert all(json.loads(entry)["event"] for entry in log.splitlines())
    rows = [json.loads(row) for row in told.splitlines()]
    _, target, _ = mounts(OURS["feeder"])[0]
    whole = done([*PRODUCT, "run", "iot/air_quality", "--quiet", "--input", *inputs(target)], {**os.environ})
    expected = {key(row): row for row in map(json.loads, whole.splitlines())}
    assert len(rows) >= 150  # the last days stay open: nothing later arrives that would close them
    assert all(same(row, expected[key(row)]) for row in rows)


def inputs(target: str) -> list[str]:
    """The sample's files, where they are."""
    ((source, _, _),) = mounts(OURS["feeder"])
    names = [w for w in OURS["feeder"]["command"] if w.startswith(f"{target}/")]
    return [str(source / Path(name).name) for name in names]


def key(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["station"], row["window_start"]


def same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """But for the number of the checkpoint."""
    return {**row, "version": 0} == {**other, "version": 0}
