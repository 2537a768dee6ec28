from __future__ import annotations

import io

from rich.console import Console

from lepton_stream.lepton.progress import Waiting


def shown(*, terminal: bool, seconds: float) -> str:
    out = io.StringIO()
    with Waiting(10, 100.0, Console(file=out, force_terminal=terminal, width=80)) as waiting:
        waiting.show(3, 100.0)
        waiting.show(4, 100.0 + seconds)
    return out.getvalue()


def test_a_bar_is_shown_on_a_terminal_to_those_who_wait() -> None:
    assert "4/10" in shown(terminal=True, seconds=2.1)


def test_short_waits_and_files_see_no_bar() -> None:
    assert shown(terminal=True, seconds=1.9) == ""
    assert shown(terminal=False, seconds=60) == ""
