"""Telling a fact: one call, one line of the log."""

from __future__ import annotations

import logging
from typing import Any

from lepton_stream.telemetry.catalogue import Fact

logger = logging.getLogger("lepton_stream.facts")


def tell(fact: Fact, **fields: Any) -> None:
    """Log the fact. Raises ValueError for a field that the catalogue does not give it."""
    unknown = fields.keys() - set(fact.fields)
    if unknown:
        raise ValueError(f"fact {fact.event} has no field {', '.join(sorted(unknown))}")
    level = getattr(logging, fact.level)
    if logger.isEnabledFor(level):
        logger.log(level, fact.event, extra={"fact": fact, "fields": fields})
