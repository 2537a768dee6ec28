"""One row's stage: a pipeline, a load with its ledger, workers, a reader of the results, and the judgement."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from tests.data.planted import Planted
from tests.faults import inject
from tests.faults.evidence import Blow, busy
from tests.faults.frames import assert_unbroken
from tests.faults.load import load
from tests.faults.node import Node
from tests.faults.plain import whole
from tests.faults.report import Entry
from tests.faults.sender import Sender
from tests.faults.truth import Source, assert_accounts, assert_windows
from tests.faults.watcher import Newest, Watcher
from tests.kafka_pipeline.pipe import PARTITIONS, PLANTED, Done, Pipe, Run, alive, until
from tests.reference.stream import Truth

UNEXPECTED = ("Traceback (most recent call last)", "Task exception was never retrieved", "never awaited")
TEXT = PLANTED.read_text().replace("[source]", '[source]\nidle = "wait"')
"""Time does not pass by itself: however long a takeover takes, no window closes meanwhile."""


class Scene:
    """Everything of a row; what it started is ended with it."""

    def __init__(self, folder: Path, node: Node, entry: Entry, text: str = TEXT, bootstrap: str = "") -> None:
        self.node, self.entry, self.seed = node, entry, entry.seed
        self.draw = random.Random(entry.seed)
        self.pipe = Pipe(folder, bootstrap or node.bootstrap, text)
        self._senders: list[Sender] = []
        self._watcher: Watcher | None = None
        self.truth: Truth | None = None
        """What `judge` held all against."""

    def __enter__(self) -> Self:
        self.pipe.apply()
        self._watcher = Watcher(self.pipe.bootstrap, self.pipe.names.results, PARTITIONS)
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.__exit__()
        for one in (*self._senders, self._watcher):
            if one is not None:
                one.abandon()

    # -- load and workers

    def send(self, count: int, rate: int, records: Iterable[Planted] | None = None) -> Sender:
        """A load, in the background."""
        path = self.pipe.folder / f"ledger{len(self._senders)}"
        sender = Sender(
            self.pipe.bootstrap, self.pipe.source, load(self.seed) if records is None else records,
            count=count, rate=rate, partitions=PARTITIONS, path=path,
        )  # fmt: skip
        self._senders.append(sender)
        return sender

    def crew(self, workers: int = 2, session: str = "2", *more: str, at: str = "") -> Run:
        """Workers, in the background, all of them members of the group. `at`: another way to the broker."""
        before = sum(len(one.workers) for one in self.pipe.runs)  # the group still knows some that are dead
        crew = self.pipe.run(*more, workers=workers, session=session, at=at)
        until(lambda: self.pipe.members() >= before + workers or not alive(crew.process.pid), 40, "the workers joined")
        assert alive(crew.process.pid), crew.said
        return crew

    def beyond(self, aim: int, seconds: float = 60) -> None:
        """Until so many records are counted."""
        until(lambda: self.pipe.counted() >= aim, seconds, f"{aim} records counted")

    # -- faults and recovery

    def strike(self, fault: str, what: Callable[[], object]) -> Blow:
        """Let it happen while something is unfinished."""
        ledgers = [sender.ledger for sender in self._senders]
        blow = busy(self.pipe, fault, ledgers)
        what()
        self.entry.proofs.append(f"{fault}: {blow.proof(blow.acked(ledgers))}")
        return blow

    def recovered(self, blow: Blow, goal: str = "", since: float | None = None, seconds: float = 60) -> float:
        """Seconds until what was there at the blow is counted."""
        until(lambda: blow.over(self.pipe), seconds, f"recovery from: {blow.fault}")
        took = time.monotonic() - (blow.at if since is None else since)
        if goal:
            self.entry.times.append((goal, took))
        return took

    # -- the end

    def settle(self, *crews: Run, workers: int = 2) -> Done:
        """Stop politely, count to the end and judge."""
        for sender in self._senders:
            sender.wait()
        for crew in crews:
            stop(crew)
        return self.judge(self.pipe.to_the_end(workers=workers))

    def judge(self, done: Done) -> Done:
        """Account, windows, dead letters, versions, ledger and logs are all as they must be."""
        pipe = self.pipe
        source = Source(whole(pipe.bootstrap, pipe.source, PARTITIONS), PARTITIONS)
        acked = sum(source.holds(sender.ledger) for sender in self._senders)
        assert acked == sum(sender.sent - sender.unacked for sender in self._senders)
        self.truth = truth = source.truth()
        assert_accounts(done.stats, pipe.source, truth)
        frames = assert_unbroken(whole(pipe.bootstrap, pipe.names.shuffle, PARTITIONS))
        source.assert_letters(whole(pipe.bootstrap, pipe.names.dead_letters, PARTITIONS), truth)
        assert self._watcher is not None
        newest = self._watcher.end()
        windows = assert_windows(newest.rows.values(), truth)
        assert_windows(done.rows, truth)
        self._assert_read_alike(newest)
        self.assert_quiet_logs()
        self.entry.counts = (
            f"{acked:,} acknowledged, {windows:,} windows, {len(truth.dead_letters):,} dead letters, "
            f"{newest.repeated:,} results repeated, {frames:,} frames without a hole"
        )
        self.entry.verdict = "exact"
        assert self.entry.missed() == []
        return done

    def _assert_read_alike(self, during: Newest) -> None:
        """A reader that comes afterwards finds what one found that was there during the faults."""
        after = Newest()
        topic = self.pipe.names.results
        after.take((record.key, record.value) for record in whole(self.pipe.bootstrap, topic, PARTITIONS))
        assert after.wrong == []
        assert after.rows == during.rows

    def halted(self, counts: str) -> None:
        """The workers have ended instead of counting on: that was the row's promise, and their logs are quiet."""
        self.assert_quiet_logs()
        self.entry.verdict, self.entry.counts = "halted", counts

    def judge_compacted(self) -> None:
        """What compaction has left of the results is still the truth."""
        topic = self.pipe.names.results
        before, after = inject.compact(self.pipe, topic, PARTITIONS)
        newest = Newest()
        newest.take((record.key, record.value) for record in after)
        assert self.truth is not None
        assert_windows(newest.rows.values(), self.truth)
        self.entry.counts += f"; compaction left {len(after):,} of {before:,} results"

    def assert_quiet_logs(self) -> None:
        """No traceback, no lost exception."""
        for one in self.pipe.runs:
            said = one.said
            assert not any(words in said for words in UNEXPECTED), said


def stop(crew: Run) -> float:
    """Politely; seconds that it took."""
    began = time.monotonic()
    crew.process.send_signal(signal.SIGTERM)
    assert crew.wait(30) == 143, crew.said
    return time.monotonic() - began


def two(crew: Run) -> list[int]:
    """Both workers, as soon as there are two."""
    return until(lambda: found if len(found := crew.workers) == 2 else None, 20, "two workers")
