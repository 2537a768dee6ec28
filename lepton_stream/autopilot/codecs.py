"""What a codec costs and saves: seconds a byte, fitted for the one in use; what a byte sent is worth."""

from __future__ import annotations

from dataclasses import dataclass

from lepton_stream.autopilot.priors import CODECS
from lepton_stream.autopilot.setting import Codec

SECONDS_AN_HOUR, GIGABYTE = 3600.0, 1e9
FORGET = 0.1
"""The share of what is known that one look replaces."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a byte weighs against a CPU second.

    `wire_s`: CPU seconds that sending and receiving it takes; `priced_s`: its price, for who pays for traffic.
    """

    wire_s: float = 3e-9
    priced_s: float = 0.0

    @property
    def byte_s(self) -> float:
        """CPU seconds a byte sent."""
        return self.wire_s + self.priced_s


CPU_ONLY = Worth()


def worth(cpu_hour: float | None, gigabyte: float | None) -> Worth:
    """By prices (`lepton_stream.telemetry.cost.Prices`): bytes weigh only where both are set and CPU time costs any."""
    if not cpu_hour or gigabyte is None:
        return CPU_ONLY
    return Worth(priced_s=(gigabyte / GIGABYTE) / (cpu_hour / SECONDS_AN_HOUR))


class Codecs:
    """Seconds and ratio of each codec; those that are not in use are as far off their priors as the one that was."""

    def __init__(self, weigh: Worth = CPU_ONLY) -> None:
        self.worth = weigh
        self._slower = dict.fromkeys(CODECS, 1.0)
        self._machine = 1.0
        self._left: dict[Codec, float | None] = dict.fromkeys(CODECS, None)
        self._last: Codec = "lz4"

    def add(self, codec: Codec, frame_bytes: float, sent_bytes: float, cpu_s: float) -> None:
        """What compressing with it took since the last look."""
        if frame_bytes <= 0.0 or sent_bytes <= 0.0 or codec == "none":
            return
        slower = min(max(cpu_s / (frame_bytes * CODECS[codec].compress_s), 0.1), 10.0)
        before = self._left[codec]
        known = FORGET if before is not None else 1.0
        self._slower[codec] += known * (slower - self._slower[codec])
        self._machine = self._slower[codec]
        ratio = min(sent_bytes / frame_bytes, 1.2)
        self._left[codec] = ratio if before is None else before + FORGET * (ratio - before)
        self._last = codec

    def ratio(self, codec: Codec) -> float:
        """What is left of a byte. Of one not in use: the prior, bent by how the last one differs from its own."""
        left, known = self._left[codec], self._left[self._last]
        if codec == "none" or (left is not None and codec == self._last):
            return 1.0 if left is None else left
        prior = CODECS[codec].ratio
        if known is None:
            return prior
        return min(prior * known / CODECS[self._last].ratio, 1.0)

    def byte_s(self, codec: Codec) -> float:
        """CPU seconds that a byte of frames takes: to compress, send, receive, decompress."""
        prior, slower = CODECS[codec], self._slower_by(codec)
        return prior.compress_s * slower + prior.decompress_s * slower + self.ratio(codec) * self.worth.byte_s

    def travel_s(self, codec: Codec, frame_bytes: float, sent_bytes: float) -> float:
        """CPU seconds of bytes on their way: to send, receive and decompress them."""
        return frame_bytes * CODECS[codec].decompress_s * self._slower_by(codec) + sent_bytes * self.worth.byte_s

    def _slower_by(self, codec: Codec) -> float:
        """How many times its prior it takes; one that was never in use, as many as the last that was."""
        return self._slower[codec] if self._left[codec] is not None else self._machine
