"""Cut the sample of finance/fx_ticks out of the full data: `python -m scripts.make_fx_sample FOLDER`.

FOLDER holds `<venue>_<symbol>_<day>_quote.zip`, each with one file of lines `ms_since_midnight,bid,ask` by the venue's
clock. The cut is the twelve minutes around the press conference of the European Central Bank on 2014-05-08. Venue,
symbol and the day are put into the lines; bid and ask stay as they are, digit for digit.
"""

from __future__ import annotations

import argparse
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "lepton_stream" / "data" / "finance" / "fx_ticks"
HEADER = "venue,symbol,ts,bid,ask"
SYMBOLS = ("eurusd", "nzdusd")
HOURS = {"fxcm": -5, "oanda": 0}
"""How far a venue's clock is ahead of UTC."""
DAY = "20140508"
FIRST, END = 12 * 60 + 44, 12 * 60 + 56
"""Minutes of the day, UTC."""


def quotes(path: Path, venue: str, symbol: str, day: str) -> Iterator[tuple[int, str]]:
    """(milliseconds since midnight of the venue's clock, the line of the sample) of each quote in the file."""
    date, offset = f"{day[:4]}-{day[4:6]}-{day[6:]}", f"{HOURS[venue]:+03d}:00"
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode("ascii")
    for line in text.split():
        ms, prices = line.split(",", 1)
        seconds, rest = divmod(int(ms), 1000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
        yield int(ms), f"{venue},{symbol},{date}T{clock}{offset},{prices}"


def cut(folder: Path, venue: str) -> bytes:
    """The lines of one venue by time, those of one millisecond in the order of the symbols and of their files."""
    kept: list[tuple[int, str]] = []
    for symbol in SYMBOLS:
        for ms, line in quotes(folder / f"{venue}_{symbol}_{DAY}_quote.zip", venue, symbol, DAY):
            if FIRST <= ms // 60_000 - HOURS[venue] * 60 < END:
                kept.append((ms, line))
    kept.sort(key=lambda quote: quote[0])
    return "".join(f"{line}\n" for line in [HEADER, *(line for _, line in kept)]).encode()


def make(folder: Path, out: Path) -> list[Path]:
    """Write one file a venue. Raises FileNotFoundError where the full data is not there."""
    out.mkdir(parents=True, exist_ok=True)
    written = [out / f"{venue}.csv.xz" for venue in HOURS]
    for path, venue in zip(written, HOURS, strict=True):
        path.write_bytes(lzma.compress(cut(folder, venue), preset=9 | lzma.PRESET_EXTREME))
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
