"""The JSON Schema of a pipeline's TOML, made from the same tables that `check` reads plans by.

`python -m lepton_stream.pipeline.schema > docs/plan.schema.json` writes the file that editors and tests read.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson

from lepton_stream.pipeline.keys import PIPELINE
from lepton_stream.pipeline.shapes import schema_of


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. What it cannot say (fields that exist, bounds that fit) is left to `check`."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Lepton Stream pipeline",
    }
    return {**head, **schema_of(PIPELINE)}


def schema_text() -> bytes:
    """The schema as the file docs/plan.schema.json has it."""
    return orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.stdout.buffer.write(schema_text())
