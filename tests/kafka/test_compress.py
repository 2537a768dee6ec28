"""Codecs of frames: every one that may be wished for compresses, and what is compressed comes back."""

from __future__ import annotations

from typing import get_args

import pytest

from lepton_stream.autopilot.setting import Codec
from lepton_stream.runtime.kafka.codecs import decompress
from lepton_stream.runtime.kafka.compress import BY_NAME


def test_every_codec_has_its_compression() -> None:
    assert set(BY_NAME) == set(get_args(Codec))


@pytest.mark.parametrize("codec", get_args(Codec))
@pytest.mark.parametrize("body", [b"", b"\xe7", b"frame " * 10_000], ids=["empty", "short", "long"])
def test_compressed_frames_come_back(codec: Codec, body: bytes) -> None:
    used, packed = BY_NAME[codec].compress(body)
    assert decompress(used, memoryview(packed), 1 << 20) == body
    assert (len(packed) < len(body)) == (codec != "none" and len(body) > 1)
