"""Every row of the matrix of bad input is proved by a test that exists, and the page shows the rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.bad_input import BAD_INPUT, bad_input_table
from tests.faults.page import write_page

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("proof", sorted({proof for one in BAD_INPUT for proof in one.proofs}))
def test_every_proof_is_a_test(proof: str) -> None:
    path, name = proof.split("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_both_pages_show_every_row(tmp_path: Path) -> None:
    write_page(tmp_path / "page.md", {})
    for page in (tmp_path / "page.md", ROOT / "docs/bad-input.md"):
        assert bad_input_table() in page.read_text(), f"put the table into {page}"
    assert all(one.proofs for one in BAD_INPUT)
