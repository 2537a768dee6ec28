"""The matrix of bad input: what may arrive, where it ends, and the tests that prove it: docs/bad-input.md.

A proof is `file::test` without parameters; tests/faults/test_bad_input_page.py checks that each exists.
"""

from __future__ import annotations

from typing import NamedTuple


class Input(NamedTuple):
    """One kind of bad input."""

    what: str
    ends: str
    proofs: tuple[str, ...]


JSON = "tests/formats/test_json_bad_records.py::"
ANY = "tests/core/test_no_bytes_crash.py::"
PIPE = "tests/kafka_pipeline/test_bad_input.py::"
FUZZ = "tests/fuzz/test_smoke.py::"
EACH = f"{JSON}test_bad_record_is_refused_and_its_neighbours_are_untouched"

BAD_INPUT = (
    Input(
        "malformed, truncated, trailing bytes, empty, BOM, control characters, bad UTF-8, lone surrogates",
        "`decode_error`",
        (EACH, "tests/compiled/test_json_scan.py::test_mutated_records_are_judged_alike"),
    ),
    Input("a value that is null, a scalar or a list", "`null_value` or `not_an_object`", (EACH,)),
    Input("NaN, Infinity, 1e999", "`decode_error`", (EACH,)),
    Input("integers beyond 64 bits", "`int_out_of_range`, never a rounded float", (EACH,)),
    Input(
        "deep nesting",
        "`too_deep` beyond 32 levels, whatever the stack",
        (EACH, f"{JSON}test_verdicts_do_not_depend_on_the_depth_of_the_python_stack"),
    ),
    Input(
        "duplicate JSON keys", "the last one wins, on every path",
        (EACH, "tests/compiled/test_json_scan.py::test_any_records_are_judged_alike"),
    ),
    Input("wrong type, missing field", "`wrong_type` or `missing_field`, naming the field and never the data",
          (EACH, f"{JSON}test_details_never_quote_the_data")),
    Input("fields that the plan does not list, a schema that grows in mid-stream",
          "ignored; told by name from every 1,024th record, at most a hundred names",
          ("tests/core/test_unlisted.py::test_unlisted_fields_change_no_verdict_and_are_counted_by_name_in_every_1024th_record",
           "tests/core/test_unlisted.py::test_a_schema_that_grows_in_mid_stream_counts_on",
           "tests/core/test_unlisted.py::test_names_of_the_datas_own_choosing_are_bounded_in_number_and_length")),
    Input("decimal fractions, sums of very large and very small values",
          "each is the nearest double; sums of them are exact and rounded once",
          ("tests/kernels/test_exact.py::test_a_sum_of_floats_is_the_fraction_and_rounds_once",
           "tests/kernels/test_exact.py::test_sums_and_squares_are_exact_at_every_magnitude")),
    Input(
        "times in the wrong unit, far ahead, impossible", "`timestamp_invalid` or `timestamp_future`; `high` unmoved",
        ("tests/cleaning/test_bad_times.py::test_times_in_wrong_units_end_where_they_must_and_high_stays",),
    ),
    Input("times long ago (a wrong unit may look so)", "late, into the late topic",
          ("tests/cleaning/test_bad_times.py::test_times_in_wrong_units_end_where_they_must_and_high_stays",)),
    Input(
        "giant records", "`too_large`, as they were",
        (f"{JSON}test_a_megabyte_line_is_taken_where_the_plan_allows_it_and_refused_where_not",
         "tests/faults/test_input.py::test_f20_records_beyond_every_limit_are_dead_letters"),
    ),
    Input("giant keys, groups as long as a record", "carried as they are",
          (f"{PIPE}test_giant_keys_and_hostile_groups_are_carried_and_change_nothing",)),
    Input("no key", "allowed: what counts is in the value",
          ("tests/kafka/test_chunks.py::test_records_come_out_as_they_went_in",)),
    Input(
        "decompression bombs (gzip, Snappy, LZ4, Zstandard)",
        "`decompression_limit`: one letter that points at all offsets of the batch; at most 64 MiB are opened",
        ("tests/kafka/test_codecs.py::test_a_bomb_is_refused_without_the_memory_being_spent",
         "tests/kafka/test_bombs.py::test_a_bomb_costs_the_bound_at_most_and_becomes_a_row_that_points_at_it",
         f"{PIPE}test_a_bomb_is_one_dead_letter_that_points_at_it_and_its_neighbours_count"),
    ),
    Input("a batch with a wrong checksum, or broken records under a right one", "the worker stops with exit code 5",
          ("tests/kafka/test_chunks.py::test_a_flipped_bit_is_found_and_named",
           "tests/kafka/test_chunks.py::test_broken_records_under_a_good_checksum_are_refused")),
    Input(
        "hostile names and values: terminal, logs, labels",
        "escaped where people read them; no label, topic or file is named by data",
        ("tests/cli/test_terminal.py::test_a_dead_letter_for_people_is_shown_and_does_nothing",
         "tests/telemetry/test_render.py::test_hostile_names_are_values_of_labels_and_nothing_else",
         f"{PIPE}test_giant_keys_and_hostile_groups_are_carried_and_change_nothing"),
    ),
    Input(
        "headers that pretend to be ours", "kept as they were; ours stand behind them",
        ("tests/kafka/test_letters.py::test_our_headers_come_last_and_win_over_the_records_own",),
    ),
    Input("headers by the thousand, header names that are no UTF-8",
          "kept; bytes of a name that are no UTF-8 are told as text such as `\\xff`",
          ("tests/kafka/test_chunks.py::test_headers_by_the_thousand_are_kept",
           "tests/kafka/test_chunks.py::test_a_header_name_that_is_no_text_costs_its_record_and_its_neighbours_nothing")),
    Input("a new key with every record", "counted within the memory budget; beyond it exit code 9, nothing lost",
          ("tests/kafka_pipeline/test_memory.py::test_a_new_key_with_every_record_ends_in_a_stop_that_loses_nothing",)),
    Input("everything sent a second time", "duplicates within the memory; no result changes",
          ("tests/kafka_pipeline/test_again.py::test_every_record_of_a_second_pass_is_a_duplicate_and_no_result_changes",)),
    Input("keys made to collide (hash flooding)", "at least half of the usual speed",
          ("tests/dedup/test_flooding.py::test_chosen_ids_and_groups_are_at_least_half_as_fast_as_usual_ones",)),
    Input("poison, a third of all, or nothing else", "dead letters; nobody stops below the ceiling, or with it off",
          ("tests/faults/test_input.py::test_f19_a_third_of_poison_stops_nobody",
           f"{PIPE}test_nothing_but_poison_flows_to_the_dead_letters_where_the_ceiling_is_off")),
    Input("a flood of dead letters", "the ceiling: exit code 8, with the position before the flood",
          ("tests/protocol/test_ceiling.py::test_a_flood_leaves_nothing_sent_and_the_position_before_it",
           f"{PIPE}test_a_flood_stops_the_crew_with_the_reason_and_the_next_start_goes_on_where_it_was")),
    Input("any bytes at all, in records, batches, frames, state, commits, letters",
          "one of the four verdicts, or a refusal by name",
          (f"{ANY}test_any_list_of_byte_strings_is_counted_in_full", f"{FUZZ}test_spoiled_bytes_end_where_they_must")),
)  # fmt: skip


def bad_input_table() -> str:
    """One line an input."""
    lines = ["| Input | Where it ends | Proved by |", "| --- | --- | --- |"]
    for one in BAD_INPUT:
        proofs = ", ".join(f"`{path}`" for path in dict.fromkeys(proof.split("::")[0] for proof in one.proofs))
        lines.append(f"| {one.what} | {one.ends} | {proofs} |")
    return "\n".join(lines)
