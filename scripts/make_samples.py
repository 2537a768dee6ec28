"""Cut the shipped samples out of the full data sets, byte for byte: `python -m scripts.make_samples FOLDER`.

FOLDER holds the upstream `PRSA_Data_*.csv.gz`. The gzip members carry no name and time 0: a second run changes nothing.
Tests compare the data inside, not the compressed bytes, since zlibs differ.
"""

from __future__ import annotations

import argparse
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "lepton_stream" / "data" / "iot" / "air_quality"
FIRST, LAST = (2013, 3, 1), (2013, 3, 28)


def cut(lines: Iterator[bytes]) -> bytes:
    """The header and the rows of the days FIRST to LAST, unchanged. Columns 1 to 3 are year, month and day."""
    kept = [next(lines)]
    for line in lines:
        year, month, day = (int(word) for word in line.split(b",", 4)[1:4])
        if FIRST <= (year, month, day) <= LAST:
            kept.append(line)
    return b"".join(kept)


def compress(data: bytes) -> bytes:
    """Gzip without a file name or time: equal data gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def sample_name(upstream: str) -> str:
    """`PRSA_Data_Dingling_20130301-20170228.csv.gz` becomes `dingling.csv.gz`."""
    return upstream.split("_")[2].lower() + ".csv.gz"


def make(folder: Path, out: Path) -> list[Path]:
    """Write one sample for each upstream file. Raises FileNotFoundError when there is none."""
    sources = sorted(folder.glob("PRSA_Data_*.csv.gz"))
    if not sources:
        raise FileNotFoundError(f"{folder}: no PRSA_Data_*.csv.gz here")
    written = []
    for source in sources:
        with gzip.open(source) as lines:
            data = cut(iter(lines))
        path = out / sample_name(source.name)
        path.write_bytes(compress(data))
        written.append(path)
    return written


def main() -> None:
    """Read the command line and cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=SAMPLE)
    arguments = parser.parse_args()
    make(arguments.folder, arguments.out)


if __name__ == "__main__":
    main()
