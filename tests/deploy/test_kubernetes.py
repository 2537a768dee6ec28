"""The manifests: by Kubernetes' own schemas, by what they say of each other, and by rules of our own."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lepton_stream import __version__
from lepton_stream.memory.budget import BASE
from lepton_stream.pipeline.durations import parse_size
from lepton_stream.pipeline.plan_hash import plan_hash
from lepton_stream.pipeline.source import find
from lepton_stream.runtime.kafka import app, workers
from lepton_stream.runtime.kafka.connect import SESSION, from_environment
from lepton_stream.runtime.kafka.timing import timing_of
from lepton_stream.telemetry.address import Address, address_of
from lepton_stream.telemetry.probes import LIVE_S
from lepton_stream.telemetry.server import MetricsServer
from lepton_stream.telemetry.tally import Tally
from tests.deploy.commands import understood
from tests.deploy.test_dockerfile_rules import FINAL

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
APART = ("kustomization.yaml", "podmonitor.yaml")
"""Not of Kubernetes' own kinds."""
RELEASES = ("1.31", kubernetes_validate.latest_version())
"""The oldest that knows every field, and the newest there are schemas of."""


def read(name: str) -> dict[str, Any]:
    (document,) = yaml.safe_load_all((FOLDER / name).read_text())
    assert isinstance(document, dict)
    return document


MANIFESTS = {p.name: read(p.name) for p in sorted(FOLDER.glob("*.yaml")) if p.name not in APART}
WORKERS, TOPICS = MANIFESTS["workers.yaml"], MANIFESTS["topics.yaml"]
PODS = {"workers.yaml": WORKERS["spec"]["template"], "topics.yaml": TOPICS["spec"]["template"]}
BROKER: dict[str, str] = MANIFESTS["broker.yaml"]["data"]


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


WORKER = container("workers.yaml")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", MANIFESTS)
def test_it_is_valid_by_the_schemas_of_kubernetes(name: str, release: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], release, strict=True)


@pytest.mark.parametrize("key", ["terminationGracePeriodSecond", "hostnetwork"])
def test_a_mistyped_key_is_found_by_the_schemas(key: str) -> None:
    spoiled = copy.deepcopy(WORKERS)
    spoiled["spec"]["template"]["spec"][key] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match=key):
        kubernetes_validate.validate(spoiled, RELEASES[0], strict=True)


def test_the_kustomization_names_every_manifest_and_the_image() -> None:
    found = read("kustomization.yaml")
    assert sorted(found["resources"]) == sorted(MANIFESTS)
    (image,) = found["images"]
    assert {container(name)["image"] for name in PODS} == {f"{image['name']}:{image['newTag']}"}
    assert image["newTag"] == __version__


def test_nothing_names_a_namespace_and_no_secret_is_shipped() -> None:
    for document in (*MANIFESTS.values(), read("podmonitor.yaml")):
        assert "namespace" not in document["metadata"]
        assert document["kind"] != "Secret"
    assert not [k for k in BROKER if k.endswith(("PASSWORD", "TOKEN"))]


# ---- pods


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    pod, only = PODS[name]["spec"], container(name)
    user = int(FINAL.one("USER").value.split(":")[0])
    who = pod["securityContext"]
    assert (who["runAsNonRoot"], who["runAsUser"], who["seccompProfile"]) == (True, user, {"type": "RuntimeDefault"})
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", PODS)
def test_only_tmp_can_be_written_and_every_mount_has_its_volume(name: str) -> None:
    volumes = {v["name"]: v for v in PODS[name]["spec"]["volumes"]}
    found = {m["name"]: m for m in container(name)["volumeMounts"]}
    assert set(volumes) == set(found)
    assert [m["mountPath"] for m in found.values() if not m.get("readOnly")] == ["/tmp"]
    assert set(volumes["tmp"]["emptyDir"]) == {"medium", "sizeLimit"}
    assert volumes["pipeline"]["configMap"]["name"] == MANIFESTS["pipeline.yaml"]["metadata"]["name"]


@pytest.mark.parametrize("name", PODS)
def test_memory_is_bounded_and_reserved(name: str) -> None:
    resources = container(name)["resources"]
    assert resources["limits"]["memory"] == resources["requests"]["memory"]
    assert "cpu" in resources["requests"]


@pytest.mark.parametrize("name", PODS)
def test_the_product_understands_the_command(name: str) -> None:
    only = container(name)
    mounted = {m["name"]: m["mountPath"] for m in only["volumeMounts"]}
    assert "command" not in only  # the image's entrypoint
    named = f"{mounted['pipeline']}/{next(iter(MANIFESTS['pipeline.yaml']['data']))}"
    assert named in only["args"]
    assert understood(["iot/air_quality" if word == named else word for word in only["args"]])


def test_a_worker_is_a_static_member_by_the_name_of_its_pod() -> None:
    given = understood(["iot/air_quality" if w.endswith(".toml") else w for w in WORKER["args"]])
    assert given["static_id"] == "$(POD_NAME)"
    names = {e["name"]: e for e in WORKER["env"]}
    assert names["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert given["workers"] == "1"


def test_a_worker_fits_its_memory_limit() -> None:
    (memory,) = [parse_size(e["value"]) for e in WORKER["env"] if e["name"] == "LEPTON__MEMORY"]
    (tmp,) = [v["emptyDir"]["sizeLimit"] for v in PODS["workers.yaml"]["spec"]["volumes"] if v["name"] == "tmp"]
    assert memory + BASE + size(tmp) <= size(WORKER["resources"]["limits"]["memory"])


def size(quantity: str) -> int:
    """512Mi, 1Gi."""
    return parse_size(f"{quantity}B")


def test_a_worker_that_stops_is_given_the_time_that_it_takes_at_most() -> None:
    assert PODS["workers.yaml"]["spec"]["terminationGracePeriodSeconds"] > max(app.STOP_SECONDS, workers.STOP_SECONDS)


# ---- the broker


def test_the_product_understands_how_to_reach_the_broker(tmp_path: Path) -> None:
    files = {k: Path(v) for k, v in BROKER.items() if v.startswith("/")}
    assert {k.rpartition("__")[2] for k in files} == {"PASSWORD_FILE", "CAFILE"}
    here = {}
    for variable, path in files.items():
        here[variable] = str(tmp_path / path.name)
        (tmp_path / path.name).write_text("secret\n")
    connection = from_environment({**BROKER, **here})
    assert (connection.uses_tls, connection.uses_sasl, connection.password) == (True, True, "secret")
    timing_of(BROKER)


@pytest.mark.parametrize("name", PODS)
def test_credentials_are_files_of_the_secret_and_in_no_command_line(name: str) -> None:
    only = container(name)
    (mount,) = [m["mountPath"] for m in only["volumeMounts"] if m["name"] == "credentials"]
    assert all(str(Path(v).parent) == mount for v in BROKER.values() if v.startswith("/"))
    (secret,) = [v["secret"] for v in PODS[name]["spec"]["volumes"] if v["name"] == "credentials"]
    assert secret["defaultMode"] == 0o440
    assert only["envFrom"] == [{"configMapRef": {"name": MANIFESTS["broker.yaml"]["metadata"]["name"]}}]
    assert not [w for w in only["args"] if "password" in w or "user" in w]


def test_a_pod_that_is_replaced_may_take_longer_than_a_session_only_if_its_partitions_move() -> None:
    """A static member's partitions wait: for a new pod to start, and not much longer."""
    assert timing_of({}).session < float(BROKER[SESSION]) <= 60


def test_the_plan_is_the_shipped_one(tmp_path: Path) -> None:
    ((name, text),) = MANIFESTS["pipeline.yaml"]["data"].items()
    (tmp_path / name).write_text(text)
    assert plan_hash(find(str(tmp_path / name))) == plan_hash(find("iot/air_quality"))


# ---- probes, labels, network


def port() -> int:
    (only,) = WORKER["ports"]
    assert only["name"] == "metrics"
    return int(only["containerPort"])


def test_the_port_is_where_the_image_serves() -> None:
    env = {k: v for i in FINAL.all("ENV") for k, v in i.pairs().items()}
    address, _ = address_of(None, env)
    assert address == Address("0.0.0.0", port(), asked=True)
    assert MANIFESTS["service.yaml"]["spec"]["ports"][0]["port"] == port()


@pytest.mark.parametrize(("probe", "path"), [("startup", "/live"), ("liveness", "/live"), ("readiness", "/ready")])
def test_a_probe_asks_what_the_server_answers(probe: str, path: str) -> None:
    asked = WORKER[f"{probe}Probe"]
    assert asked["httpGet"] == {"path": path, "port": "metrics"}
    with MetricsServer(Address(port=0, asked=True), Tally(lambda: 0.0, range(1)), "x", "1") as server:
        assert server.answer(path)[0] != 404


def test_a_worker_has_time_to_start_and_a_stuck_one_is_restarted_within_a_minute() -> None:
    startup, live = WORKER["startupProbe"], WORKER["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60
    assert LIVE_S + live["periodSeconds"] * live["failureThreshold"] <= 60


def test_every_selector_finds_the_workers() -> None:
    labels = PODS["workers.yaml"]["metadata"]["labels"].items()
    spread = PODS["workers.yaml"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    selectors = [
        WORKERS["spec"]["selector"]["matchLabels"],
        MANIFESTS["service.yaml"]["spec"]["selector"],
        MANIFESTS["disruption.yaml"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["network.yaml"]["spec"]["podSelector"]["matchLabels"],
        read("podmonitor.yaml")["spec"]["selector"]["matchLabels"],
        spread,
    ]
    assert all(s and s.items() <= labels for s in selectors)
    assert WORKERS["spec"]["serviceName"] == MANIFESTS["service.yaml"]["metadata"]["name"]


def test_the_job_is_not_taken_for_a_worker() -> None:
    labels = PODS["topics.yaml"]["metadata"]["labels"]
    assert not WORKERS["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert MANIFESTS["network.yaml"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_network_policy_lets_metrics_in_and_the_broker_and_names_out() -> None:
    spec = MANIFESTS["network.yaml"]["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    assert [p["port"] for rule in spec["ingress"] for p in rule["ports"]] == [port()]
    assert all(rule["from"] for rule in spec["ingress"])
    out = {p["port"] for rule in spec["egress"] for p in rule["ports"]}
    assert out == {53, int(BROKER["KAFKA_BOOTSTRAP"].rpartition(":")[2])}


def test_the_alerts_find_the_job_under_the_name_that_the_monitor_gives_it() -> None:
    monitor = read("podmonitor.yaml")["spec"]
    labels = PODS["workers.yaml"]["metadata"]["labels"]
    assert f'job="{labels[monitor["jobLabel"]]}"' in (ROOT / "deploy/rules.yml").read_text()
    assert [e["port"] for e in monitor["podMetricsEndpoints"]] == ["metrics"]


def test_one_worker_at_a_time_is_taken_away() -> None:
    assert MANIFESTS["disruption.yaml"]["spec"]["maxUnavailable"] == 1
    assert WORKERS["spec"]["updateStrategy"] == {"type": "RollingUpdate"}
    assert WORKERS["spec"]["replicas"] >= 2
