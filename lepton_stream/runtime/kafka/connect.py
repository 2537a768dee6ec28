"""How to reach the broker: one frozen `Connection`, from options and environment, for every client we start."""

from __future__ import annotations

import difflib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lepton_stream.errors import UsageError

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
PREFIX = "LEPTON__KAFKA__"
SECRETS = ("password",)
SESSION = f"{PREFIX}SESSION_SECONDS"
"""Not about how to connect: `timing.py` reads it."""
LOOPBACK = ("localhost", "127.", "[::1]")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the broker is and how we prove who we are. Its repr and str never hold a secret.

    `bootstrap`: "host:port" or several, joined by commas. `security_protocol` and `sasl_mechanism`: Kafka's names; left
    out, they follow from what is given: a user name or token means SASL_SSL with SCRAM-SHA-512 or OAUTHBEARER, a
    certificate file means SSL. `token`: a callable that gives an OAuth token; `token_file`: a file read at each use.
    `insecure` allows passwords over an unencrypted connection to another machine.
    """

    bootstrap: str
    security_protocol: str = ""
    sasl_mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""
    token_file: str = ""
    token: Callable[[], str] | None = field(default=None, repr=False)
    insecure: bool = False

    def __post_init__(self) -> None:
        """Fill in what follows from the rest, and refuse what cannot work. Raises UsageError."""
        protocol = self.security_protocol or implied_protocol(self)
        mechanism = self.sasl_mechanism or ("OAUTHBEARER" if self.token_file or self.token else "SCRAM-SHA-512")
        object.__setattr__(self, "security_protocol", one_of("security_protocol", protocol.upper(), PROTOCOLS))
        object.__setattr__(self, "sasl_mechanism", one_of("sasl_mechanism", mechanism.upper(), MECHANISMS))
        check(self)

    @property
    def uses_sasl(self) -> bool:
        """Whether we log in with a password or token."""
        return self.security_protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")

    @property
    def servers(self) -> list[str]:
        """Each "host:port"."""
        return [s.strip() for s in self.bootstrap.split(",") if s.strip()]


def implied_protocol(c: Connection) -> str:
    """The protocol that the given credentials ask for; never an unencrypted one for a password."""
    if c.username or c.token_file or c.token:
        return "SASL_SSL"
    return "SSL" if c.cafile or c.certfile else "PLAINTEXT"


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """The value. Raises UsageError for one that is not allowed."""
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}: expects one of {', '.join(allowed)}")
    return value


def check(c: Connection) -> None:
    """Raise UsageError for what cannot work or would show a password to the network."""
    if not c.servers:
        raise UsageError("no broker named: set KAFKA_BOOTSTRAP or give --broker HOST:PORT")
    for server in c.servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit():
            raise UsageError(f"broker {server!r}: expects HOST:PORT, such as localhost:9092")
    if not c.uses_sasl:
        return
    if c.sasl_mechanism == "OAUTHBEARER":
        if not (c.token or c.token_file):
            raise UsageError(f"OAUTHBEARER needs a token: set {PREFIX}TOKEN_FILE")
    elif not (c.username and c.password):
        raise UsageError(f"{c.sasl_mechanism} needs {PREFIX}USERNAME and {PREFIX}PASSWORD_FILE (or {PREFIX}PASSWORD)")
    if not (c.uses_tls or c.insecure or all(s.startswith(LOOPBACK) for s in c.servers)):
        raise UsageError("SASL_PLAINTEXT would send the password unencrypted to another machine: use SASL_SSL")


def from_environment(environ: Mapping[str, str], **options: str | bool | None) -> Connection:
    """A connection from options (they win) and the environment.

    Reads `KAFKA_BOOTSTRAP`, and `LEPTON__KAFKA__` with the upper-case name of any field; a secret may be named by a
    file: `LEPTON__KAFKA__PASSWORD_FILE`. Raises UsageError for an unknown name (with what was perhaps meant), an
    unreadable file, or a connection that cannot work.
    """
    known = [f.name for f in fields(Connection) if f.name != "token"]
    found: dict[str, Any] = {"bootstrap": environ.get("KAFKA_BOOTSTRAP", "")}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and variable != SESSION:
            name = variable.removeprefix(PREFIX).lower()
            if name.removesuffix("_file") in SECRETS and name.endswith("_file"):
                name, value = name.removesuffix("_file"), read_secret(variable, value)
            if name not in known:
                near = difflib.get_close_matches(name, [*known, *(f"{s}_file" for s in SECRETS), "session_seconds"], 1)
                hint = f" (did you mean {PREFIX}{near[0].upper()}?)" if near else ""
                wish = f"expects {PREFIX} and one of {', '.join(name.upper() for name in known)}"
                raise UsageError(f"{variable} is not a setting{hint}: {wish}")
            found[name] = value.lower() in ("1", "true", "yes") if name == "insecure" else value
    return Connection(**{**found, **{k: v for k, v in options.items() if v is not None}})


def read_secret(name: str, path: str) -> str:
    """The file's text without the final line end. Raises UsageError that names the file, never its text."""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name} names {path}, which cannot be read: {type(error).__name__}; check the path and its permissions"
        ) from None


def ssl_context(c: Connection) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the host name checked; None without TLS. Raises UsageError for an unusable file."""
    if not c.uses_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=c.cafile or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if c.certfile:
            context.load_cert_chain(c.certfile, c.keyfile or None)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(p for p in (c.cafile, c.certfile, c.keyfile) if p)
        why = error.strerror or type(error).__name__
        raise UsageError(f"cannot use the TLS files {named}: {why}; check them and their permissions") from None
    return context


def at(c: Connection, bootstrap: str) -> Connection:
    """The same credentials at another address."""
    return replace(c, bootstrap=bootstrap)
