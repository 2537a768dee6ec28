"""The secret of pseudonyms, from the environment or a file that it names; it is in no plan, message or log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lepton_stream.cleaning.pseudonyms import LEAST_BYTES
from lepton_stream.errors import UsageError
from lepton_stream.pipeline.plan import Plan

VARIABLE = "LEPTON__PSEUDONYM_SECRET"
FILE_VARIABLE = f"{VARIABLE}_FILE"
DEMO_SECRET = b"the secret of the demo, which everybody knows"


def secret_for(plan: Plan, environ: Mapping[str, str]) -> bytes | None:
    """The secret; None for a plan without pseudonyms. Raises UsageError where there is none, or none that will do."""
    if not plan.pseudonyms:
        return None
    secret, name = _given(plan, environ)
    if len(secret) < LEAST_BYTES:
        raise UsageError(
            f"{name} holds {len(secret)} bytes: expects a secret of at least {LEAST_BYTES}, such as that of "
            "`openssl rand -hex 32`; with another secret than before all pseudonyms are others"
        )
    return secret


def demo_secret(plan: Plan, environ: Mapping[str, str]) -> bytes | None:
    """For demos and measurements over samples: a secret that is none, unless the environment names one."""
    if not plan.pseudonyms or VARIABLE in environ or FILE_VARIABLE in environ:
        return None
    return DEMO_SECRET


def _given(plan: Plan, environ: Mapping[str, str]) -> tuple[bytes, str]:
    """The secret and the variable that gave it."""
    if VARIABLE in environ and FILE_VARIABLE in environ:
        raise UsageError(f"{VARIABLE} and {FILE_VARIABLE} are both set: expects one of them")
    if VARIABLE in environ:
        return environ[VARIABLE].encode(errors="surrogateescape"), VARIABLE
    if FILE_VARIABLE in environ:
        return _read(environ[FILE_VARIABLE]), FILE_VARIABLE
    raise UsageError(
        f"{plan.name}: {', '.join(plan.pseudonyms)} is told by pseudonyms, and there is no secret for them: name a "
        f"file in {FILE_VARIABLE} (make one with `openssl rand -hex 32 > FILE`), the same for all workers and runs"
    )


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(
            f"{FILE_VARIABLE} names {path}, which cannot be read: {why}; check the path and its permissions"
        ) from None
