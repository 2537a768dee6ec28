"""The laws of a kernel, for every kernel that a function of the catalogue reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream import wire
from lepton_stream.kernels import kernel as kernels_of_groups
from lepton_stream.kernels.different import Distinct
from lepton_stream.kernels.functions import column, function
from lepton_stream.kernels.kernel import Kernel, State
from lepton_stream.kernels.layered import Layered
from lepton_stream.kernels.quantiles import Ranks
from lepton_stream.kernels.registry import calls, kernels
from lepton_stream.pipeline.catalogue import SIGNATURES
from tests.kernels.rows import GROUPS, TYPES, Row, bits, columns_of, copy_of, row_lists, state_of


class FewRanks(Ranks):
    """Soon in buckets."""

    exact_up_to = 2


class FewDistinct(Distinct):
    """Soon in registers."""

    exact_up_to = 2


KERNELS = kernels(TYPES)
SOON: dict[str, Kernel] = {f"few {k.key}": k for k in (FewRanks("x"), FewRanks("i", True), FewDistinct("s"))}
ALL = {**KERNELS, **SOON}
CALLS = calls(TYPES)
EACH = np.arange(GROUPS)


def merged(kernel: Kernel, left: State, right: State) -> State:
    state = copy_of(left)
    kernel.merge(state, EACH, right)
    return state


def results(states: dict[str, State]) -> dict[str, str]:
    """What every call gives, bit for bit: `repr` tells 0.0 from -0.0 and 1 from 1.0."""
    return {str(call): repr(column(function(call, TYPES), states)) for call in CALLS}


def test_every_function_of_the_catalogue_is_tested() -> None:
    assert {call.function for call in CALLS} == SIGNATURES.keys()
    assert {k for call in CALLS for k in function(call, TYPES).kernels} == set(KERNELS.values())


@settings(max_examples=60)
@given(row_lists())
def test_merging_an_empty_state_changes_nothing(rows: list[Row]) -> None:
    for kernel in ALL.values():
        state = state_of(kernel, rows)
        empty = kernel.empty(GROUPS)
        assert bits(kernel, merged(kernel, state, empty)) == bits(kernel, state), kernel.key
        assert bits(kernel, merged(kernel, empty, state)) == bits(kernel, state), kernel.key
        assert bits(kernel, state_of(kernel, [])) == {}, kernel.key


@settings(max_examples=60)
@given(row_lists(), st.integers(0, 24))
def test_merge_commutes(rows: list[Row], cut: int) -> None:
    for kernel in ALL.values():
        a, b = state_of(kernel, rows[:cut]), state_of(kernel, rows[cut:])
        assert bits(kernel, merged(kernel, a, b)) == bits(kernel, merged(kernel, b, a)), kernel.key


@settings(max_examples=60)
@given(row_lists(), st.integers(0, 24), st.integers(0, 24))
def test_merge_associates(rows: list[Row], one: int, other: int) -> None:
    first, second = sorted((one, other))
    for kernel in ALL.values():
        a, b, c = (state_of(kernel, part) for part in (rows[:first], rows[first:second], rows[second:]))
        left = merged(kernel, merged(kernel, a, b), c)
        right = merged(kernel, a, merged(kernel, b, c))
        assert bits(kernel, left) == bits(kernel, right), kernel.key


@st.composite
def ways(draw: st.DrawFn, rows: Sequence[Row]) -> list[tuple[list[int], list[tuple[list[int], list[Row]]]]]:
    """Partials: where their groups belong (targets repeat), and chunks of (the partial's group of each row, rows)."""
    count = draw(st.integers(1, 3))
    targets = [[*EACH.tolist(), *draw(st.lists(st.integers(0, GROUPS - 1), max_size=4))] for _ in range(count)]
    targets = [draw(st.permutations(t)) for t in targets]
    partials: list[tuple[list[int], list[tuple[list[int], list[Row]]]]] = [(t, []) for t in targets]
    rest = draw(st.permutations(rows))
    while rest:
        size, p = draw(st.integers(1, len(rest))), draw(st.integers(0, count - 1))
        chunk, rest = rest[:size], rest[size:]
        at = [draw(st.sampled_from([k for k, g in enumerate(targets[p]) if g == row.group])) for row in chunk]
        partials[p][1].append((at, chunk))
    return partials


@settings(max_examples=100)
@given(st.data(), row_lists())
def test_any_cut_into_chunks_and_partials_gives_the_same_results(data: st.DataObject, rows: list[Row]) -> None:
    partials = data.draw(ways(rows))
    at_once = {key: state_of(kernel, rows) for key, kernel in KERNELS.items()}
    pieced = {key: kernel.empty(GROUPS) for key, kernel in ALL.items()}
    for key, kernel in ALL.items():
        for target, chunks in partials:
            state = kernel.empty(len(target))
            for at, chunk in chunks:
                kernel.update(state, np.array(at, np.int64), columns_of(chunk))
            kernel.merge(pieced[key], np.array(target, np.int64), state)
        if isinstance(kernel, Layered):
            assert bits(kernel, pieced[key]) == bits(kernel, state_of(kernel, rows)), key
    assert results(pieced) == results(at_once)


@settings(max_examples=40)
@given(row_lists(), row_lists(), st.integers(1, GROUPS))
def test_a_replaced_state_is_what_was_put_in_its_place(rows: list[Row], others: list[Row], count: int) -> None:
    some = np.arange(count)[::-1]
    wanted = [r for r in rows if r.group >= count] + [r for r in others if r.group < count]
    replaced = {key: state_of(kernel, rows) for key, kernel in ALL.items()}
    for key, kernel in ALL.items():
        new = kernels_of_groups.take(state_of(kernel, others), some)
        kernels_of_groups.replace(kernel, replaced[key], some, new)
        if isinstance(kernel, Layered):
            assert bits(kernel, replaced[key]) == bits(kernel, state_of(kernel, wanted)), key
    assert results(replaced) == results({key: state_of(kernel, wanted) for key, kernel in KERNELS.items()})


@settings(max_examples=60)
@given(row_lists())
def test_a_loaded_state_is_the_state_that_was_dumped(rows: list[Row]) -> None:
    for kernel in ALL.values():
        state = state_of(kernel, rows)
        _, loaded = wire.load(wire.dump({}, state))
        assert list(loaded) == list(state)
        assert [(a.dtype, a.tobytes()) for a in loaded.values()] == [(a.dtype, a.tobytes()) for a in state.values()]
        assert bits(kernel, merged(kernel, kernel.empty(GROUPS), loaded)) == bits(kernel, state), kernel.key


@settings(max_examples=60)
@given(row_lists())
def test_growing_and_taking_leave_each_group_what_it_was(rows: list[Row]) -> None:
    grown = {}
    for key, kernel in KERNELS.items():
        state = state_of(kernel, rows)
        kernels_of_groups.grow(kernel, state, GROUPS + 3)
        grown[key] = kernels_of_groups.take(state, np.array([GROUPS + 1, *EACH[::-1]]))
    turned = [r._replace(group=GROUPS - 1 - r.group) for r in rows]
    plain = {key: state_of(kernel, turned) for key, kernel in KERNELS.items()}
    nothing = {key: kernel.empty(1) for key, kernel in KERNELS.items()}
    for call in CALLS:
        f = function(call, TYPES)
        assert repr(column(f, grown)) == repr([*column(f, nothing), *column(f, plain)]), call
