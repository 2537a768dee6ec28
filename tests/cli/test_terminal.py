"""What others chose cannot steer the terminal: letters, results, settings, names and error messages."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from lepton_stream.chunk import SourcePartition
from lepton_stream.cli.dlq import line_of, text_of
from lepton_stream.cli.doctor import lines_of
from lepton_stream.cli.main import outcome
from lepton_stream.cli.tail import table_of
from lepton_stream.cli.terminal import json_line
from lepton_stream.cli.topics import line_of as step_line
from lepton_stream.doctor.finding import Finding
from lepton_stream.formats.decoder import Reason
from lepton_stream.printable import printable
from lepton_stream.runtime.kafka.letters import Letter
from lepton_stream.topics.difference import Step

EVIL = "a\x1b[2J\x1b]0;owned\x07b\x9b31m\r\n\x00\x7f\u202egnp"
STEERING = [c for c in map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x202E]) if c != "\n"]


def steers(text: str) -> list[str]:
    """The characters in it that a terminal acts upon, line ends left out."""
    return [c for c in STEERING if c in text]


def letter() -> Letter:
    data = EVIL.encode()
    tp = SourcePartition(f"t{EVIL}", 0)
    return Letter(tp, 1, 2, next(iter(Reason)), EVIL, EVIL, 1, 1, data, data, ((EVIL, data),))


def test_a_dead_letter_for_people_is_shown_and_does_nothing() -> None:
    text = text_of(letter())
    assert steers(text) == []
    assert "\\x1b[2J" in text
    assert text.count("\n") == 5


def test_a_dead_letter_as_json_has_no_control_character_and_reads_back_the_same() -> None:
    line = line_of(letter())
    assert steers(line.replace("\u202e", "")) == []
    assert orjson.loads(line)["value"] == EVIL


def test_json_of_results_reads_the_same_with_controls_escaped() -> None:
    row = {EVIL: EVIL}
    assert orjson.loads(json_line(row)) == row
    assert steers(json_line(row).replace("\u202e", "")) == []


def test_results_on_a_screen_are_shown_and_do_nothing_in_cells_and_headings() -> None:
    out = io.StringIO()
    Console(file=out, width=400).print(table_of("t", [{EVIL: f"[red]{EVIL}", "window_end": 1}]))
    assert steers(out.getvalue()) == []
    assert "[red]a\\x1b[2J" in out.getvalue()


def test_settings_that_a_broker_tells_are_escaped() -> None:
    assert steers(printable(step_line(Step("set", "t", "cleanup.policy", EVIL, "delete")))) == []
    assert steers("\n".join(lines_of(Finding("warn", EVIL, EVIL, EVIL)))) == []


def test_an_error_message_with_a_hostile_name_is_one_plain_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(["check", "a\x1b[2J\x9bb.toml"]) == 2
    err = capsys.readouterr().err
    assert steers(err) == []
    assert "a\\x1b[2J\\x9bb.toml" in err
