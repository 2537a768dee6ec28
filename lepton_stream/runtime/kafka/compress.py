"""Batches for the broker, compressed by us: aiokafka knows one level a codec, and its LZ4 level is the slowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import cramjam
import zstandard
from aiokafka.producer.message_accumulator import BatchBuilder

from lepton_stream.autopilot.setting import Codec as CodecWished
from lepton_stream.runtime.kafka.batches import HEADER, sealed, with_body
from lepton_stream.runtime.kafka.codecs import Codec

CodecName: TypeAlias = Literal["none", "lz4", "zstd"]


@dataclass(frozen=True, slots=True)
class Compression:
    """A codec and its level; the level means nothing for `none`."""

    codec: CodecName = "lz4"
    level: int = 1

    def compress(self, body: bytes) -> tuple[Codec, bytes]:
        """The body as Kafka wants it; plain where compression does not shrink it."""
        if self.codec == "none":
            return Codec.NONE, body
        if self.codec == "lz4":
            # Independent blocks: the broker does not read linked ones (KIP-57).
            lz4 = cramjam.lz4.Compressor(level=self.level, content_checksum=False, block_linked=False)
            lz4.compress(body)
            codec, packed = Codec.LZ4, bytes(lz4.finish())
        else:
            codec, packed = Codec.ZSTD, zstandard.ZstdCompressor(level=self.level).compress(body)
        return (codec, packed) if len(packed) < len(body) else (Codec.NONE, body)


BY_NAME: dict[CodecWished, Compression] = {
    "none": Compression("none"),
    "lz4": Compression("lz4"),
    "zstd-1": Compression("zstd", 1),
    "zstd-3": Compression("zstd", 3),
}
"""What shuffle frames may be compressed with; all of it comes with our own packages, on every machine."""


class Compressing(Protocol):
    """A `Compression`, or what stands before one."""

    def compress(self, body: bytes) -> tuple[Codec, bytes]:
        """As `Compression.compress`."""
        ...


class Builder(BatchBuilder):  # type: ignore[misc]
    """aiokafka's batch builder that compresses with the codec and level it is given."""

    def __init__(self, size: int, compression: Compressing) -> None:
        """`size`: bytes of records before compression; one record may be longer."""
        super().__init__(size, Codec.NONE, is_transactional=False, key_serializer=None, value_serializer=None)
        self._compression = compression
        self._packed: bytes | None = None

    @property
    def sent_bytes(self) -> int:
        """Of the finished batch, compressed; only once it was sent, as nobody may sign it any more."""
        return len(self._build())

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        super()._set_producer_state(producer_id, producer_epoch, base_sequence)
        self.close()  # it is signed for as many records as it has now

    def _build(self) -> bytes:
        if self._packed is None:
            plain = bytes(super()._build())
            codec, body = self._compression.compress(plain[HEADER.size :])
            self._packed = sealed(with_body(plain[: HEADER.size], body, codec))
        return self._packed
