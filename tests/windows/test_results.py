"""The shape and the order of results."""

from __future__ import annotations

from lepton_stream.columns import Told
from lepton_stream.windows.results import Results, close, together
from lepton_stream.windows.table import Table
from tests.windows.sections import SIZE, add, section


def batch(window: str, cells: list[tuple[int, str, int]], *, final: bool = True, version: int = 1) -> Results:
    starts = [start for start, _, _ in cells]
    columns: dict[str, Told] = {
        "g": [g for _, g, _ in cells],
        "window_start": starts,
        "window_end": [s + 10 for s in starts],
        "n": [n for _, _, n in cells],
    }
    return Results(window, ("g",), columns, final, version)


def test_a_result_is_flat_and_its_fields_come_in_the_order_of_the_design() -> None:
    table = Table(section())
    add(table, [("a", 1)], [4])
    (only,) = close(table, 2 * SIZE, 7).results
    (row,) = only.rows()
    assert list(row) == ["g", "window", "window_start", "window_end", "n", "total", "top", "final", "version"]
    assert list(row.values()) == ["a", "w", 10, 20, 1, 4, 4, True, 7]
    assert len(only) == 1


def test_results_are_ordered_by_window_then_group() -> None:
    table = Table(section())
    add(table, [("b", 1), ("é", 0), ("a", 1), ("a", -1), ("b", 0), ("", 1)], range(6))
    (only,) = close(table, 2 * SIZE, 1).results
    order = [(r["window_start"], r["g"]) for r in only.rows()]
    assert order == [(-10, "a"), (0, "b"), (0, "é"), (10, ""), (10, "a"), (10, "b")]


def test_no_results_make_no_batch() -> None:
    assert close(Table(section()), 0, 1).results == []


def test_batches_of_several_partitions_come_together_as_of_one() -> None:
    parts = [
        batch("w", [(0, "b", 1), (10, "a", 2)], version=3),
        batch("w", [(0, "a", 3), (10, "c", 4)], version=4),
        batch("w", [(20, "a", 5)], final=False),
        batch("other", [(0, "a", 6)]),
    ]
    joined, updates, other = together(parts)
    assert [(r["window_start"], r["g"], r["n"]) for r in joined.rows()] == [
        (0, "a", 3),
        (0, "b", 1),
        (10, "a", 2),
        (10, "c", 4),
    ]
    assert (joined.final, joined.version) == (True, 4)
    assert updates is parts[2]
    assert other is parts[3]


def test_nothing_comes_together_to_nothing() -> None:
    assert together([]) == []
