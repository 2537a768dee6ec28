"""Medians, ratios, marginal rates and bars of the peer comparison, on runs made up by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.peers.report_peers import left_out, table, verdict
from tests.bench.peers.standing import Line, lines


def run(peer: str, records: int, wall_s: float, cpu_s: float, **other: Any) -> dict[str, Any]:
    """A run that took so long and so much CPU altogether."""
    usual = {
        "exact": True,
        "windows_right": 10,
        "windows": 10,
        "start_up_s": 1.0,
        "peak_rss_mb": 100.0,
        "others_share": 0.0,
    }
    speed = {"events_per_s": records / wall_s, "cpu_s_per_million": cpu_s / records * 1e6, "wall_s": wall_s}
    return {"peer": peer, "records": records, **usual, **speed, **other}


def only(found: list[Line], peer: str, records: str) -> Line:
    (line,) = (line for line in found if (line.peer.name, line.records) == (peer, records))
    return line


def test_ratios_are_ours_over_theirs_by_the_clock_and_theirs_over_ours_in_cpu() -> None:
    found = lines([run("lepton", 1000, 2.0, 1.0), run("flink", 1000, 20.0, 8.0)])
    line = only(found, "flink", "1,000")
    assert [line.times_speed, line.times_cpu] == pytest.approx([10, 8])


@pytest.mark.parametrize(("wall_s", "cpu_s", "met"), [(16.0, 8.0, True), (15.9, 8.0, False), (16.0, 7.9, False)])
def test_a_bar_is_met_only_where_clock_and_cpu_both_reach_it(wall_s: float, cpu_s: float, met: bool) -> None:
    found = lines([run("lepton", 1000, 2.0, 1.0), run("flink", 1000, wall_s, cpu_s)])
    assert only(found, "flink", "1,000").met is met
    assert ("flink (1,000)" in verdict(found)) is not met


def test_several_runs_give_their_median_and_show_the_range() -> None:
    found = lines([run("quix", 1000, wall, 1.0) for wall in (1.0, 2.0, 4.0)])
    line = only(found, "quix", "1,000")
    assert line.speed.events_per_s == 500
    assert "500 (250 to 1,000)" in table(found)


def test_a_peer_is_compared_with_our_run_of_as_many_records_and_a_slow_one_with_our_smallest() -> None:
    ours = [run("lepton", 1000, 1.0, 1.0), run("lepton", 3000, 2.0, 2.0)]
    found = lines([*ours, run("quix", 3000, 3.0, 3.0), run("faust", 50, 1.0, 1.0)])
    for name, records, rate in (("quix", "3,000", 1500), ("faust", "50", 1000)):
        against = only(found, name, records).against
        assert against is not None
        assert against.events_per_s == rate


def test_two_sizes_tell_what_the_further_records_cost() -> None:
    ours = [run("lepton", 1000, 2.0, 2.0), run("lepton", 3000, 3.0, 2.5)]
    found = lines([*ours, run("flink", 1000, 10.0, 9.0), run("flink", 3000, 20.0, 14.0)])
    line = only(found, "flink", "3,000 less 1,000")
    assert line.speed.events_per_s == pytest.approx(2000 / 10)
    assert line.speed.cpu_s == pytest.approx(5.0 / 2000 * 1e6)
    assert [line.times_speed, line.times_cpu] == pytest.approx([10, 10])
    assert line.met is True


def test_with_two_sizes_the_bar_is_for_the_further_records_alone() -> None:
    ours = [run("lepton", 1000, 2.0, 2.0), run("lepton", 3000, 3.0, 2.5)]
    found = lines([*ours, run("flink", 1000, 10.0, 9.0), run("flink", 3000, 18.0, 10.0)])
    assert [line.met for line in found if line.peer.name == "flink"] == [None, None, False]
    assert verdict(found) == "Bars missed: flink (3,000 less 1,000)."


def test_a_marginal_rate_below_noise_is_left_out() -> None:
    found = lines([run("flink", 1000, 10.0, 9.0), run("flink", 3000, 9.0, 14.0)])
    assert [line.records for line in found] == ["1,000", "3,000"]


def test_without_a_run_of_ours_nothing_is_judged() -> None:
    found = lines([run("flink", 1000, 10.0, 9.0)])
    assert found[0].met is None
    assert verdict(found) == "Nothing was judged: no run of ours, or of no other."


def test_a_wrong_result_is_told_with_its_windows() -> None:
    found = lines([run("lepton", 1000, 1.0, 1.0), run("quix", 1000, 90.0, 90.0, exact=False, windows_right=7)])
    assert "no: 7 of 10" in table(found)
    assert "Not exact: quix." in verdict(found)


def test_the_table_is_markdown_with_one_row_a_program_in_the_order_of_the_list() -> None:
    rows = table(lines([run("flink", 1000, 8.0, 8.0), run("lepton", 1000, 1.0, 1.0)])).splitlines()
    assert len({row.count("|") for row in rows}) == 1
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["Lepton Stream", "Flink, DataStream in Java"]
    assert "8.0, 8.0 times" in rows[3]


def test_the_share_of_others_on_the_core_is_shown_for_the_worst_run() -> None:
    found = lines([run("quix", 1000, 1.0, 1.0, others_share=share) for share in (0.02, 0.31, 0.0)])
    assert table(found).splitlines()[2].split("|")[7].strip() == "31%"


def test_what_was_left_out_is_told_with_its_reason() -> None:
    assert left_out({"quix": "pip: no wheel"}) == "- quix was not measured: pip: no wheel\n"
