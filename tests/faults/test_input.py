"""Rows F18 to F20: what producers may do to us."""

from __future__ import annotations

from itertools import chain, islice

import pytest

from tests.data.planted import Planted
from tests.faults import inject
from tests.faults.load import load
from tests.faults.scene import Scene

pytestmark = pytest.mark.kafka
RATE = 5000
POISON = 0.33


def test_f19_a_third_of_poison_stops_nobody(scene: Scene) -> None:
    crew = scene.crew()
    scene.send(12_000, RATE, load(scene.seed, broken=POISON))
    scene.strike("poison amid the load", lambda: None)
    scene.settle(crew)
    assert "ended" not in crew.said, "a worker was restarted"


@pytest.mark.slow
def test_f18_a_whole_slice_sent_again_counts_once(scene: Scene) -> None:
    records = list(islice(load(scene.seed), 40_000))
    crew = scene.crew()
    scene.send(80_000, RATE, chain(records, records))
    scene.beyond(50_000)
    blow = scene.strike("resent, and a worker killed", lambda: inject.kill(crew.workers[:1]))
    scene.recovered(blow)
    done = scene.settle(crew)
    assert done.stats["duplicate"] > 35_000


@pytest.mark.slow
def test_f20_records_beyond_every_limit_are_dead_letters(scene: Scene) -> None:
    pipe = scene.pipe
    for topic in (pipe.source, pipe.names.dead_letters):
        inject.configure(pipe.bootstrap, topic, max_message_bytes=str(16 << 20))
    giants = (Planted(b"dev-%d" % n, b'{"note": "%s"}' % (b"x" * (900_000 * n)), "broken") for n in range(1, 8))
    crew = scene.crew()
    scene.send(10_000, RATE, chain(islice(load(scene.seed), 2000), giants, load(scene.seed + 1)))
    scene.strike("records of 0.9 to 6.3 MB amid the load", lambda: None)
    done = scene.settle(crew)
    assert done.stats["dead_lettered"]["too_large"] >= 7
