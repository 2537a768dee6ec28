"""Parquet and Arrow files for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def write(path: Path, table: Any, rows_a_group: int = 1000) -> Path:
    """In the format of the name: `.parquet`, `.arrow` (a file) or `.arrows` (a stream)."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows_a_group)
        return path
    make = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as sink, make(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_group)
    return path
