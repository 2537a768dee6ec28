"""The documents point at things that exist, name no machine, and the generated ones are fresh."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lepton_stream import errors
from scripts.generate_docs import MEANING, PAGES, stale, write

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".venv", ".git", ".cache", "node_modules", "build", "dist"}
TOPS = ("agents/", "topics/", "grafana/", "lepton_stream/", "tests/", "docs/", "scripts/", "deploy/", ".ci/")

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MACHINE = re.compile(r"/(?:home|root|Users|work|tmp)/[\w.-]+|\b[A-Z]:\\\\?Users")
PLACEHOLDER = re.compile(r"[A-Z]{4,}|[*<>{}$]|\.\.\.")


def documents() -> list[Path]:
    found = [p for p in ROOT.rglob("*.md") if not SKIPPED & set(p.relative_to(ROOT).parts)]
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(ROOT).parts))


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative link targets that do not exist."""
    targets = [t for t in LINK.findall(text) if not re.match(r"[a-z]+:", t)]
    return [t for t in targets if not (folder / t).exists()]


def dead_paths(text: str) -> list[str]:
    """Paths in backticks that look like ours and do not exist; NAME and the like are placeholders."""
    words = [w for code in CODE.findall(FENCE.sub("", text)) for w in code.split()]
    paths = [w for w in words if w.startswith(TOPS) and not PLACEHOLDER.search(w)]
    return [p for p in paths if not (ROOT / p.split("::")[0]).exists()]


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_and_every_path_in_backticks_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert broken_links(text, path.parent) == []
    assert dead_paths(text) == []


def test_a_planted_broken_link_and_a_planted_dead_path_are_found() -> None:
    text = "[a](docs/none.md) [b](README.md) [c](https://example.org/x) `lepton_stream/none.py` `tests/docs`"
    assert broken_links(text, ROOT) == ["docs/none.md"]
    assert dead_paths(text) == ["lepton_stream/none.py"]
    assert dead_paths("`lepton_stream/kernels/NAME.py`\n```\n`tests/x`\n```\n") == []


def tracked_text() -> list[Path]:
    """Files that git knows or would take, as far as they are text."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git clone")
    names = [n for n in done.stdout.split("\0") if n and not n.endswith((".gz", ".png", ".zst", ".parquet", ".arrow"))]
    return [ROOT / n for n in names if (ROOT / n).is_file() and not (ROOT / n).is_symlink()]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked_text():
        if path != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in MACHINE.finditer(text)]
    assert found == []


def test_a_planted_machine_path_is_found() -> None:
    assert MACHINE.search("see /home/ann/project") is not None
    assert MACHINE.search("mounted at /etc/lepton, in topics/x, under /tmp") is None


def test_pinned_packages_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line)] == []


def test_generated_pages_are_fresh() -> None:
    assert stale() == [], "run: make docs"


def test_a_stale_page_is_found_and_mended(tmp_path: Path) -> None:
    assert stale(tmp_path) == list(PAGES)
    write(tmp_path)
    (tmp_path / "docs/exit-codes.md").write_text("old")
    assert stale(tmp_path) == ["docs/exit-codes.md"]
    assert write(tmp_path) == ["docs/exit-codes.md"]
    assert stale(tmp_path) == []


def test_every_error_with_an_exit_code_of_its_own_is_documented() -> None:
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.LeptonError)]
    assert {k.exit_code for k in kinds} == {k.exit_code for k in MEANING}
    assert len({k.exit_code for k in MEANING}) == len(MEANING)


def test_architecture_fits_two_pages() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 110
