"""A server key with a self-signed certificate, for the listener with TLS and SCRAM."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.jars import tool

STORE_PASSWORD = "only-for-tests"  # noqa: S105  (it guards a key that is made anew for each broker)
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class Secure:
    """A second listener, SASL_SSL, on `port` with one user known by both SCRAM mechanisms."""

    port: int
    username: str
    password: str


def make_certificate(directory: Path) -> Path:
    """Write `server.p12` and `ca.pem` for localhost and 127.0.0.1; the path of the latter."""
    keytool = tool("keytool", "openjdk-17-jre-headless")
    store, ca = directory / "server.p12", directory / "ca.pem"
    common = ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-alias", "server"]
    names = ["-dname", "CN=localhost", "-ext", "SAN=dns:localhost,ip:127.0.0.1", "-ext", "bc:c=ca:true"]
    run = [keytool, "-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "30", *names, *common]
    subprocess.run(run, check=True, capture_output=True)  # noqa: S603
    subprocess.run([keytool, "-exportcert", "-rfc", "-file", str(ca), *common], check=True, capture_output=True)  # noqa: S603
    return ca


def properties(directory: Path) -> str:
    """Lines of server.properties for the SASL_SSL listener."""
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    logins = [f"listener.name.sasl_ssl.{m.lower()}.sasl.jaas.config={scram}" for m in MECHANISMS]
    lines = [
        f"sasl.enabled.mechanisms={','.join(MECHANISMS)}",
        f"ssl.keystore.location={directory / 'server.p12'}",
        "ssl.keystore.type=PKCS12",
        f"ssl.keystore.password={STORE_PASSWORD}",
        f"ssl.key.password={STORE_PASSWORD}",
        "ssl.client.auth=none",
        *logins,
    ]
    return "\n".join(lines) + "\n"


def user_arguments(secure: Secure) -> list[str]:
    """Arguments of the storage tool that make the user known before the first start."""
    return [a for m in MECHANISMS for a in ("--add-scram", f"{m}=[name={secure.username},password={secure.password}]")]
