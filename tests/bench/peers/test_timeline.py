"""CPU between two moments, when work went quiet, and the figures of a run."""

from __future__ import annotations

import pytest

from tests.bench.peers.session import received_of
from tests.bench.peers.timeline import Sample, cpu_at, figures, went_quiet


def samples(*rates: float) -> list[Sample]:
    """One a second from 100 on; between one and the next, so much of a core."""
    found = [Sample(100.0, 0.0, 10)]
    for rate in rates:
        found.append(Sample(found[-1].at + 1, found[-1].cpu + rate, 10))
    return found


def test_cpu_is_read_straight_between_two_samples_and_stays_behind_the_last() -> None:
    made = samples(1.0, 0.5)
    assert [cpu_at(made, at) for at in (99.0, 100.0, 100.5, 101.5, 200.0)] == pytest.approx([0.0, 0.0, 0.5, 1.25, 1.5])


def test_work_went_quiet_where_it_last_fell_to_rest() -> None:
    made = samples(1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1)
    assert went_quiet(made, before=111.5) == 105.0


def test_rest_behind_the_last_result_is_not_the_end_and_steady_work_never_goes_quiet() -> None:
    assert went_quiet(samples(1, 1, 0, 0, 0, 0, 0), before=101.0) is None
    assert went_quiet(samples(*[1.0] * 12), before=112.0) is None


def test_figures_count_from_the_first_record_to_the_last_result() -> None:
    made = [Sample(0.0, 0.0, 5_000_000), Sample(10.0, 4.0, 30_000_000), Sample(20.0, 14.0, 20_000_000)]
    found = figures(made, records=2_000_000, began=0.0, first=10.0, end=15.0)
    assert found == {
        "events_per_s": 400_000.0, "cpu_s_per_million": 2.5, "wall_s": 5.0, "start_up_s": 10.0,
        "start_up_cpu_s": 4.0, "peak_rss_mb": 30.0,
    }  # fmt: skip


def test_received_bytes_are_those_of_the_sockets_of_these_processes() -> None:
    said = (
        'ESTAB 0 0 127.0.0.1:1 127.0.0.1:9092 users:(("python",pid=12,fd=8))\n'
        "\t cubic bytes_sent:5 bytes_received:1000 segs_out:3\n"
        'ESTAB 0 0 127.0.0.1:2 127.0.0.1:9092 users:(("java",pid=123,fd=8))\n'
        "\t cubic bytes_received:70000\n"
        'ESTAB 0 0 127.0.0.1:3 127.0.0.1:9092 users:(("python",pid=12,fd=9))\n'
        "\t cubic bytes_received:30 segs_out:3\n"
    )
    assert received_of(said, [12]) == 1030
