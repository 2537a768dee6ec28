"""A peer that cannot be had is skipped with the reason, and the others go on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.bench.peers import installing
from tests.bench.peers.installing import NotHereError, install, installed, telling_line, versions
from tests.bench.peers.peer_list import ALL, LEPTON, OTHERS, PROGRAMS, chosen, sizes_for

BY_NAME = {peer.name: peer for peer in ALL}


def test_a_peer_that_cannot_be_installed_is_skipped_with_the_reason_and_the_others_go_on() -> None:
    def refuse(peer: object) -> None:
        if peer is BY_NAME["quix"]:
            raise NotHereError("pip: no wheel for this machine")

    said: list[str] = []
    ready, skipped = installed(ALL, refuse, said.append)
    assert skipped == {"quix": "pip: no wheel for this machine"}
    assert [peer.name for peer in ready] == [peer.name for peer in ALL if peer.name != "quix"]
    assert said == ["quix is skipped: pip: no wheel for this machine"]


def test_without_maven_the_jvm_programs_are_skipped_and_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "HOMES", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mvn" else f"/bin/{name}")
    with pytest.raises(NotHereError, match=r"mvn is not installed \(Debian: apt install maven\)"):
        install(BY_NAME["flink"])
    assert not (tmp_path / "flink/complete").exists()


def test_an_installation_that_failed_is_not_taken_for_complete_and_one_that_is_complete_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(installing, "HOMES", tmp_path)
    monkeypatch.setattr(installing, "_run", lambda _, *command: ran.append(command))
    install(BY_NAME["polars"])
    install(BY_NAME["polars-big-fetch"])  # shares it
    assert [command[1:3] for command in ran] == [("-m", "venv"), ("-m", "pip")]

    def fail(what: str, *command: str) -> None:
        raise NotHereError(what)

    monkeypatch.setattr(installing, "_run", fail)
    with pytest.raises(NotHereError):
        install(BY_NAME["quix"])
    assert not (tmp_path / "quix/complete").exists()


def test_ours_needs_no_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "HOMES", tmp_path)
    install(LEPTON)
    assert list(tmp_path.iterdir()) == []


def test_what_a_failed_command_said_is_the_reason() -> None:
    with pytest.raises(NotHereError, match=r"^pip: ValueError: no such thing$"):
        installing._run("pip", sys.executable, "-c", "raise ValueError('no such thing')")
    with pytest.raises(NotHereError, match="No such file"):
        installing._run("Maven", "/nowhere/mvn")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: No matching distribution\nnotice", "ERROR: No matching distribution"),
        ("[ERROR] first\n[ERROR] second\n", "[ERROR] first"),
        ("Traceback\nKeyError: 1\nThe next:\nkafka.errors.Codec.MissingError: no lz4\nbye", None),
        ("one\ntwo\n\n", "two"),
        ("", "it ended without a word"),
    ],
)
def test_the_most_telling_line_is_the_last_exception_else_the_first_error_else_the_last_line(
    said: str, told: str | None
) -> None:
    assert telling_line(said) == (told or "kafka.errors.Codec.MissingError: no lz4")


def test_every_peer_has_pinned_versions_of_all_that_it_installs() -> None:
    for peer in OTHERS:
        assert all(name_and_version.split(" ")[1][0].isdigit() for name_and_version in versions(peer)), peer.name
    for path in (PROGRAMS / "requirements").iterdir():
        assert all("==" in line for line in path.read_text().splitlines()), path


def test_names_are_chosen_in_our_order_and_unknown_ones_refused() -> None:
    assert [peer.name for peer in chosen("flink, lepton")] == ["lepton", "flink"]
    assert chosen(None) == ALL
    with pytest.raises(ValueError, match="unknown: storm; there are lepton, faust"):
        chosen("storm,flink")


def test_slow_peers_get_no_more_than_their_share_and_each_size_once() -> None:
    assert sizes_for(BY_NAME["faust"], [1_000_000, 3_000_000, 500], 50_000) == [500, 50_000]
    assert sizes_for(BY_NAME["flink"], [3_000_000, 1_000_000], 50_000) == [1_000_000, 3_000_000]
