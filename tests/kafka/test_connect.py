"""How a connection is described, what is refused, and that no secret shows."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from lepton_stream.errors import UsageError
from lepton_stream.runtime.kafka.connect import Connection, from_environment, ssl_context
from lepton_stream.runtime.kafka.credentials import broker_error, client_options, faust_credentials, faust_urls

SECRET = "planted-secret"


def test_the_environment_names_the_broker_and_options_win() -> None:
    environ = {"KAFKA_BOOTSTRAP": "a:1,b:2", "LEPTON__KAFKA__USERNAME": "alice", "LEPTON__KAFKA__PASSWORD": SECRET}
    c = from_environment(environ)
    assert (c.servers, c.username, c.password) == (["a:1", "b:2"], "alice", SECRET)
    assert (c.security_protocol, c.sasl_mechanism) == ("SASL_SSL", "SCRAM-SHA-512")
    assert from_environment(environ, bootstrap="c:3", cafile=None).servers == ["c:3"]
    assert [str(u) for u in faust_urls(c)] == ["kafka://a:1", "kafka://b:2"]


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    c = from_environment({"LEPTON__KAFKA__PASSWORD_FILE": str(file)}, bootstrap="a:1", username="alice")
    assert c.password == SECRET


def test_no_secret_shows_in_repr_str_or_errors(tmp_path: Path) -> None:
    c = Connection("a:1", username="alice", password=SECRET)
    said = [repr(c), str(c), f"{c}", str(broker_error(c, ConnectionRefusedError())), repr(faust_credentials(c))]
    for wrong in ({"bootstrap": "nowhere"}, {"sasl_mechanism": "MAGIC"}, {"security_protocol": "SASL_PLAINTEXT"}):
        with pytest.raises(UsageError) as caught:
            Connection(**{"bootstrap": "far:1", "username": "alice", "password": SECRET, **wrong})  # type: ignore[arg-type]
        said.append(str(caught.value))
    (tmp_path / "binary").write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(UsageError, match="binary, which cannot be read") as caught:
        from_environment({"LEPTON__KAFKA__PASSWORD_FILE": str(tmp_path / "binary")}, bootstrap="a:1")
    assert not any(SECRET in s for s in [*said, str(caught.value)])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bootstrap": ""}, "set KAFKA_BOOTSTRAP or give --broker"),
        ({"bootstrap": "host"}, "expects HOST:PORT"),
        ({"bootstrap": "host:x"}, "expects HOST:PORT"),
        ({"security_protocol": "TLS"}, "expects one of PLAINTEXT, SSL"),
        ({"username": "alice"}, "PASSWORD_FILE"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}, "TOKEN_FILE"),
        ({"username": "a", "password": "b", "security_protocol": "SASL_PLAINTEXT"}, "use SASL_SSL"),
    ],
)
def test_what_cannot_work_is_refused_with_its_remedy(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Connection(**{"bootstrap": "far.example:9092", **wrong})  # type: ignore[arg-type]


def test_an_unencrypted_password_is_allowed_on_this_machine_or_when_asked_for() -> None:
    login = {"username": "a", "password": "b", "security_protocol": "SASL_PLAINTEXT"}
    for address in ("localhost:1", "127.0.0.1:1", "[::1]:1"):
        assert client_options(Connection(address, **login))["security_protocol"] == "SASL_PLAINTEXT"  # type: ignore[arg-type]
    assert Connection("far:1", insecure=True, **login).insecure  # type: ignore[arg-type]


def test_a_misspelt_setting_is_told_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match=r"PASWORD is not a setting \(did you mean LEPTON__KAFKA__PASSWORD\?\)"):
        from_environment({"KAFKA_BOOTSTRAP": "a:1", "LEPTON__KAFKA__PASWORD": "x"})


def test_tls_checks_host_names_and_starts_at_1_2() -> None:
    context = ssl_context(Connection("a:1", security_protocol="SSL"))
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert ssl_context(Connection("a:1")) is None


def test_an_unusable_certificate_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "absent.pem"):
        with pytest.raises(UsageError, match=path.name):
            ssl_context(Connection("a:1", cafile=str(path)))


async def test_an_oauth_token_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    c = Connection("a:1", token_file=str(file))
    assert (c.security_protocol, c.sasl_mechanism) == ("SASL_SSL", "OAUTHBEARER")
    provider = client_options(c)["sasl_oauth_token_provider"]
    assert await provider.token() == "one"
    file.write_text("two\n")
    assert await provider.token() == "two"
    assert (
        await client_options(Connection("a:1", token=lambda: "three"))["sasl_oauth_token_provider"].token() == "three"
    )
