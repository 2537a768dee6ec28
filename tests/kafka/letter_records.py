"""One dead letter as the record that a reader of its topic gets."""

from __future__ import annotations

from aiokafka.record._crecords import DefaultRecordBatch

from lepton_stream.chunk import Chunk, SourcePartition
from lepton_stream.formats.decoder import Reject
from lepton_stream.runtime.kafka.bulk import Packed
from lepton_stream.runtime.kafka.compress import Compression
from lepton_stream.runtime.kafka.letters import dead_letters
from lepton_stream.runtime.kafka.produce import Record


def dead_letter_record(topic: str, chunk: Chunk, reject: Reject, pipeline: str, version: int) -> Record:
    """Through the bytes of a batch, read by another client."""
    bulk = dead_letters(chunk, [reject], pipeline, version, 5)
    (record,) = DefaultRecordBatch(Packed(bulk, 1 << 24, Compression())._build())
    return Record(SourcePartition(topic, chunk.source.partition), record.value, record.key, record.headers)
