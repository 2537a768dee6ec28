"""Each judgement of `doctor`: when it is content, when it warns, when it fails, and what it says it could not see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lepton_stream.doctor.broker import NEEDED, WANTED, Broker, Probes, judge_broker, release
from lepton_stream.doctor.finding import Finding, counts, of_error
from lepton_stream.doctor.group import Commits, Place, judge_commits
from lepton_stream.doctor.machine import Compiled, Machine, holds, judge_machine
from lepton_stream.doctor.plans import judge_plan
from lepton_stream.doctor.topic import Log, SourceTopic, judge_source, judge_steps
from lepton_stream.errors import BrokerError
from lepton_stream.pipeline.plan import Plan, Source, Topics, Window
from lepton_stream.protocol.metadata import Claim, Pointer, to_text
from lepton_stream.topics.difference import Step

DAY = 86_400_000
SETTINGS = {
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "1800000",
    "socket.request.max.bytes": "104857600",
    "auto.create.topics.enable": "false",
    "offsets.retention.minutes": "10080",
    "unclean.leader.election.enable": "false",
}
APIS = dict.fromkeys((*NEEDED, *WANTED), (0, 20))
BROKER = Broker("b:9092", 3, APIS, SETTINGS, 3, Probes(True, True, True, 0.01, 0.002), 10.0)
MACHINE = Machine(
    (3, 11, 7), "0.1.0", {"aiokafka": "0.14.0"}, ["aiokafka<0.15,>=0.14"], Compiled(True, "on"), 2, 4 << 30
)
TOPIC = SourceTopic(
    "s", 3, {"retention.ms": str(7 * DAY), "min.insync.replicas": "2"}, [Log(0, 9, 99 * DAY)], 100 * DAY
)
WINDOW = Window("hour", 3_600_000_000, ("station",), (), lateness_us=600_000_000)
PLAN = Plan(
    "air", Source("s", "ts", key=("station",), id=("station", "ts")), (), (WINDOW,), topics=Topics(replication=3)
)


def of(findings: list[Finding], about: str) -> Finding:
    """The one finding about it."""
    (found,) = [f for f in findings if f.about == about]
    return found


def without(settings: dict[str, str], name: str) -> dict[str, str]:
    return {k: v for k, v in settings.items() if k != name}


def test_nothing_fails_and_nothing_is_warned_of_where_all_is_well() -> None:
    source = judge_source(TOPIC, 1000)
    for findings in (judge_broker(BROKER), judge_machine(MACHINE), judge_plan(PLAN), source, judge_steps([], "p", 8)):
        assert {f.level for f in findings} == {"ok"}, findings


@pytest.mark.parametrize(
    ("change", "about", "level", "words"),
    [
        ({"apis": {**APIS, 0: (0, 2)}}, "capabilities", "fail", "Produce version 3"),
        ({"apis": {k: v for k, v in APIS.items() if k != 21}}, "capabilities", "warn", "DeleteRecords"),
        ({"session_s": 2.0}, "session", "fail", "2 s, the broker takes 6 to 1800 s"),
        ({"session_s": 2000.0}, "session", "fail", "1800 s"),
        ({"settings": {**SETTINGS, "socket.request.max.bytes": "1048576"}}, "frames", "fail", "1 MiB"),
        ({"settings": {**SETTINGS, "auto.create.topics.enable": "true"}}, "auto-create", "warn", "mistyped"),
        ({"settings": {**SETTINGS, "offsets.retention.minutes": "1440"}}, "offsets retention", "warn", "1 days"),
        ({"settings": {**SETTINGS, "unclean.leader.election.enable": "true"}}, "unclean election", "warn", "lost"),
        ({"settings": without(SETTINGS, "offsets.retention.minutes")}, "offsets retention", "unknown", "not tell"),
        ({"settings": without(SETTINGS, "group.min.session.timeout.ms")}, "session", "unknown", "not tell"),
        ({"settings": None}, "broker settings", "unknown", "not checked"),
        ({"brokers": 1}, "durability", "warn", "1 broker:"),
        ({"offsets_copies": 1}, "copies of commits", "warn", "claims and pointers"),
        ({"offsets_copies": None}, "copies of commits", "unknown", "not checked"),
        ({"probes": Probes(False, True, True, 0.0)}, "commit metadata", "warn", "counted twice"),
        ({"probes": Probes(True, False, True, 0.0)}, "stale commits", "warn", "overwrite"),
        ({"probes": Probes(True, True, False, 0.0)}, "stale producers", "warn", "epochs do not rise"),
        ({"probes": Probes(True, True, True, -7.5)}, "clock", "warn", "7.500 s behind"),
        ({"probes": Probes(True, True, True, None)}, "clock", "unknown", "append times"),
        ({"probes": Probes(why="not allowed")}, "commit metadata", "unknown", "not allowed"),
    ],
)
def test_a_broker_that_falls_short_is_told_with_its_remedy(
    change: dict[str, Any], about: str, level: str, words: str
) -> None:
    found = of(judge_broker(replace(BROKER, **change)), about)
    assert (found.level, words in found.what, bool(found.remedy)) == (level, True, True), found


def test_a_slow_answer_is_not_taken_for_a_wrong_clock() -> None:
    found = of(judge_broker(replace(BROKER, probes=Probes(True, True, True, 6.0, within_s=2.0))), "clock")
    assert found.level == "ok"


def test_the_release_is_guessed_from_what_it_speaks() -> None:
    assert "4.0 or newer" in release({1: (4, 17), 68: (0, 1)})
    assert "3.5 or newer" in release({1: (0, 16), 68: (0, 1)})
    assert "2.4 or newer" in release({1: (0, 11), 44: (0, 0), 47: (0, 0)})
    assert "a part of" in release({1: (0, 11)})


@pytest.mark.parametrize(
    ("change", "about", "level", "words"),
    [
        ({"python": (3, 10, 1)}, "version", "fail", "3.10.1"),
        ({"packages": {"aiokafka": None}}, "packages", "fail", "not installed"),
        ({"packages": {"aiokafka": "0.15.0"}}, "packages", "fail", "0.15.0 is not what we are built on"),
        ({"compiled": Compiled(False, "why")}, "compiled path", "warn", "slower: why"),
        ({"memory": 100 << 20}, "memory", "warn", "0.1 GiB"),
        ({"memory": None}, "memory", "unknown", "not checked"),
    ],
)
def test_a_machine_that_falls_short_is_told_with_its_remedy(
    change: dict[str, Any], about: str, level: str, words: str
) -> None:
    found = of(judge_machine(replace(MACHINE, **change)), about)
    assert (found.level, words in found.what, bool(found.remedy)) == (level, True, True), found


def test_versions_are_compared_as_numbers() -> None:
    assert holds("0.14.10", ">=", "0.14.9")
    assert holds("2.0", "==", "2.0.0")
    assert not holds("0.15", "<", "0.15.0")
    assert holds("0.15.3rc1", "<=", "0.15.3")


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        ({"windows": (replace(WINDOW, lateness_us=0),)}, "lateness of window hour", "is late"),
        ({"windows": (replace(WINDOW, lateness_us=10**13),)}, "lateness of window hour", "2,777 windows"),
        (
            {"windows": (replace(WINDOW, kind="hopping", every_us=10_000_000),)},
            "every of window hour",
            "counts in 360 windows",
        ),
        ({"source": replace(PLAN.source, idle="wait")}, "source.idle", "for ever"),
        ({"source": replace(PLAN.source, idle_timeout_us=1000)}, "source.idle_timeout", "0.001 s"),
        ({"source": replace(PLAN.source, max_ahead_us=10**12)}, "source.max_ahead", "11.6 days"),
        ({"source": replace(PLAN.source, key=("city", "station"))}, "source.id", "differ in city,"),
        ({"source": replace(PLAN.source, key=())}, "source.id", "source.key"),
        ({"topics": Topics(replication=1)}, "topics.replication", "loss of a broker"),
    ],
)
def test_a_plan_that_is_allowed_and_seldom_meant_is_warned_of(change: dict[str, Any], about: str, words: str) -> None:
    found = of(judge_plan(replace(PLAN, **change)), about)
    assert (found.level, words in found.what, bool(found.remedy)) == ("warn", True, True), found


def source(settings: dict[str, str] | None = None, *logs: Log) -> SourceTopic:
    return replace(TOPIC, settings={**(TOPIC.settings or {}), **(settings or {})}, logs=logs or TOPIC.logs)


@pytest.mark.parametrize(
    ("topic", "about", "level", "words"),
    [
        (source({"retention.ms": "-1"}), "source retention", "ok", "for ever"),
        (source({"retention.ms": "3600000"}), "source retention", "warn", "3600000 ms"),
        (source(None, Log(0, 9, 50 * DAY)), "source retention", "warn", "50 days ago and keeps 7 d"),
        (source(None, Log(0, 0, None)), "source retention", "warn", "by the records' own timestamps"),
        (source({"message.timestamp.type": "LogAppendTime"}, Log(0, 0, None)), "source retention", "ok", "7 d"),
        (source(None, Log(500, 900, 99 * DAY)), "dedup memory", "warn", "left 400 of partition 0"),
        (source(None, Log(0, 900, 99 * DAY)), "dedup memory", "ok", "all of them"),
        (source({"min.insync.replicas": "4"}), "source durability", "fail", "nothing can be written"),
        (source({"min.insync.replicas": "1"}), "source durability", "warn", "acknowledges with 1"),
        (source({"message.timestamp.before.max.ms": str(DAY)}), "source timestamps", "warn", "1 d old"),
        (replace(TOPIC, settings=None), "source s", "unknown", "not checked"),
    ],
)
def test_what_retention_does_to_the_source_is_told(topic: SourceTopic, about: str, level: str, words: str) -> None:
    found = of(judge_source(topic, 1000), about)
    assert (found.level, words in found.what) == (level, True), found


@pytest.mark.parametrize(
    ("step", "level", "remedy"),
    [
        (Step("create", "t", wanted="partitions 4"), "fail", "lepton-stream topics apply p.toml"),
        (Step("set", "t", "retention.ms", "1", "-1"), "fail", "lepton-stream topics apply p.toml"),
        (Step("set", "t", "min.insync.replicas", "1", "2"), "warn", "lepton-stream topics apply p.toml"),
        (Step("wrong", "t", "partitions", "1", "4", "a new `version`"), "fail", "a new `version`"),
        (Step("refused", "t", "cleanup.policy", "compact", "delete", "read another"), "fail", "read another"),
        (Step("unknown", "t", "settings", note="this broker does not tell"), "unknown", "by hand"),
    ],
)
def test_each_difference_from_the_contracts_is_a_finding(step: Step, level: str, remedy: str) -> None:
    (found,) = judge_steps([step], "p.toml", 8)
    assert found.level == level
    assert remedy in found.remedy


def test_a_missing_topic_that_runs_go_on_without_is_a_warning_unless_others_are_missing_too() -> None:
    without = Step("create", "lepton.p.decisions", without="decisions are only logged")
    (found,) = judge_steps([without], "p.toml", 8)
    assert (found.about, found.level) == ("topic lepton.p.decisions", "warn")
    assert found.what == "does not exist: decisions are only logged"
    assert found.remedy == "create it with: lepton-stream topics apply p.toml"
    (found,) = judge_steps([Step("create", "lepton.p.state"), without], "p.toml", 8)
    assert (found.level, found.what) == ("fail", "2 of 8 do not exist: lepton.p.state, lepton.p.decisions")


CLAIM, POINTER = to_text(Claim("aa")), to_text(Pointer("aa", 0, 0, 0, 1))


def commits(*places: Place) -> list[Finding]:
    return judge_commits(Commits("g", busy=False, plan="aa", places=places))


def test_commits_of_this_plan_are_well_and_tell_what_waits() -> None:
    (found,) = commits(Place("s", 0, 5, CLAIM, 0, 9), Place("x", 0, 3, POINTER, 0, 3, kept=1))
    assert found.level == "ok"
    assert "4 records wait, nobody runs it now" in found.what
    assert "nothing was counted yet" in commits(Place("s", 0, None, None, 0, 9))[0].what


@pytest.mark.parametrize(
    ("place", "level", "words"),
    [
        (Place("s", 0, 5, "", 0, 9), "fail", "does not carry this pipeline's metadata"),
        (Place("s", 0, 5, to_text(Claim("bb")), 0, 9), "fail", "is of plan bb"),
        (Place("x", 0, 5, CLAIM.replace("claim", "first"), 0, 9, kept=1), "ok", "1 of group g"),
        (Place("x", 0, None, None, 0, 9, kept=3), "warn", "commits expired or were deleted"),
    ],
)
def test_commits_that_a_run_would_refuse_are_told_in_its_words(place: Place, level: str, words: str) -> None:
    (found,) = commits(place)
    assert (found.level, words in found.what) == (level, True), found
    assert found.remedy or level == "ok"


def test_a_refusal_is_split_into_what_and_remedy() -> None:
    found = of_error("broker", BrokerError("broker b: a; b; start it"))
    assert (found.what, found.remedy, counts([found])["fail"]) == ("broker b: a; b", "start it", 1)
