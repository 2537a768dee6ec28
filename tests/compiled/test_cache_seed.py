"""A cache that comes with an image: read-only, compiled elsewhere, copied instead of compiled again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("numba")

from lepton_stream.compiled import cache, loader, warm


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a sealed seed with two files; our own cache is empty."""
    monkeypatch.setenv("LEPTON_STREAM_CACHE", str(tmp_path / "image"))
    made = cache.folder()
    (made / "part").mkdir(parents=True)
    (made / "part/f.nbi").write_bytes(b"index")
    (made / "part/f.1.nbc").write_bytes(b"code")
    cache.seal(made)
    monkeypatch.setenv("LEPTON_STREAM_CACHE_SEED", str(tmp_path / "image"))
    monkeypatch.setenv("LEPTON_STREAM_CACHE", str(tmp_path / "own"))
    return made


def warmed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said; nothing is really compiled."""
    said: list[str] = []
    monkeypatch.setattr(warm, "PARTS", ("json",))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    warm.warm(cache.folder(), said.append)
    return [line.split()[0] for line in said]


def test_what_was_sealed_elsewhere_is_copied_and_sealed_here(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert warmed(monkeypatch) == ["copying"]
    own = cache.folder()
    assert own != seeded
    assert cache.ready(own)
    assert (own / "part/f.1.nbc").read_bytes() == b"code"
    assert warmed(monkeypatch) == []


def test_a_seed_counts_as_compiled_for_those_who_ask_beforehand(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPTON_STREAM_COMPILED", raising=False)
    monkeypatch.setattr(loader, "_state", loader._NOT_STARTED)
    assert loader.outlook() == ("compiled", "loaded as a run begins")
    (seeded / "ready.json").unlink()
    assert loader.outlook() == ("compiling", "the next run compiles it")


def test_without_a_seed_it_compiles(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPTON_STREAM_CACHE_SEED")
    assert warmed(monkeypatch) == ["compiling"]


@pytest.mark.parametrize("damage", ["byte", "gone", "seal", "unsealed"])
def test_a_damaged_seed_is_not_copied(seeded: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    if damage == "byte":
        (seeded / "part/f.1.nbc").write_bytes(b"cOde")
    elif damage == "gone":
        (seeded / "part/f.1.nbc").unlink()
    elif damage == "seal":
        (seeded / "ready.json").write_text("{")
    else:
        (seeded / "ready.json").unlink()
    assert warmed(monkeypatch) == ["compiling"]


def test_a_seed_for_another_processor_is_not_copied(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert cache.folder().name != seeded.name
    assert warmed(monkeypatch) == ["compiling"]


def test_the_processor_that_numba_is_told_counts_and_not_the_one_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.delenv("NUMBA_CPU_FEATURES", raising=False)
    named = cache.folder().name
    monkeypatch.setattr(cache, "_CPU_LINES", ("bogomips",))  # as on another machine
    assert cache.folder().name == named
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+avx2")
    assert cache.folder().name != named
    monkeypatch.delenv("NUMBA_CPU_NAME")
    here = cache.folder().name
    monkeypatch.setattr(cache, "_CPU_LINES", ("model name", "flags"))
    assert cache.folder().name != here


def test_the_copy_is_sealed_with_digests_of_its_own(seeded: Path) -> None:
    own = cache.folder()
    cache.fill(own, seeded)
    assert json.loads((own / "ready.json").read_bytes()) == json.loads((seeded / "ready.json").read_bytes())
