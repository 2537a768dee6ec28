import bz2
import fcntl
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.errors import UsageError
from lepton_stream.formats.files import FileSource
from lepton_stream.formats.lines import Block, LineCutter
from lepton_stream.pipeline.plan import FileForm

LINES = [f'{{"n": {i}, "text": "{"x" * (i % 50)}"}}'.encode() for i in range(5000)]
JSON = FileForm()
TEXT = b"\n".join(LINES) + b"\n"


def zipped(data: bytes, names: tuple[str, ...] = ("one.jsonl",)) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return out.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
    ".xz": lzma.compress,
    ".zip": zipped,
}


def opened(path: Path, form: FileForm = JSON, block: int = 1 << 16, limit: int = 1000) -> FileSource:
    return FileSource(path, SourcePartition("f", 3), form, run_start_us=77, max_record_bytes=limit, block_bytes=block)


def records(chunks: list[Chunk]) -> list[bytes | None]:
    return [value for chunk in chunks for value in chunk.values.to_list()]


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("named", [True, False])
def test_every_compression_round_trips_by_name_and_by_first_bytes(tmp_path: Path, kind: str, named: bool) -> None:
    path = tmp_path / f"in.jsonl{kind if named else ''}"
    path.write_bytes(PACK[kind](TEXT))
    with opened(path) as source:
        chunks = list(source)
        assert source.size == path.stat().st_size
        assert source.position >= source.size
    assert records(chunks) == LINES
    assert len(chunks) > 1
    assert [c.start for c in chunks[1:]] == [c.end for c in chunks[:-1]]
    assert [o for c in chunks for o in c.offsets.tolist()] == list(range(5000))
    assert {t for c in chunks for t in c.timestamp.tolist()} == {77}
    assert {c.source for c in chunks} == {SourcePartition("f", 3)}


@pytest.mark.parametrize("kind", [".gz", ".zst", ".xz"])
def test_streams_one_after_the_other_in_a_file_are_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"in{kind}"
    path.write_bytes(PACK[kind](b"a\nb") + PACK[kind](b"c\nd\n"))
    assert records(list(opened(path))) == [b"a", b"bc", b"d"]


@pytest.mark.parametrize("kind", [".gz", ".zst", ".xz", ".zip"])
def test_a_file_cut_off_anywhere_is_an_error_and_what_was_read_stays_valid(tmp_path: Path, kind: str) -> None:
    whole = PACK[kind](TEXT)
    for keep in (3, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f"cut{kind}"
        path.write_bytes(whole[:keep])
        got: list[Chunk] = []
        with pytest.raises(UsageError, match="damaged or cut off at about byte") as error:
            got.extend(opened(path))
        assert str(path) in str(error.value)
        read = records(got)
        assert read == LINES[: len(read)]


@pytest.mark.parametrize("kind", [".gz", ".zst", ".xz", ".zip"])
def test_a_file_that_is_not_what_its_name_says_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"plain{kind}"
    path.write_bytes(TEXT)
    with pytest.raises(UsageError, match="damaged or cut off"):
        list(opened(path))


def test_much_of_a_damaged_file_is_read_before_the_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    whole = gzip.compress(TEXT * 20, 1)
    path.write_bytes(whole[:-100])
    got: list[Chunk] = []
    with pytest.raises(UsageError, match=r"after \d+ whole records") as error:
        got.extend(opened(path))
    assert len(records(got)) > 50_000
    assert f"after {len(records(got))} whole records" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"a\n\n", [b"a", b""]),
        (b"a\r\nb\r\n", [b"a\r", b"b\r"]),
    ],
)
def test_lines_are_records(tmp_path: Path, text: bytes, expected: list[bytes]) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(text)
    assert records(list(opened(path))) == expected


def fed(cutter: LineCutter, piece: bytes) -> Block | None:
    buffer, first = cutter.room(len(piece))
    buffer[first : first + len(piece)] = np.frombuffer(piece, np.uint8)
    return cutter.cut(buffer, first + len(piece))


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"long" * 5]), max_size=30), st.integers(1, 12))
def test_pieces_do_not_show_in_the_lines(parts: list[bytes], size: int) -> None:
    text = b"".join(parts)
    cutter, keep = LineCutter(10), 10
    got: list[bytes | None] = []
    true: list[int] = []
    blocks = [fed(cutter, text[i : i + size]) for i in range(0, len(text), size)]
    for block in [*blocks, cutter.finish()]:
        if block is not None:
            lines = block.values.to_list()
            got += lines
            true += [block.long.get(i, len(line or b"")) for i, line in enumerate(lines)]
    expected = text.split(b"\n")[: -1 if text.endswith(b"\n") or not text else None]
    assert got == [line[:keep] for line in expected]
    assert true == [len(line) for line in expected]


def test_a_line_longer_than_allowed_is_cut_and_its_length_remembered(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"a\n" + b"x" * 1_000_000 + b"\nb\n" + b"y" * 1001 + b"\n" + b"z" * 1000)
    source = opened(path)
    assert records(list(source)) == [b"a", b"x" * 1001, b"b", b"y" * 1001, b"z" * 1000]
    assert source.long == {1: 1_000_000}


def test_the_header_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n1,2\n3,4")
    source = opened(path, FileForm(format="csv"))
    assert source.header == b"a,b\n"
    assert records(list(source)) == [b"1,2", b"3,4"]
    headless = opened(path, FileForm(format="csv", header=False, columns=("a", "b")))
    assert headless.header is None
    assert len(records(list(headless))) == 3


def test_standard_input_may_be_compressed_and_stays_open() -> None:
    for data in (TEXT, gzip.compress(TEXT), PACK[".zst"](TEXT)):
        stream = io.BytesIO(data)
        source = FileSource(
            "-", SourcePartition("-", 0), FileForm(), run_start_us=0, max_record_bytes=1000, stdin=stream
        )
        with source:
            assert records(list(source)) == LINES
        assert source.size is None
        assert not stream.closed


def test_unreadable_paths_are_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.jsonl: cannot be read: No such file or directory; check"):
        opened(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="is a directory; name the files in it"):
        opened(tmp_path)
    with pytest.raises(UsageError, match="no standard input"):
        opened(Path("-"))


def test_a_zip_with_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    path.write_bytes(zipped(b"a\n", ("a", "b")))
    with pytest.raises(UsageError, match="holds 2 files; expects exactly one"):
        opened(path)


def test_bytes_of_an_unknown_compression_are_lines_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "in.bz2"
    path.write_bytes(bz2.compress(b"x"))
    assert b"\n".join(r or b"" for r in records(list(opened(path)))) == bz2.compress(b"x")


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, RawIOBase]]:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
        yield reader, writer


def live(stdin: BinaryIO) -> FileSource:
    """Waits for the first bytes: they tell whether it is compressed."""
    return FileSource("-", SourcePartition("-", 0), JSON, run_start_us=0, max_record_bytes=1000, stdin=stdin)


def test_a_live_line_does_not_wait_for_the_next(pipe: tuple[BinaryIO, RawIOBase]) -> None:
    reader, writer = pipe
    writer.write(b"a\n")
    chunks = iter(live(reader))
    assert records([next(chunks)]) == [b"a"]
    writer.write(b"b\n")
    assert records([next(chunks)]) == [b"b"]
    writer.close()
    assert list(chunks) == []


def test_what_a_pipe_holds_at_once_is_one_chunk(pipe: tuple[BinaryIO, RawIOBase]) -> None:
    reader, writer = pipe
    writer.write(b"first\n")
    chunks = iter(live(reader))
    assert records([next(chunks)]) == [b"first"]
    held = fcntl.fcntl(writer.fileno(), fcntl.F_GETPIPE_SZ)
    assert held > 1 << 16
    lines = b"x" * 99 + b"\n"
    writer.write(lines * (held // 100))
    assert len(next(chunks)) == held // 100
