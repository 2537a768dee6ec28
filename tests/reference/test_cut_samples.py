"""The samples of retail and glucose are true cuts of their data sets."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scripts.cut_samples import DATA, GLUCOSE, RETAIL, make
from tests.reference.air_quality import FULL

SHARED = FULL.parents[1]
needs_full = pytest.mark.skipif(
    not (SHARED / "ecommerce").is_dir() or not (SHARED / "medical").is_dir(),
    reason="the full data sets are not here (set LEPTON_SHARED)",
)
LARGEST = 300_000


@needs_full
def test_samples_are_cut_from_the_full_data_byte_for_byte(tmp_path: Path) -> None:
    make(SHARED, tmp_path)
    for name in (RETAIL, GLUCOSE):
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress((DATA / name).read_bytes())


@pytest.mark.parametrize("name", [RETAIL, GLUCOSE])
def test_samples_are_small_and_carry_no_time_and_no_name(name: Path) -> None:
    packed = (DATA / name).read_bytes()
    assert len(packed) <= LARGEST
    assert packed[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    assert (DATA / name).with_name("ATTRIBUTION.md").is_file()


def test_the_samples_hold_the_trouble_that_their_data_sets_have() -> None:
    lines = gzip.decompress((DATA / RETAIL).read_bytes()).splitlines()
    assert len(lines) - len(set(lines)) == 207
    assert any(line.startswith(b"C") for line in lines)
    assert any(b",," in line for line in lines)
    assert any(line.startswith(b"p1,nil,") for line in gzip.decompress((DATA / GLUCOSE).read_bytes()).splitlines())
