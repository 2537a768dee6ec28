"""The compose file: by the specification's schema, by what it points at, and by rules of our own."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.kafka.jars import VERSION
from lepton_stream import __version__
from lepton_stream.memory.budget import BASE
from lepton_stream.pipeline.durations import parse_size
from lepton_stream.runtime.kafka import app, workers
from lepton_stream.runtime.kafka.connect import from_environment
from lepton_stream.telemetry.address import DEFAULT_PORT
from tests.deploy.commands import understood
from tests.deploy.test_dockerfile_rules import PINNED

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/compose"
DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = DOCUMENT["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("lepton-stream:")}
SCHEMA = json.loads((ROOT / "tests/deploy/schemas/compose-spec.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def mounts(service: dict[str, Any]) -> list[tuple[Path, str, str]]:
    """(source, target, mode) of what is mounted from the repository."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return [((FOLDER / p[0]).resolve(), p[1], ":".join(p[2:])) for p in parts if p[0].startswith(".")]


def test_it_is_valid_by_the_schema_of_the_specification() -> None:
    assert [e.message for e in VALIDATOR.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("spoil", [{"imagee": "x"}, {"healthcheck": {"test": 3}}, {"ports": "9090"}])
def test_a_spoiled_service_is_found_by_the_schema(spoil: dict[str, Any]) -> None:
    document = {**DOCUMENT, "services": {**SERVICES, "worker": {**SERVICES["worker"], **spoil}}}
    assert list(VALIDATOR.iter_errors(document))


def test_all_parts_are_there() -> None:
    assert set(SERVICES) == {"kafka", "topics", "worker", "feeder", "prometheus", "grafana"}
    assert set(OURS) == {"topics", "worker", "feeder"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_and_ours_is_this_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert PINNED.fullmatch(image)
    if name in OURS:
        assert image == f"lepton-stream:{__version__}"
        build = SERVICES[name]["build"]
        assert (FOLDER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()


def test_the_broker_is_the_release_that_the_tests_run_against() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{VERSION}"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)) for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_is_mounted_from_the_repository_exists_and_cannot_be_written(name: str) -> None:
    for source, _, mode in mounts(SERVICES[name]):
        assert source.exists(), source
        assert source.is_relative_to(ROOT)
        assert mode == "ro"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_gain_rights_or_take_all_memory(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)


@pytest.mark.parametrize("name", OURS)
def test_ours_has_a_read_only_root_and_a_bounded_tmp(name: str) -> None:
    assert OURS[name]["read_only"] is True
    assert tmpfs(OURS[name]) <= parse_size("64MiB")
    assert "user" not in OURS[name]  # the image's, which is not root


def tmpfs(service: dict[str, Any]) -> int:
    (one,) = service["tmpfs"]
    found = re.fullmatch(r"/tmp:size=(\d+)m,mode=1777", one)
    assert found is not None
    return int(found[1]) << 20


@pytest.mark.parametrize("name", OURS)
def test_the_product_understands_the_command_and_the_environment(name: str) -> None:
    assert understood(OURS[name]["command"])["pipeline"] == "iot/air_quality"
    connection = from_environment({k: str(v) for k, v in OURS[name]["environment"].items()})
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"INSIDE://{connection.bootstrap}" in listeners


def test_the_worker_fits_its_memory_limit() -> None:
    worker = SERVICES["worker"]
    limit = parse_size(worker["mem_limit"].replace("g", "GiB").replace("m", "MiB"))
    assert parse_size(worker["environment"]["LEPTON__MEMORY"]) + BASE + tmpfs(worker) <= limit


def test_a_worker_that_stops_is_given_the_time_that_it_takes_at_most() -> None:
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > max(app.STOP_SECONDS, workers.STOP_SECONDS)


def test_workers_can_be_several() -> None:
    assert not {"container_name", "ports", "hostname"} & set(SERVICES["worker"])
    assert "static_id" not in str(SERVICES["worker"])


def test_only_what_serves_probes_is_asked_for_them() -> None:
    assert SERVICES["worker"]["healthcheck"]["test"] == ["CMD", "lepton-stream", "probe", "live"]
    assert SERVICES["topics"]["healthcheck"] == SERVICES["feeder"]["healthcheck"] == {"disable": True}


def test_whoever_is_waited_for_is_there_and_can_be_waited_for() -> None:
    for service in SERVICES.values():
        waited = service.get("depends_on", {})
        for name, how in waited.items() if isinstance(waited, dict) else []:
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"]
            else:
                assert SERVICES[name]["restart"] == "no"


def test_the_feeder_is_given_the_whole_sample() -> None:
    feeder = SERVICES["feeder"]
    ((source, target, _),) = mounts(feeder)
    given = understood(feeder["command"])["inputs"]
    assert sorted(given) == sorted(f"{target}/{p.name}" for p in source.glob("*.csv.gz"))


# ---- Prometheus and Grafana


def config(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def test_prometheus_looks_as_often_and_under_the_same_name_as_without_compose() -> None:
    here, alone = config(FOLDER / "prometheus.yml"), config(ROOT / "deploy/prometheus.yml")
    assert here["global"] == alone["global"]
    assert [j["job_name"] for j in here["scrape_configs"]] == [j["job_name"] for j in alone["scrape_configs"]]
    (found,) = here["scrape_configs"][0]["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["worker"], DEFAULT_PORT)


def test_prometheus_loads_what_is_mounted(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    for source, target, _ in mounts(SERVICES["prometheus"]):
        shutil.copy(source, tmp_path / Path(target).name)
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    grafana = SERVICES["grafana"]
    targets = {target: source for source, target, _ in mounts(grafana)}
    provisioning = targets["/etc/grafana/provisioning"]
    (provider,) = config(provisioning / "dashboards/lepton.yml")["providers"]
    dashboards = targets[provider["options"]["path"]]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert json.loads((dashboards / home.name).read_text())["panels"]
    (source,) = config(provisioning / "datasources/prometheus.yml")["datasources"]
    assert source["url"] == "$PROMETHEUS_URL"
    assert grafana["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"
    assert SERVICES["prometheus"]["ports"] == ["127.0.0.1:9090:9090"]


def test_nobody_can_log_in_to_grafana_with_its_default_password() -> None:
    env = SERVICES["grafana"]["environment"]
    assert env["GF_AUTH_BASIC_ENABLED"] == "false"
    assert env["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert env["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_the_cluster_has_an_id_of_the_form_that_kafka_takes() -> None:
    assert len(base64.urlsafe_b64decode(SERVICES["kafka"]["environment"]["CLUSTER_ID"] + "==")) == 16
