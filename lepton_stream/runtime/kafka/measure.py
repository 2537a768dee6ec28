"""What owners note of their work: once a chunk or a checkpoint, never once a record."""

from __future__ import annotations

from collections.abc import Sequence

from lepton_stream import clock
from lepton_stream.chunk import Chunk
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter
from lepton_stream.windows.results import Results

PREPARE, MERGE = "prepare", "merge"


class SourceMeasure:
    """Of the owner of a source partition. `newest_us`: the latest record timestamp among all that was prepared."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._began = clock.elapsed_s()
        self._restored = False
        self.newest_us: int | None = None

    def prepared(self, chunk: Chunk, began: float) -> None:
        """The chunk is done; it was taken up at `began`."""
        self._meter.observe(c.CHUNK_SECONDS, clock.elapsed_s() - began, PREPARE)
        self._meter.observe(c.CHUNK_RECORDS, len(chunk))
        self._meter.add(c.BYTES_READ, chunk.values.weight)
        if len(chunk):
            newest = int(chunk.timestamp.max())
            self.newest_us = newest if self.newest_us is None else max(newest, self.newest_us)

    def restored(self) -> bool:
        """The memory is complete; True when this is said for the first time."""
        if self._restored:
            return False
        self._restored = True
        self._meter.observe(c.RESTORE_SECONDS, clock.elapsed_s() - self._began, PREPARE)
        return True


class ShuffleMeasure:
    """Of the owner of a shuffle partition. `checkpoint_us`: when its last checkpoint was complete, since 1970."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._began = clock.elapsed_s()
        self.restored = False
        self.checkpoint_us: int | None = None

    def begun(self) -> None:
        """The state is restored."""
        self.restored = True
        self._meter.observe(c.RESTORE_SECONDS, clock.elapsed_s() - self._began, MERGE)

    def folded(self, began: float) -> None:
        """A chunk of frames is folded."""
        self._meter.observe(c.CHUNK_SECONDS, clock.elapsed_s() - began, MERGE)

    def completed(self, results: Sequence[Results], seconds: float, now_us: int) -> None:
        """A checkpoint is complete, its results are acknowledged. `now_us`: by the broker's clock."""
        self.checkpoint_us = now_us
        self._meter.observe(c.CHECKPOINT_SECONDS, seconds)
        for batch in results:
            if batch.final and len(batch):
                _ages(self._meter, batch, now_us)


def _ages(meter: Meter, batch: Results, now_us: int) -> None:
    for end_ms, count in batch.by_end():
        age = max(0.0, now_us / 1e6 - end_ms / 1e3)
        if age > c.REPLAYED_S:
            meter.add(c.REPLAYED, count, batch.window)
        else:
            meter.observe(c.EVENT_TO_RESULT, age, batch.window, times=count)
