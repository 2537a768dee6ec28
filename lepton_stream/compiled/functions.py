"""The compiled functions in one namespace: what `switch.current()` gives. Importing this imports Numba."""

from __future__ import annotations

from lepton_stream.compiled.csv import csv_table, scan_csv
from lepton_stream.compiled.gather import gather
from lepton_stream.compiled.grouped import add_limbs, limb_range, murmur2
from lepton_stream.compiled.json import fault_of, json_fields, scan_json
from lepton_stream.compiled.medians import robust_z, usual
from lepton_stream.compiled.records import Body, split_records
from lepton_stream.compiled.scores import ewma, level
from lepton_stream.compiled.siphash import absorb_numbers, absorb_text, finish, text_prints
from lepton_stream.compiled.slots import cells, find, mix, move, seen, settle
from lepton_stream.compiled.weave import plain, weave

__all__ = [
    "Body",
    "absorb_numbers",
    "absorb_text",
    "add_limbs",
    "cells",
    "csv_table",
    "ewma",
    "fault_of",
    "find",
    "finish",
    "gather",
    "json_fields",
    "level",
    "limb_range",
    "mix",
    "move",
    "murmur2",
    "plain",
    "robust_z",
    "scan_csv",
    "scan_json",
    "seen",
    "settle",
    "split_records",
    "text_prints",
    "usual",
    "weave",
]
