"""Asks a service that runs for its probes, as whoever watches it would."""

from __future__ import annotations

import http.client
import ipaddress
import json
from typing import NamedTuple

from lepton_stream.telemetry.address import Address

MOST_BYTES = 1 << 20


class Answer(NamedTuple):
    """`reasons`: why not, for people; empty where all is well."""

    ok: bool
    reasons: tuple[str, ...]


def ask(address: Address, probe: str, seconds: float) -> Answer:
    """What `/live` or `/ready` says. An answer that does not come within the seconds, or is none, is a no."""
    where = reachable(address)
    connection = http.client.HTTPConnection(where.host, where.port, timeout=seconds)
    try:
        connection.request("GET", f"/{probe}")
        response = connection.getresponse()
        return answer_of(response.status, response.read(MOST_BYTES))
    except (OSError, http.client.HTTPException) as error:
        return Answer(False, (f"{where} does not answer: {getattr(error, 'strerror', None) or error or 'nothing'}",))
    finally:
        connection.close()


def answer_of(status: int, body: bytes) -> Answer:
    """The reasons stand in the body, as JSON."""
    if status == 200:
        return Answer(True, ())
    try:
        told = json.loads(body)["reasons"]
        reasons = tuple(str(reason) for reason in told)
    except (ValueError, KeyError, TypeError):
        reasons = ()
    return Answer(False, reasons or (f"the answer is HTTP {status}: is it the metrics port of `lepton-stream run`?",))


def reachable(address: Address) -> Address:
    """Where a server that listens on this address answers from the same machine: 0.0.0.0 is everywhere, so here too."""
    listens = ipaddress.ip_address(address.host)
    if not listens.is_unspecified:
        return address
    return Address("127.0.0.1" if listens.version == 4 else "::1", address.port, address.asked)
