"""Judges a broker: what it can do, how it is set, what time it thinks it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lepton_stream.doctor.finding import Finding, fail, ok, unknown, warn
from lepton_stream.topics.contract import FRAME_BYTES

MOST_SKEW_S = 5.0
DAY_MIN = 24 * 60
LEAST_OFFSETS_RETENTION_MIN = 7 * DAY_MIN
REQUEST_ROOM = 64 << 10
ASK_FOR_SETTINGS = "allow DescribeConfigs on the cluster, or ask its operators"

NEEDED: dict[int, tuple[str, int, str]] = {
    0: ("Produce", 3, "records with headers"),
    1: ("Fetch", 4, "reading what is committed only"),
    2: ("ListOffsets", 1, "where logs begin and end"),
    3: ("Metadata", 4, "asking for topics without creating them"),
    8: ("OffsetCommit", 2, "claims and pointers"),
    9: ("OffsetFetch", 1, "claims and pointers"),
    11: ("JoinGroup", 2, "workers that share the work"),
}
"""API key to name, lowest version and purpose (https://kafka.apache.org/protocol.html): nothing runs without."""
WANTED: dict[int, tuple[str, int, str]] = {
    8: ("OffsetCommit", 7, "static member ids"),
    19: ("CreateTopics", 1, "topics apply"),
    21: ("DeleteRecords", 0, "trimming shuffle and state, which grow for ever without"),
    22: ("InitProducerId", 0, "results that a stale owner cannot write"),
    32: ("DescribeConfigs", 0, "topics check"),
    37: ("CreatePartitions", 0, "topics apply"),
    44: ("IncrementalAlterConfigs", 0, "topics apply"),
}
"""The same for what is done without where it is missing."""


@dataclass(frozen=True, slots=True)
class Probes:
    """What was tried with a throw-away topic and group. None: not tried, `why` tells the reason.

    `keeps_metadata`: commits give back what they carried. `refuses_strangers`: a commit under a generation that the
    group does not have is refused. `fences`: a producer's epoch rises, so that older ones are shut out. `skew_s`: how
    far the broker's clock is ahead of ours, `within_s`: give or take.
    """

    keeps_metadata: bool | None = None
    refuses_strangers: bool | None = None
    fences: bool | None = None
    skew_s: float | None = None
    within_s: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Broker:
    """`apis`: versions by key. `settings`: of one broker, None where it does not tell them. `session_s`: ours.

    `offsets_copies`: replicas of the topic with the groups' commits, None where it is not told.
    """

    address: str
    brokers: int
    apis: Mapping[int, tuple[int, int]]
    settings: Mapping[str, str] | None
    offsets_copies: int | None
    probes: Probes
    session_s: float


def judge_broker(b: Broker) -> list[Finding]:
    """All findings about the broker."""
    return [
        ok("broker", f"{b.address} answers, {b.brokers} in the cluster, {release(b.apis)}"),
        *_apis(b),
        *judge_probes(b.probes),
        *judge_settings(b),
        *_copies(b),
    ]


def release(apis: Mapping[int, tuple[int, int]]) -> str:
    """Which release of Apache Kafka speaks so; brokers do not tell it."""
    if apis.get(1, (0, 0))[0] >= 4 and 68 in apis:  # 4.0 gave up the old formats (KIP-896)
        return "speaks as Apache Kafka 4.0 or newer"
    if 68 in apis:
        return "speaks as Apache Kafka 3.5 or newer"
    return "speaks as Apache Kafka 2.4 or newer" if 44 in apis and 47 in apis else "speaks a part of Kafka's protocol"


def _apis(b: Broker) -> Iterator[Finding]:
    lacking = [_lacking(*wish) for key, wish in NEEDED.items() if b.apis.get(key, (0, -1))[1] < wish[1]]
    if lacking:
        yield fail("capabilities", f"it lacks {'; '.join(lacking)}", "use Apache Kafka 2.3 or newer")
    missing = [_lacking(*wish) for key, wish in WANTED.items() if b.apis.get(key, (0, -1))[1] < wish[1]]
    if missing:
        yield warn("capabilities", f"it lacks {'; '.join(missing)}", "use Apache Kafka 2.3 or newer in production")
    if not lacking and not missing:
        yield ok("capabilities", "it has every request that we send")


def _lacking(name: str, version: int, purpose: str) -> str:
    return f"{name} version {version} ({purpose})"


def judge_probes(p: Probes) -> list[Finding]:
    """What the throw-away topic and group have shown."""
    findings = [_tried(p.why, *row) for row in (
        (p.keeps_metadata, "commit metadata", "kept: each record counts once, after a crash too",
         "not kept: after a crash records may be counted twice"),
        (p.refuses_strangers, "stale commits", "a commit of a generation that the group does not have is refused",
         "any commit is taken: an owner that was replaced can overwrite its successor's"),
        (p.fences, "stale producers", "a newer producer's epoch shuts older ones out",
         "epochs do not rise: after a takeover an older result may stand last for a while"),
    )]  # fmt: skip
    return [*findings, _clock(p)]


def _tried(why: str, seen: bool | None, about: str, good: str, bad: str) -> Finding:
    if seen is None:
        return unknown(about, why, "allow a throw-away topic lepton.doctor.* and group, or run it as who may")
    return ok(about, good) if seen else warn(about, bad, "fit for development only: use Apache Kafka in production")


def _clock(p: Probes) -> Finding:
    if p.skew_s is None:
        return unknown("clock", p.why or "the broker gives no append times", "compare both machines' clocks")
    what = f"the broker's is {abs(p.skew_s):.3f} s {'ahead of' if p.skew_s >= 0 else 'behind'} ours"
    if abs(p.skew_s) > MOST_SKEW_S + p.within_s:
        return warn("clock", what, "set both by NTP: what is too far in the future is judged by record timestamps")
    return ok("clock", f"{what}, give or take {p.within_s:.3f} s")


def judge_settings(b: Broker) -> Iterator[Finding]:
    """The broker's own settings; none of them can be judged where it does not tell them."""
    s = b.settings
    if s is None:
        yield unknown("broker settings", "this broker does not tell them to us", ASK_FOR_SETTINGS)
        return
    yield _session(s, b.session_s)
    yield _requests(s)
    if s.get("auto.create.topics.enable") == "true":
        remedy = "set auto.create.topics.enable=false, and create topics with: lepton-stream topics apply PIPELINE"
        yield warn("auto-create", "on: a mistyped topic comes into being with the wrong partitions", remedy)
    else:
        yield ok("auto-create", "off")
    yield from _offsets_retention(s)
    if s.get("unclean.leader.election.enable") == "true":
        what = "on: a replica that lags may lead, and acknowledged records are lost"
        yield warn("unclean election", what, "set unclean.leader.election.enable=false")


def _session(s: Mapping[str, str], ours: float) -> Finding:
    least, most = (_number(s, f"group.{kind}.session.timeout.ms") for kind in ("min", "max"))
    if least is None or most is None:
        return unknown("session", "the broker does not tell its bounds", ASK_FOR_SETTINGS)
    what = f"ours is {ours:g} s, the broker takes {least / 1000:g} to {most / 1000:g} s"
    if not least <= ours * 1000 <= most:
        return fail("session", what, f"set LEPTON__KAFKA__SESSION_SECONDS to {max(least / 1000, 10.0):g}")
    return ok("session", what)


def _requests(s: Mapping[str, str]) -> Finding:
    most, needed = _number(s, "socket.request.max.bytes"), FRAME_BYTES + REQUEST_ROOM
    if most is None:
        return unknown("frames", "the broker does not tell socket.request.max.bytes", ASK_FOR_SETTINGS)
    what = f"requests of {most / (1 << 20):g} MiB are taken; a frame may have {FRAME_BYTES >> 20} MiB"
    if most < needed:
        return fail("frames", what, f"set socket.request.max.bytes to {needed} or more")
    return ok("frames", what)


def _offsets_retention(s: Mapping[str, str]) -> Iterator[Finding]:
    minutes = _number(s, "offsets.retention.minutes")
    if minutes is None:
        yield unknown("offsets retention", "the broker does not tell it", ASK_FOR_SETTINGS)
        return
    what = f"a service that stands still for {minutes / DAY_MIN:.3g} days loses its commits"
    if minutes < LEAST_OFFSETS_RETENTION_MIN:
        remedy = f"set offsets.retention.minutes to {LEAST_OFFSETS_RETENTION_MIN} or more"
        yield warn("offsets retention", what, remedy)
    else:
        yield ok("offsets retention", what)


def _copies(b: Broker) -> Iterator[Finding]:
    about = "copies of commits"
    if b.brokers < 3:
        what = f"{b.brokers} broker{'s' if b.brokers > 1 else ''}: the loss of one may lose everything"
        yield warn("durability", what, "use three brokers or more in production")
    if b.offsets_copies is None:
        yield unknown(about, "__consumer_offsets is not there yet or not told", "look again after the first commit")
    elif b.offsets_copies < min(3, b.brokers):
        what = f"{b.offsets_copies} of __consumer_offsets: all claims and pointers are there"
        yield warn(about, what, "raise its replication with kafka-reassign-partitions")
    else:
        yield ok(about, f"{b.offsets_copies}")


def _number(settings: Mapping[str, str], name: str) -> int | None:
    text = settings.get(name, "")
    return int(text) if text.removeprefix("-").isdigit() else None
