"""Cut the samples of retail and glucose out of the full data sets: `python -m scripts.cut_samples FOLDER`.

FOLDER holds `ecommerce/online_retail` and `medical/cgm_glucose`. As with `scripts/make_samples.py` a second run changes
nothing, and tests compare the data inside.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.make_samples import compress

DATA = Path(__file__).resolve().parents[1] / "lepton_stream" / "data"
RETAIL, GLUCOSE = Path("ecommerce/retail/lines.csv.gz"), Path("medical/glucose/p1.csv.gz")
PATIENT = b"p1"
_SHOP_DAYS = (b"2010-12-01", b"2010-12-05")
_MONITOR_DAYS = (b"2010-08-17", b"2010-08-30")


def retail(lines: Iterable[bytes]) -> bytes:
    """The header and the lines of the shop's first four days (it is closed on a Saturday), unchanged."""
    rows = iter(lines)
    return b"".join([next(rows), *_between(rows, _SHOP_DAYS, from_end=3)])


def glucose(lines: Iterable[bytes]) -> bytes:
    """The header and the lines of two weeks, with a column `patient` put before the others."""
    rows = with_patient(lines)
    return b"".join([next(rows), *_between(rows, _MONITOR_DAYS, from_end=1)])


def with_patient(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The file, whose one wearer has no name in it, with a column `patient` put before the others."""
    rows = iter(lines)
    yield b"patient," + next(rows)
    yield from (PATIENT + b"," + line for line in rows)


def _between(lines: Iterable[bytes], days: tuple[bytes, bytes], from_end: int) -> Iterator[bytes]:
    """Lines of these days; the time is the cell with so many cells behind it."""
    first, last = days
    for line in lines:
        if first <= line.rsplit(b",", from_end + 1)[1][:10] <= last:
            yield line


def make(folder: Path, out: Path = DATA) -> None:
    """Write both samples. Raises FileNotFoundError where a data set is missing."""
    with lzma.open(folder / "ecommerce/online_retail/online_retail_by_day.csv.xz") as lines:
        _write(out / RETAIL, retail(lines))
    with gzip.open(folder / "medical/cgm_glucose/CGM.csv.gz") as lines:
        _write(out / GLUCOSE, glucose(lines))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(data))


def main() -> None:
    """Read the command line and cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    make(parser.parse_args().folder)


if __name__ == "__main__":
    main()
