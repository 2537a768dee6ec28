"""Make the sample of manufacturing/equipment of the full file: `python -m scripts.make_equipment_sample FILE`.

FILE is the excerpt of 17,000 lines of 56 columns, tabs between them, packed by gzip. All lines are kept as they are,
but for their ends; a header and a first column with the machine's name are put in front.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "lepton_stream" / "data" / "manufacturing" / "equipment"
MACHINE = "machine-1"
COLUMNS = (
    "machine", "ts", "index", "mf01", "mf02", "mf03", "pc13", "pc14", "pc15", "pc25", "pc26", "pc27", "res",
    *(f"bm{i:02}" for i in range(5, 11)), *(f"pp{i:02}" for i in range(1, 22)), *(f"pp{i}" for i in range(31, 37)),
    *(f"pc{i:02}" for i in range(1, 7)), *(f"pc{i}" for i in range(19, 24)),
)  # fmt: skip


def sample(lines: bytes) -> bytes:
    """The sample's file. Raises ValueError where lines have other columns than are known."""
    rows = lines.decode("ascii").splitlines()
    if any(row.count("\t") != len(COLUMNS) - 2 for row in rows):
        raise ValueError(f"expects lines of {len(COLUMNS) - 1} columns with tabs between them")
    return "".join(f"{line}\n" for line in ["\t".join(COLUMNS), *(f"{MACHINE}\t{row}" for row in rows)]).encode()


def make(source: Path, out: Path) -> Path:
    """Write the sample. Raises FileNotFoundError."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "machine-1.tsv.xz"
    path.write_bytes(lzma.compress(sample(gzip.decompress(source.read_bytes())), preset=9 | lzma.PRESET_EXTREME))
    return path


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=SAMPLE)
    arguments = parser.parse_args()
    make(arguments.file, arguments.out)


if __name__ == "__main__":
    main()
