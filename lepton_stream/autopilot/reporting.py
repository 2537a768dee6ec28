"""What workers and the leader of their group tell each other when partitions are placed: small, versioned, distrusted.

A report travels in a member's metadata, the leader's word in its assignment. Both are JSON with a version. Who reads
something else, be it of another program, of another version or damaged, gets None.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from lepton_stream.autopilot.placing import Report
from lepton_stream.chunk import SourcePartition

VERSION = 1
MOST_BYTES = 32_768
"""Of a report: the coordinator keeps those of a whole group in one record. Some 2,000 partitions."""
MOST_READ = 1 << 20
_NAME_LENGTH = 120
_MOST_CORES = 1e6
_MOST_INT = 1 << 31


@dataclass(frozen=True, slots=True)
class Word:
    """What the leader says to each member. `members`: how many there are.

    `asked`: nobody has come or gone, so that the group has placed partitions anew because somebody asked.
    """

    members: int
    asked: bool


class _StrangeError(ValueError):
    """Not what we write."""


def report_to_bytes(report: Report) -> bytes:
    """At most MOST_BYTES: of a report with too many partitions the last ones are left out, and count as free."""
    while len(data := _report(report)) > MOST_BYTES:
        kept = len(report.owned) // 2
        report = replace(report, name=report.name[:_NAME_LENGTH], owned=report.owned[:kept], loads=report.loads[:kept])
    return data


def _report(report: Report) -> bytes:
    topics: dict[str, tuple[list[int], list[float | None]]] = {}
    for tp, load in zip(report.owned, report.loads, strict=True):
        partitions, loads = topics.setdefault(tp.topic, ([], []))
        partitions.append(tp.partition)
        loads.append(_rounded(load))
    owned = [[topic, *both] for topic, both in topics.items()]
    told = {"v": VERSION, "n": report.name[:_NAME_LENGTH], "g": report.generation, "c": _rounded(report.capacity)}
    return json.dumps({**told, "o": owned}, separators=(",", ":")).encode("ascii")


def _rounded(cores: float | None) -> float | None:
    return None if cores is None or not math.isfinite(cores) else round(min(max(cores, 0.0), _MOST_CORES), 4)


def report_of(data: bytes | None) -> Report | None:
    """None for what is no report of this version."""
    try:
        told = _read(data)
        topics = [_topic(*_shaped(one, 3)) for one in _listed(told["o"])]
        pairs = [pair for topic in topics for pair in topic]
        owned, loads = tuple(tp for tp, _ in pairs), tuple(load for _, load in pairs)
        return Report(_text(told["n"])[:_NAME_LENGTH], _whole(told["g"], -1), owned, loads, _cores(told["c"]))
    except (ValueError, KeyError, RecursionError):
        return None


def _topic(topic: Any, partitions: Any, loads: Any) -> list[tuple[SourcePartition, float | None]]:
    pairs = zip(_listed(partitions), _listed(loads), strict=True)
    return [(SourcePartition(_text(topic), _whole(p, 0)), _cores(load)) for p, load in pairs]


def word_to_bytes(word: Word) -> bytes:
    """For the user data of every member's assignment."""
    return json.dumps({"v": VERSION, "m": word.members, "a": word.asked}, separators=(",", ":")).encode("ascii")


def word_of(data: bytes | None) -> Word | None:
    """None for what is no word of this version."""
    try:
        told = _read(data)
        return Word(_whole(told["m"], 0), told["a"] is True)
    except (ValueError, KeyError, RecursionError):
        return None


def _read(data: bytes | None) -> dict[str, Any]:
    if not data or len(data) > MOST_READ:
        raise _StrangeError
    told = json.loads(data.decode("ascii"), parse_constant=_refuse)
    if not isinstance(told, dict) or told.get("v") != VERSION:
        raise _StrangeError
    return told


def _refuse(_: str) -> float:
    raise _StrangeError


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _StrangeError
    return value


def _shaped(value: Any, length: int) -> list[Any]:
    if len(_listed(value)) != length:
        raise _StrangeError
    return _listed(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _StrangeError
    return value


def _whole(value: Any, least: int) -> int:
    if type(value) is not int or not least <= value < _MOST_INT:
        raise _StrangeError
    return value


def _cores(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= _MOST_CORES:
        raise _StrangeError
    return float(value)
