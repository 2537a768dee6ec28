"""A `Connection` in the forms that aiokafka's clients and Faust ask for, and as errors that a person can act upon."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiokafka.errors
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import create_conn
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from yarl import URL

from lepton_stream.errors import BrokerError
from lepton_stream.runtime.kafka.connect import Connection, read_secret, ssl_context

__all__ = ["broker_error", "client_options", "diagnose", "faust_credentials", "faust_urls"]


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """Reads the token anew for each connection: whoever renews it writes the file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def token(self) -> str:
        """The token as text."""
        if self._connection.token is not None:
            return self._connection.token()
        return await asyncio.to_thread(read_secret, "token_file", self._connection.token_file)


def client_options(c: Connection) -> dict[str, Any]:
    """Keyword arguments for AIOKafkaClient, AIOKafkaProducer, AIOKafkaConsumer and AIOKafkaAdminClient."""
    options: dict[str, Any] = {"bootstrap_servers": c.servers, "security_protocol": c.security_protocol}
    if c.uses_tls:
        options["ssl_context"] = ssl_context(c)
    if c.uses_sasl:
        options["sasl_mechanism"] = c.sasl_mechanism
        if c.sasl_mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = TokenProvider(c)
        else:
            options["sasl_plain_username"], options["sasl_plain_password"] = c.username, c.password
    return options


def faust_credentials(c: Connection) -> Credentials | None:
    """What Faust's setting `broker_credentials` takes."""
    if not c.uses_sasl:
        return SSLCredentials(ssl_context(c)) if c.uses_tls else None
    if c.sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=TokenProvider(c), ssl_context=ssl_context(c))
    return SASLCredentials(
        username=c.username, password=c.password, ssl_context=ssl_context(c), mechanism=c.sasl_mechanism
    )


def faust_urls(c: Connection) -> list[URL]:
    """What Faust's setting `broker` takes."""
    return [URL(f"kafka://{server}") for server in c.servers]


def tls_cause(error: ssl.SSLError) -> tuple[str, str]:
    """The same for a failed handshake."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "it does not speak TLS on this port", "check the port and LEPTON__KAFKA__SECURITY_PROTOCOL"
    if "self-signed" in str(error) or "local issuer" in str(error):
        return "its certificate is signed by an unknown authority", "name its file with LEPTON__KAFKA__CAFILE"
    return f"its certificate was refused ({error.verify_message})", "renew it, or use the name it is made for"


def cause(error: BaseException | None) -> tuple[str, str]:
    """What went wrong and what to do about it, from the exception of a first connection."""
    match error:
        case ssl.SSLError():
            return tls_cause(error)
        case aiokafka.errors.SaslAuthenticationFailed() | aiokafka.errors.AuthenticationFailedError():
            return (
                "it refused the login",
                "check LEPTON__KAFKA__USERNAME and LEPTON__KAFKA__PASSWORD_FILE",
            )
        case aiokafka.errors.UnsupportedSaslMechanismError():
            return "it does not offer this SASL mechanism", "check LEPTON__KAFKA__SASL_MECHANISM"
        case ConnectionRefusedError():
            return "nothing listens there", "start the broker, or check its address (--broker, KAFKA_BOOTSTRAP)"
        case asyncio.TimeoutError() | TimeoutError() | aiokafka.errors.RequestTimedOutError():
            return "it does not answer in time", "check the address, the firewall and the security protocol"
        case OSError() if error.strerror or error.args:
            return str(error.strerror or error.args[-1]), "check its address (--broker, KAFKA_BOOTSTRAP)"
        case _:
            return "it closed the connection", "check the port and LEPTON__KAFKA__SECURITY_PROTOCOL"


def broker_error(c: Connection, error: BaseException | None) -> BrokerError:
    """The one message for a broker that cannot be used: address, cause, remedy; never a secret."""
    what, remedy = cause(error)
    return BrokerError(f"broker {c.bootstrap} ({c.security_protocol}): {what}; {remedy}")


async def diagnose(c: Connection, timeout: float) -> BrokerError:
    """Connect once more to each server to learn why it failed: aiokafka's clients only log the cause."""
    error: BaseException | None = None
    options = client_options(c)
    options.pop("bootstrap_servers")
    for server in c.servers:
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=int(timeout * 1000), **options
            )
            connection.close()
        except (TimeoutError, OSError, aiokafka.errors.KafkaError) as found:
            error = error or found
    return broker_error(c, error)
