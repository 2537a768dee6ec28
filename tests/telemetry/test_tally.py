"""Several workers as one: nothing that is durable goes back or is torn, whoever dies when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.account import Account
from lepton_stream.telemetry import catalogue as c
from lepton_stream.telemetry.meter import Meter, Samples
from lepton_stream.telemetry.render import durable
from lepton_stream.telemetry.snapshot import Kept, Snapshot
from lepton_stream.telemetry.tally import Tally

SOURCE = ("orders", "0")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def kept(number: int) -> Kept:
    """What checkpoint `number` of a log holds: a function of the number, as in life."""
    account = Account(read=3 * number, accepted=2 * number, late=number)
    return Kept(number, {SOURCE: account.to_dict()}, {"hour": number})


def snapshot(*numbers: int, joined: bool = True, read: float = 0, lag: float | None = None) -> Snapshot:
    gauges: Samples = {} if lag is None else {c.LAG_RECORDS.name: {SOURCE: lag}}
    held = {p: kept(n) for p, n in enumerate(numbers)}
    return Snapshot(joined=joined, kept=held, counters={c.BYTES_READ.name: {(): read}}, gauges=gauges)


def tally(workers: int = 2) -> Tally:
    return Tally(Clock(), range(workers))


def test_a_killed_worker_takes_nothing_durable_with_it() -> None:
    crew = tally()
    crew.hear(0, snapshot(5, read=10))
    crew.gone(0)
    whole = crew.whole()
    assert durable(whole.kept)[c.READ.name][SOURCE] == 15
    assert whole.counters[c.BYTES_READ.name][()] == 10
    assert whole.silent == (0, 1)


def test_a_worker_that_is_started_again_counts_on_from_what_it_had() -> None:
    crew = tally()
    crew.hear(0, snapshot(read=10))
    crew.gone(0)
    crew.hear(0, snapshot(read=1))
    assert crew.whole().counters[c.BYTES_READ.name][()] == 11


def test_an_older_checkpoint_never_replaces_a_newer_one() -> None:
    crew = tally()
    crew.hear(0, snapshot(7))
    crew.hear(1, snapshot(6))  # the partition's owner of before, who does not know better yet
    assert crew.whole().kept[0].number == 7


def test_gauges_of_a_dead_worker_are_gone_and_those_of_the_newest_teller_count() -> None:
    crew = tally()
    crew.add(Snapshot(joined=True, gauges={c.LAG_RECORDS.name: {SOURCE: 40.0}}))
    clock = crew.clock
    assert isinstance(clock, Clock)
    crew.hear(1, snapshot(lag=7))
    clock.now += 1
    crew.hear(0, snapshot(lag=3))
    assert crew.whole().gauges[c.LAG_RECORDS.name][SOURCE] == 3
    crew.gone(0)
    crew.gone(1)
    assert crew.whole().gauges[c.LAG_RECORDS.name][SOURCE] == 40


steps = st.tuples(st.sampled_from(["checkpoint", "move", "kill", "tell"]), st.integers(0, 2), st.integers(0, 3))


@given(st.lists(steps, max_size=60))
def test_the_four_outcomes_add_up_and_nothing_goes_back_whatever_happens(events: list[tuple[str, int, int]]) -> None:
    """Partitions move between workers, checkpoints go on, workers die, and tell late or not at all."""
    crew = tally(3)
    log = [0, 0, 0, 0]  # the newest checkpoint of each shuffle partition
    known: list[dict[int, int]] = [{}, {}, {}]  # what each worker believes
    before = 0.0
    for what, worker, p in events:
        if what == "checkpoint":
            log[p] += 1
            known[worker][p] = log[p]
        elif what == "move":
            known[worker][p] = log[p]  # others keep what they believed
        elif what == "kill":
            known[worker] = {}
            crew.gone(worker)
        else:
            crew.hear(worker, Snapshot(joined=True, kept={q: kept(n) for q, n in known[worker].items()}))
        told = durable(crew.whole().kept)
        outcomes = sum(told[c.OUTCOMES.name].values())
        assert outcomes == sum(told[c.READ.name].values())
        assert outcomes >= before
        before = outcomes


def test_histograms_of_all_workers_and_of_dead_ones_are_one() -> None:
    crew = tally()
    for worker in (0, 1, 0):
        meter = Meter()
        meter.observe(c.CHUNK_SECONDS, 0.02, "prepare")
        meter.observe(c.CHUNK_SECONDS, 1e9, "prepare", times=2)
        crew.hear(worker, Snapshot(joined=True, histograms=meter.histograms()))
        if worker == 0:
            crew.gone(0)
    counts, total = crew.whole().histograms[c.CHUNK_SECONDS.name]["prepare",]
    assert sum(counts) == 9
    assert counts[-1] == 6
    assert total == pytest.approx(6e9 + 0.06)
