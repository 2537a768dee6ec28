"""What the group's commits carry: claims of source partitions, pointers of shuffle partitions. JSON, some 150 bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from lepton_stream.errors import IntegrityError
from lepton_stream.pipeline.plan_hash import remedy
from lepton_stream.windows.watermark import NEVER

VERSION = 1


class Claim(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of a source partition: everything before the committed offset is done.

    `claim`: [offset, claim) was claimed and must be rebuilt as it is by whoever comes next. `high`: highest event time
    before the committed offset. `idle`: up to where time has passed without records. `end`: where the run ends
    (`--until-end`), `run`: which run fixed it; `ended`: it was reached and told. `since`: lowest offset in the dedup
    memory. `era`: the number of the run that has committed this; a later run has a higher one.
    """

    plan: str
    claim: int | None = None
    high: int = NEVER
    idle: int = NEVER
    end: int | None = None
    run: str = ""
    ended: bool = False
    since: int = 0
    era: int = 0
    v: int = VERSION


class Pointer(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of a shuffle partition: the frames before the committed offset are in checkpoint `number`.

    `first`, `last`: offsets of its parts in the state log. `base`: reading from there puts the whole state together.
    `ended`: all sources have ended and the results are final; then `upto`, the sum of the offsets they ended at, tells
    this run's end from an earlier one's. `oldest`: when the first open window ends.
    """

    plan: str
    first: int = -1
    last: int = -1
    base: int = -1
    number: int = 0
    ended: bool = False
    upto: int = 0
    oldest: int | None = None
    v: int = VERSION


_T = TypeVar("_T", Claim, Pointer)


def era_of(claims: Iterable[Claim | None], run: str) -> int:
    """The number of the run named `run` ("" without an end): that of its first claims, else above all that were."""
    newest = max((c for c in claims if c is not None), key=lambda c: (c.era, c.run == run), default=None)
    if newest is None:
        return 1
    return newest.era if newest.run == run and newest.era else newest.era + 1


def to_text(metadata: Claim | Pointer) -> str:
    """The metadata of a commit."""
    return msgspec.json.encode(metadata).decode()


def claim_of(text: str, where: str) -> Claim:
    """A claim. `where`: topic and partition, for the message. Raises IntegrityError for anything else."""
    return _read(text, where, Claim)


def pointer_of(text: str, where: str) -> Pointer:
    """A pointer. `where`: topic and partition, for the message. Raises IntegrityError for anything else."""
    return _read(text, where, Pointer)


def _read(text: str, where: str, kind: type[_T]) -> _T:
    remedy = "use another consumer group, or reset this one with its topics"
    try:
        found = msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError):
        raise IntegrityError(
            f"{where}: its committed offset does not carry this pipeline's metadata, so another program (or a reset "
            f"by hand) has committed it; {remedy}"
        ) from None
    if found.v != VERSION:
        raise IntegrityError(
            f"{where}: commit metadata of version {found.v}; this build reads version {VERSION}; "
            "finish with the build that wrote it, or give the plan a new `version`"
        )
    return found


def refuse_other_plan(found: str, ours: str, where: str) -> None:
    """Raises IntegrityError where the stored plan is not the one that runs."""
    if found != ours:
        usual = "let the old plan finish (run it with --until-end), or give the changed one a new `version`"
        told = remedy(found, ours, usual)
        raise IntegrityError(
            f"{where}: the stored position is of plan {found}, but this worker runs plan {ours}: {told}"
        )
