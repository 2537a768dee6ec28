"""The table of open windows: every cell is closed once, revised within its grace, and then gone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Text, take, text_from_strings
from lepton_stream.shuffle.routing import prints_of
from lepton_stream.windows.results import close
from lepton_stream.windows.table import Table
from lepton_stream.windows.watermark import FOREVER, NEVER
from tests.windows.sections import KEY, SIZE, Cell, add, rows_of, section

Figures = tuple[int, int, int]
Told = dict[tuple[str, int], Figures]


def closed(table: Table, mark: int, most: int | None = None) -> Told:
    """The final results by (group, window number)."""
    told: Told = {}
    for batch in close(table, mark, 1, most).results:
        for row in batch.rows():
            cell = (row["g"], row["window_start"] * 1000 // SIZE)
            assert cell not in told
            if row["final"]:
                told[cell] = (row["n"], row["total"], row["top"])
    table.sweep()
    return told


def test_a_window_closes_when_the_watermark_reaches_its_end_and_not_before() -> None:
    table = Table(section())
    add(table, [("a", 0), ("b", 0), ("a", 1)], [1, 2, 3])
    assert closed(table, SIZE - 1) == {}
    assert table.oldest_end() == SIZE
    assert closed(table, SIZE) == {("a", 0): (1, 1, 1), ("b", 0): (1, 2, 2)}
    assert closed(table, SIZE) == {}
    assert table.open_cells() == 1
    assert closed(table, FOREVER) == {("a", 1): (1, 3, 3)}
    assert table.oldest_end() is None


def test_records_of_one_cell_come_together_and_groups_stay_apart() -> None:
    table = Table(section())
    for v in (5, -7, 2):
        add(table, [("a", 0), ("b", 0)], [v, 10 * v])
    assert closed(table, SIZE) == {("a", 0): (3, 0, 5), ("b", 0): (3, 0, 50)}


def test_what_is_closed_for_good_is_too_late_up_to_the_edge() -> None:
    for grace, wanted in ((0, [True, True, True, False]), (SIZE, [True, True, False, False])):
        table = Table(section(grace=grace))
        windows = np.array([-1, 0, 1, 2])
        assert table.too_late(windows).tolist() == [False] * 4
        closed(table, 2 * SIZE)
        assert table.too_late(windows).tolist() == wanted


def test_the_mark_never_opens_again_what_was_closed() -> None:
    table = Table(section())
    closed(table, 3 * SIZE)
    closed(table, NEVER)
    assert table.closed_to == 3 * SIZE


def test_a_record_within_the_grace_revises_a_closed_window() -> None:
    table = Table(section(grace=2 * SIZE))
    add(table, [("a", 0), ("b", 0)], [1, 1])
    assert closed(table, SIZE) == {("a", 0): (1, 1, 1), ("b", 0): (1, 1, 1)}
    add(table, [("a", 0)], [5])
    assert closed(table, 3 * SIZE - 1) == {("a", 0): (2, 6, 5)}
    assert closed(table, 3 * SIZE - 1) == {}
    assert closed(table, 3 * SIZE) == {}
    assert table.too_late(np.array([0])).tolist() == [True]


def test_a_group_that_first_comes_within_the_grace_gets_a_final_result() -> None:
    table = Table(section(grace=2 * SIZE))
    closed(table, SIZE)
    add(table, [("new", 0)], [4])
    assert closed(table, SIZE) == {("new", 0): (1, 4, 4)}


def test_a_bounded_close_takes_the_oldest_windows_first_and_loses_none() -> None:
    table = Table(section())
    cells = [("a", w) for w in (4, 2, 0, 3, 1)]
    add(table, cells, [4, 2, 0, 3, 1])
    found = [closed(table, FOREVER, most=2) for _ in range(4)]
    assert [sorted(w for _, w in told) for told in found] == [[0, 1], [2, 3], [4], []]


def test_a_bounded_close_leaves_later_windows_open_to_records() -> None:
    table = Table(section())
    add(table, [("a", 0), ("a", 1)], [1, 1])
    closed(table, 2 * SIZE, most=1)
    assert table.too_late(np.array([0, 1])).tolist() == [True, False]
    add(table, [("a", 1)], [2])
    assert closed(table, 2 * SIZE) == {("a", 1): (2, 3, 2)}


def test_a_revision_that_a_bounded_close_left_out_comes_with_the_next() -> None:
    table = Table(section(grace=5 * SIZE))
    add(table, [("a", 0), ("b", 0)], [1, 1])
    closed(table, SIZE)
    add(table, [("a", 0), ("b", 0)], [2, 2])
    found = [closed(table, SIZE, most=1) for _ in range(3)]
    assert [len(told) for told in found] == [1, 1, 0]
    assert found[0] | found[1] == {("a", 0): (2, 3, 2), ("b", 0): (2, 3, 2)}


def test_a_revision_is_not_lost_when_its_grace_ends_before_it_was_read() -> None:
    table = Table(section(grace=SIZE))
    add(table, [("a", 0), ("b", 0)], [1, 1])
    closed(table, SIZE)
    add(table, [("a", 0), ("b", 0)], [2, 2])
    assert len(closed(table, FOREVER, most=1) | closed(table, FOREVER, most=1)) == 2


def test_updates_tell_what_changed_in_open_windows_and_only_that() -> None:
    table = Table(section(emit="updates"))
    add(table, [("a", 0), ("b", 0), ("a", 1)], [1, 2, 3])

    def told(mark: int) -> list[tuple[bool, str, int]]:
        batches = close(table, mark, 1).results
        return [(r["final"], r["g"], r["n"]) for batch in batches for r in batch.rows()]

    assert told(0) == [(False, "a", 1), (False, "b", 1), (False, "a", 1)]
    assert told(0) == []
    add(table, [("b", 0)], [2])
    assert told(0) == [(False, "b", 2)]
    add(table, [("a", 0), ("a", 1)], [2, 2])
    assert told(SIZE) == [(True, "a", 2), (True, "b", 2), (False, "a", 2)]


def test_the_table_grows_past_its_first_size_and_is_swept_when_windows_leave() -> None:
    table = Table(section())
    wanted: Told = {}
    for w in range(8):
        cells = [(f"g{i}", w) for i in range(700)]
        add(table, cells, range(700))
        wanted |= {cell: (1, i, i) for i, cell in enumerate(cells)}
    assert table.count == len(wanted) > 1024
    found: Told = {}
    for w in range(8):
        add(table, [("g3", w)], [-1])
        wanted["g3", w] = (2, 2, 3)
        found |= closed(table, (w + 1) * SIZE)
    assert found == wanted
    assert table.count < 1024
    assert table.open_cells() == 0


def test_cells_keep_their_rows_figures_and_flags_when_others_are_swept() -> None:
    table = Table(section(grace=10 * SIZE))
    add(table, [("old", w) for w in range(-2000, 0)], [1] * 2000)
    add(table, [("a", 0), ("b", 5)], [7, 8])
    closed(table, SIZE)  # "a" is final and waits out its grace, "b" is open
    assert table.count < 20
    assert closed(table, 4 * SIZE) == {}
    add(table, [("a", 0), ("b", 5)], [1, 1])
    assert closed(table, 4 * SIZE) == {("a", 0): (2, 8, 7)}
    assert closed(table, 6 * SIZE) == {("b", 5): (2, 9, 8)}


def test_a_cell_does_not_keep_the_bytes_of_its_chunk() -> None:
    table = Table(section())
    big = take(text_from_strings(["x" * 100_000, "g"]), np.array([1]))
    window = np.array([0])
    table.rows_for(prints_of([big], window, KEY), window, {"g": big})
    held = table.group(np.array([0]))["g"]
    assert isinstance(held, Text)
    assert len(held.data) < 100


def test_without_groups_there_is_one_cell_a_window() -> None:
    table = Table(section(group_by=()))
    add(table, [("", 0), ("", 1)], [1, 2])
    add(table, [("", 0)], [3])
    batches = close(table, FOREVER, 1).results
    assert [(r["window_start"], r["n"], r["total"]) for b in batches for r in b.rows()] == [(0, 2, 4), (10, 1, 2)]


def test_every_held_row_is_in_one_slice() -> None:
    table = Table(section())
    add(table, [(f"g{i}", 0) for i in range(100)], [0] * 100)
    closed(table, SIZE - 1)
    slices = [table.slice_rows(k, 7).tolist() for k in range(7)]
    assert sorted(row for rows in slices for row in rows) == list(range(100))


def test_states_put_into_another_table_give_the_same_results() -> None:
    table, other = Table(section()), Table(section())
    cells = [("a", 0), ("b", 0), ("c", 1)]
    add(table, cells, [1, 2**62, 3])
    add(other, [("z", 0), ("b", 0)], [9, 9])
    rows = rows_of(table, cells)
    other.put(rows_of(other, cells), table.states_of(rows), np.zeros(3, np.bool_))
    other.drop(rows_of(other, [("z", 0)]))
    assert closed(other, FOREVER) == closed(table, FOREVER)


cell_calls = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), unique=True, max_size=6),
        st.integers(0, 8),
        st.none() | st.integers(1, 3),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(cell_calls, st.integers(0, 3))
def test_the_last_result_of_every_cell_has_all_records_it_took(
    calls: list[tuple[list[Cell], int, int | None]], grace: int
) -> None:
    table = Table(section(grace=grace * SIZE))
    model: dict[Cell, list[int]] = {}
    last: Told = {}
    mark = 0
    for number, (cells, to, most) in enumerate(calls):
        gone = table.too_late(np.array([w for _, w in cells], np.int64))
        taken = [cell for cell, late in zip(cells, gone, strict=True) if not late]
        add(table, taken, [number] * len(taken))
        for cell in taken:
            model.setdefault(cell, []).append(number)
        mark = max(mark, to)
        assert table.may_close(mark * SIZE) or not len(table.closable(mark * SIZE))
        found = closed(table, mark * SIZE, most)
        assert table.may_close(mark * SIZE) == (len(table.closable(mark * SIZE)) > 0)
        assert all((w + 1) <= mark for _, w in found)
        if most is None:
            assert all((g, w) in last | found for g, w in model if w + 1 <= mark)
        last |= found
    for _ in range(20):
        last |= closed(table, FOREVER, 5)
    assert last == {cell: (len(v), sum(v), max(v)) for cell, v in model.items()}
