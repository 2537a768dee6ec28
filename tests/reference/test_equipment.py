"""The reference agrees with the published figures of the excerpt, and the sample is all of it."""

from __future__ import annotations

import gzip
import lzma

import numpy as np
import pytest

from scripts.make_equipment_sample import sample
from tests.reference.equipment import FULL, SAMPLE, minute, samples, second, windows

MEANS = {"mf01": 13053.3816, "mf02": 14377.6619, "mf03": 8089.4021, "pc13": 70.1559, "pc14": 189.909, "pc15": 152.1018}
BOUNDS = {"mf01": (12466, 18224), "mf02": (13698, 20331), "mf03": (7275, 9388)}
MINUTES = {46: (3104, 13016.185245), 47: (5986, 13115.333946), 48: (5987, 13016.493736), 49: (1923, 13035.419137)}
ROWS, SECONDS = 17_000, 172


def test_reference_gives_the_published_figures() -> None:
    time, sensors = samples()
    assert len(time) == len(np.unique(time)) == ROWS
    assert (np.diff(time) > 0).all()
    assert {name: float(np.mean(values)) for name, values in sensors.items()} == pytest.approx(MEANS, abs=5e-5)
    assert {name: (sensors[name].min(), sensors[name].max()) for name in BOUNDS} == BOUNDS
    counts = [second(found)["n"] for found in windows(1_000_000).values()]
    assert (len(counts), min(counts), max(counts)) == (SECONDS, 4, 100)
    found = {start // 60_000_000 % 60: minute(sensors) for start, sensors in windows(60_000_000).items()}
    assert {at: (row["n"], round(row["mf01_mean"], 6)) for at, row in found.items()} == MINUTES


@pytest.mark.skipif(not FULL.is_file(), reason="the published excerpt is not here (set LEPTON_SHARED)")
def test_sample_is_made_of_the_published_excerpt() -> None:
    assert sample(gzip.decompress(FULL.read_bytes())) == lzma.decompress(SAMPLE.read_bytes())


def test_lines_of_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="56 columns"):
        sample(b"2012-02-22T16:46:28+00:00\t1\t2\n")
