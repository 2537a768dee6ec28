"""The hash of a plan: state and frames of one plan are never folded by another.

It covers everything that decides what a record counts for: name and version; the source's topic, format, time, key, id,
max_ahead and max_record_bytes; the fields and their rules; the dedup memory; windows, models and alarms. It leaves out
what may change while the pipeline goes on: the topics' partitions and replication (a changed partition count is refused
elsewhere), idle and idle_timeout (when windows close, not what is in them), when dead letters stop a worker and what
they hold, how much memory it may take, the objective, and the form of input files. Of a plan with pseudonyms jobs carry
it with the tag of their secret behind it.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.to_dict import to_dict

_FREE = ("idle", "idle_timeout", "file")


def canonical(plan: Plan) -> bytes:
    """Sorted JSON of what decides about counting; results are a list of pairs, since their order is their layout."""
    data = to_dict(plan)
    del data["topics"], data["dead_letters"]
    for key in ("memory", "objective"):
        data.pop(key, None)
    data["source"] = {key: value for key, value in data["source"].items() if key not in _FREE}
    for window in data["window"]:
        window["results"] = list(window["results"].items())
        if "derive" in window:
            window["derive"] = list(window["derive"].items())
    return msgspec.json.encode(data, order="sorted")


def plan_hash(plan: Plan, tag: str = "") -> str:
    """16 hexadecimal digits (64 bits of BLAKE2b) of `canonical(plan)`.

    `tag`: of the secret of its pseudonyms, which stands behind a dash: what was counted under one no other may go on
    with.
    """
    of_plan = blake2b(canonical(plan), digest_size=8).hexdigest()
    return f"{of_plan}-{tag}" if tag else of_plan


def remedy(found: str, ours: str, usual: str) -> str:
    """What to do where the stored hash is not ours: `usual`, unless only the secret of the pseudonyms differs."""
    if found == ours or found.split("-", maxsplit=1)[0] != ours.split("-", maxsplit=1)[0]:
        return usual
    return (
        "the plan is the same, but the secret of its pseudonyms (behind the dash) is another one: give this worker the "
        "secret that the others have, or give the plan a new `version`"
    )
