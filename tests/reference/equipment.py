"""The machine's sensors by numpy: what manufacturing/equipment must give, from the sample's lines.

The sample is the whole excerpt of the published data, behind a header and a column with a name for the machine.
"""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "lepton_stream" / "data" / "manufacturing" / "equipment" / "machine-1.tsv.xz"
SHARED = Path(os.environ.get("LEPTON_SHARED", ROOT.parent / "shared")) / "data" / "manufacturing"
FULL = SHARED / "debs2012_small" / "DEBS2012-small.txt.gz"
SENSORS = ("mf01", "mf02", "mf03", "pc13", "pc14", "pc15")
POWER = SENSORS[:3]
Floats = NDArray[np.float64]


def samples() -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """(µs UTC of each sample, its sensors by name)."""
    header, *lines = lzma.decompress(SAMPLE.read_bytes()).decode().splitlines()
    table = np.array([line.split("\t") for line in lines])
    columns = dict(zip(header.split("\t"), table.T, strict=True))
    local = np.array([text.removesuffix("+00:00") for text in columns["ts"]], "datetime64[ns]")
    return local.astype(np.int64) // 1000, {name: columns[name].astype(np.float64) for name in SENSORS}


def windows(size_us: int) -> dict[int, dict[str, Floats]]:
    """The sensors of each window, by its start in µs."""
    time, sensors = samples()
    starts = time // size_us * size_us
    return {
        int(start): {name: values[starts == start] for name, values in sensors.items()} for start in np.unique(starts)
    }


def second(sensors: dict[str, Floats]) -> dict[str, float]:
    """The result of a window of one second."""
    found: dict[str, float] = {"n": len(sensors["mf01"])}
    for name in POWER:
        found[f"{name}_mean"] = float(np.mean(sensors[name]))
        found[f"{name}_range"] = float(np.ptp(sensors[name]))
    return found


def minute(sensors: dict[str, Floats]) -> dict[str, float]:
    """The result of a window of one minute."""
    found: dict[str, float] = {"n": len(sensors["mf01"])}
    covariance = np.cov(np.array([sensors[name] for name in POWER]), ddof=1)
    for i, name in enumerate(POWER):
        found[f"{name}_mean"] = float(np.mean(sensors[name]))
        found[f"{name}_std"] = float(np.std(sensors[name], ddof=1))
        found |= {f"{name}_{other}_cov": float(covariance[i, j]) for j, other in enumerate(POWER) if j > i}
    return found | {f"{name}_mean": float(np.mean(sensors[name])) for name in SENSORS[3:]}
