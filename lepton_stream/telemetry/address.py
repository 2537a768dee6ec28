"""Where metrics are served: what `--metrics` says."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from lepton_stream.errors import UsageError

VARIABLE = "LEPTON__METRICS"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 9577
OFF = "off"


@dataclass(frozen=True, slots=True)
class Address:
    """`asked`: somebody named the port, so no other will do."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    asked: bool = False

    def __str__(self) -> str:
        """As it is written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(option: str | None, environ: Mapping[str, str]) -> tuple[Address | None, bool]:
    """(where to serve, None for nowhere; whether anybody said anything). The option wins over the environment.

    Raises UsageError for what is no HOST:PORT, PORT or `off`. Port 0 takes a free one.
    """
    said = environ.get(VARIABLE) if option is None else option
    name = VARIABLE if option is None else "--metrics"
    if said is None or not said.strip():
        return Address(), False
    said = said.strip()
    if said.lower() == OFF:
        return None, True
    host, colon, port = said.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else DEFAULT_HOST
    host = DEFAULT_HOST if host == "localhost" else host
    if not _is_address(host) or not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(
            f"{name} is {said!r}: expects HOST:PORT with an IP address, PORT, or off "
            f"(left out: {DEFAULT_HOST}:{DEFAULT_PORT})"
        )
    return Address(host, int(port), asked=True), True


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
