"""The reference itself is held against hand-made records: a wrong judge would bless a wrong product."""

from __future__ import annotations

from statistics import variance

import pytest

from lepton_stream.formats.decoder import Reason
from tests.data.planted import KINDS
from tests.reference.records import Rejected, depth, read
from tests.reference.rules import SECOND, FieldRule, Rules, WindowRule
from tests.reference.stream import evaluate
from tests.reference.summary import Row, summarise

RULES = Rules(
    fields={
        "t": FieldRule("float"),
        "v": FieldRule("float", required=False, min=0, max=9),
        "k": FieldRule("int", False),
    },
    time="t",
    windows=(WindowRule("w", 10 * SECOND, ("k",), "v", lateness_us=5 * SECOND),),
    id=("t", "k"),
    memory=3,
)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "null_value"),
        (b"", "decode_error"),
        (b'{"t": 1}x', "decode_error"),
        (b'{"t": NaN}', "decode_error"),
        (b'{"t": 1, "v": 1e999}', "decode_error"),
        (b'{"t": 1, "x": "\xff"}', "decode_error"),
        (b"[1]", "not_an_object"),
        (b"[" * 33, "too_deep"),
        (b"[" * 32, "decode_error"),
        (b" " * 524_289, "too_large"),
        (b'{"v": 1}', "missing_field"),
        (b'{"t": true}', "wrong_type"),
        (b'{"t": 1, "k": 1.0}', "wrong_type"),
        (b'{"t": 1, "k": 9223372036854775808}', "int_out_of_range"),
        (b'{"t": 1, "v": -0.1}', "below_min"),
        (b'{"t": 1, "v": 9.1}', "above_max"),
        (b'{"t": 1e300}', "timestamp_invalid"),
        (b'{"t": 2000003601}', "timestamp_future"),
    ],
)
def test_each_broken_record_gets_its_reason(raw: bytes | None, reason: str) -> None:
    with pytest.raises(Rejected) as verdict:
        read(raw, RULES)
    assert verdict.value.reason == reason


def test_event_time_is_exact_to_the_microsecond() -> None:
    assert read(b'{"t": 1700000000.123}', RULES).time_us == 1_700_000_000_123_000


def test_brackets_inside_strings_do_not_nest() -> None:
    assert depth(rb'{"a": "[[\"[[", "b": [1]}') == 2


def test_planted_reasons_are_words_of_the_product() -> None:
    assert {reason for _, reason in KINDS.values()} <= {str(r) for r in Reason}
    missed = {str(r) for r in Reason} - {reason for _, reason in KINDS.values()}
    assert missed == {"null_value", "decompression_limit"}  # neither a tombstone nor a batch can be written into a file


def stream(*events: tuple[float, int]) -> list[bytes | None]:
    return [f'{{"t": {t}, "k": {k}, "v": 1}}'.encode() for t, k in events]


def test_a_duplicate_refreshes_its_id_and_memory_is_counted_in_offsets() -> None:
    # k=1 at offsets 0, 3 (3 back: duplicate, refreshed), 6 (3 back again), 10 (4 back: forgotten)
    events = [(1.0, 1), (2, 2), (3, 3), (1.0, 1), (4, 4), (5, 5), (1.0, 1), (5, 7), (5, 8), (5, 9), (1.0, 1)]
    account = evaluate({0: stream(*events)}, RULES).accounts[0]
    assert (account.duplicate, account.accepted) == (2, 9)


def test_a_record_exactly_at_the_lateness_is_not_late() -> None:
    account = evaluate({0: stream((100, 1), (95, 2), (94.999999, 3))}, RULES).accounts[0]
    assert (account.accepted, account.late) == (2, 1)


def test_dead_letters_move_neither_the_high_nor_the_memory() -> None:
    spoiled = b'{"t": 500, "k": 1, "v": 99}'
    mended = b'{"t": 500, "k": 1, "v": 9}'
    truth = evaluate({0: [*stream((100, 1)), spoiled, *stream((99, 2)), mended]}, RULES)
    assert (truth.accounts[0].accepted, truth.accounts[0].late, truth.accounts[0].duplicate) == (3, 0, 0)
    assert [(d.offset, d.reason, d.value) for d in truth.dead_letters] == [(1, "above_max", spoiled)]


def test_late_records_count_for_high_and_for_memory() -> None:
    account = evaluate({0: stream((100, 1), (50, 2), (50, 2))}, RULES).accounts[0]
    assert (account.late, account.duplicate) == (1, 1)


def test_a_record_on_the_edge_belongs_to_the_later_window_of_the_reference() -> None:
    groups = evaluate({0: stream((9.999999, 1), (10, 1))}, RULES).windows["w"]
    assert {group: s.rows for group, s in groups.items()} == {(1, 0): 1, (1, 10 * SECOND): 1}


def test_first_and_last_go_by_time_then_partition_then_offset() -> None:
    rows = [Row(5, 1, 0, 3.0), Row(5, 0, 9, 1.0), Row(5, 0, 2, 2.0), Row(7, 0, 0, None)]
    summary = summarise(rows)
    assert (summary.rows, summary.count, summary.first, summary.last) == (4, 3, 2.0, 3.0)


def test_figures_stay_exact_where_naive_sums_fail() -> None:
    rows = [Row(i, 0, i, v) for i, v in enumerate((1e16, 1.0, -1e16, 1e9 + 1, 1e9 + 2))]
    summary = summarise(rows)
    assert summary.sum == 2_000_000_004.0
    assert summary.variance == pytest.approx(variance([1e16, 1.0, -1e16, 1e9 + 1, 1e9 + 2]), rel=1e-15)
    assert summarise(rows[:1]).variance is None
