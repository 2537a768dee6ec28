"""What `--metrics` may say."""

from __future__ import annotations

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.telemetry.address import DEFAULT_PORT, VARIABLE, Address, address_of


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("9100", Address("127.0.0.1", 9100, asked=True)),
        ("0", Address("127.0.0.1", 0, asked=True)),
        ("localhost:9100", Address("127.0.0.1", 9100, asked=True)),
        ("0.0.0.0:9100", Address("0.0.0.0", 9100, asked=True)),
        ("[::1]:9100", Address("::1", 9100, asked=True)),
        ("off", None),
        ("OFF", None),
    ],
)
def test_an_address_a_port_or_off(said: str, meant: Address | None) -> None:
    assert address_of(said, {}) == (meant, True)
    assert address_of(None, {VARIABLE: said}) == (meant, True)


def test_left_out_it_is_a_port_of_this_machine_only() -> None:
    assert address_of(None, {}) == (Address("127.0.0.1", DEFAULT_PORT), False)


def test_the_option_wins_over_the_environment() -> None:
    assert address_of("off", {VARIABLE: "9100"}) == (None, True)


@pytest.mark.parametrize("said", ["x", "65536", "-1", "1:2:3", "host.example:9100", ":9100", "9100/metrics", "٣"])
def test_anything_else_is_refused_with_what_was_wished_for(said: str) -> None:
    with pytest.raises(UsageError, match=r"--metrics is .* expects HOST:PORT with an IP address, PORT, or off"):
        address_of(said, {})
    with pytest.raises(UsageError, match=VARIABLE):
        address_of(None, {VARIABLE: said})
