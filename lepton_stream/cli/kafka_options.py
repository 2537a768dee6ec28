"""The options of every command that talks to a broker, written once."""

from __future__ import annotations

import functools
import inspect
import logging
import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from lepton_stream.errors import UsageError
from lepton_stream.runtime.kafka.connect import Connection, from_environment, read_secret

P = ParamSpec("P")
T = TypeVar("T")

PANEL = "Broker"
EMBEDDED = "embedded"


def _option(name: str, text: str, metavar: str | None = None) -> Any:
    return Annotated[str | None, typer.Option(name, help=text, metavar=metavar, rich_help_panel=PANEL)]


OPTIONS: dict[str, Any] = {
    "broker": _option("--broker", "Where the cluster is; left out: $KAFKA_BOOTSTRAP.", "HOST:PORT[,..]"),
    "security_protocol": _option("--security-protocol", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.", "NAME"),
    "sasl_mechanism": _option("--sasl-mechanism", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.", "NAME"),
    "username": _option("--username", "Who to log in as.", "NAME"),
    "password_file": _option(
        "--password-file", "A file with the password (or $LEPTON__KAFKA__PASSWORD); never on the command line.", "FILE"
    ),
    "ca_file": _option("--ca-file", "Certificate of the authority that signs the broker's.", "FILE"),
    "cert_file": _option("--cert-file", "Our own certificate.", "FILE"),
    "key_file": _option("--key-file", "Our own certificate's key.", "FILE"),
}
FIELDS = {"broker": "bootstrap", "ca_file": "cafile", "cert_file": "certfile", "key_file": "keyfile"}


def connection_of(options: Mapping[str, str | None], environ: Mapping[str, str]) -> Connection:
    """The connection that the options (they win) and the environment name. Raises UsageError."""
    given = {FIELDS.get(name, name): value for name, value in options.items() if value is not None}
    if given.get("bootstrap") == EMBEDDED or (
        not given.get("bootstrap") and environ.get("KAFKA_BOOTSTRAP") == EMBEDDED
    ):
        raise UsageError(
            "--broker embedded: that broker starts with `run` and is gone with it, so nobody else can use it; "
            "name one that runs: --broker HOST:PORT"
        )
    file = given.pop("password_file", None)
    if file is not None:
        given["password"] = read_secret("--password-file", file)
    return from_environment(environ, **given)


def takes_connection(command: Callable[Concatenate[Connection, P], T]) -> Callable[..., T]:
    """A command whose first parameter is a connection, as one with the broker's options in its place."""
    return in_place_of_first(command, OPTIONS, lambda options: connection_of(options, os.environ))


def takes_options(command: Callable[Concatenate[Mapping[str, str | None], P], T]) -> Callable[..., T]:
    """The same for a command that does not always need a broker: its first parameter is the options as given."""
    return in_place_of_first(command, OPTIONS, lambda options: options)


def in_place_of_first(
    command: Callable[..., T], wanted: Mapping[str, Any], made: Callable[[dict[str, Any]], Any]
) -> Callable[..., T]:
    """The command with the wanted options, by name and hint, in place of its first parameter, which is made of them."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def with_options(*first: Any, **given: Any) -> T:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it tells of is everyday, or our own message
        options = {name: given.pop(name) for name in wanted}
        return command(made(options), *first, **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, kind, default=None, annotation=hint) for name, hint in wanted.items()]
    parameters = [*(p.replace(kind=kind) for p in own), *added]
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options
