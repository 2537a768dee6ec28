"""--workers: a number, or one for each core."""

from __future__ import annotations

import pytest

from lepton_stream.cli.worker_count import worker_count
from lepton_stream.errors import UsageError


@pytest.mark.parametrize(("cores", "wanted"), [(8.0, 8), (2.9, 2), (0.2, 1)])
def test_auto_is_one_for_each_whole_core_and_at_least_one(cores: float, wanted: int) -> None:
    assert worker_count("auto", cores, alone=False) == wanted
    assert worker_count("auto", cores, alone=True) == 1


@pytest.mark.parametrize("asked", ["0", "1001", "-1", "two", "", "1.5"])
def test_anything_else_is_told_with_what_is_expected(asked: str) -> None:
    with pytest.raises(UsageError, match="expects a number from 1 to 1000, or auto"):
        worker_count(asked, 4.0, alone=False)


def test_a_number_is_taken_as_it_is() -> None:
    assert worker_count("3", 1.0, alone=True) == 3
