"""`lepton-stream dlq`: dead letters counted, shown and sent again."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer

from lepton_stream.cli.destinations import SIGPIPE, abandon_stdout
from lepton_stream.cli.kafka_options import takes_connection
from lepton_stream.cli.pipeline_name import PipelineName
from lepton_stream.cli.terminal import json_line
from lepton_stream.errors import UsageError
from lepton_stream.formats.decoder import Reason
from lepton_stream.pipeline.names import names
from lepton_stream.pipeline.near import nearest
from lepton_stream.pipeline.plan import Plan
from lepton_stream.pipeline.source import find
from lepton_stream.printable import printable
from lepton_stream.runtime.kafka.connect import Connection
from lepton_stream.runtime.kafka.dlq import (
    Box,
    Lateness,
    chosen,
    highs,
    lateness,
    newest,
    open_box,
    send_again,
    sendable,
)
from lepton_stream.runtime.kafka.letters import Letter

app = typer.Typer(help="Count, show and replay the dead letters of a pipeline.", no_args_is_help=True)

Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only letters with this reason; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many letters.", metavar="N")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be sent, and send nothing.")]


@app.command("list")
@takes_connection
def list_command(connection: Connection, pipeline: PipelineName, as_json: AsJson = False) -> None:
    """Count the letters by reason and source partition; a record that has several letters counts once.

    For example: lepton-stream dlq list iot/air_quality --broker localhost:9092
    """
    plan = find(pipeline)
    box = asyncio.run(open_box(connection, plan))
    document = counts_of(plan, box)
    if as_json:
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        return
    print(f"{document['topic']}: {document['letters']:,} letters of {plan.name}")
    for count in document["counts"]:
        print(f"  {count['reason']} partition {count['partition']}: {count['letters']:,}")
    for name, told in LEFT_OUT.items():
        if document[name]:
            print(f"  {told}: {document[name]:,}")


@app.command("show")
@takes_connection
def show_command(
    connection: Connection, pipeline: PipelineName, reason: Reasons = None, limit: Limit = None, as_json: AsJson = False
) -> int:
    """Show letters with the original bytes, key and headers; with --json one object a line.

    For example: lepton-stream dlq show iot/air_quality --reason missing_field --limit 5
    """
    plan, reasons = find(pipeline), known(reason)
    box = asyncio.run(open_box(connection, plan))
    try:
        for letter in chosen(box.letters.values(), reasons, limit):
            sys.stdout.write(line_of(letter) if as_json else text_of(letter))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has left
        abandon_stdout()
        return SIGPIPE
    return 0


@app.command("replay")
@takes_connection
def replay_command(
    connection: Connection,
    pipeline: PipelineName,
    reason: Reasons = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send the original records into the source topic again, for example after a corrected plan.

    Letters that only point at a batch (decompression_limit) or at a record (plans with pseudonyms) are left out; what
    they point at is in the source topic.

    Letters stay where they are, and every pipeline that reads the source gets the records again: without source.id,
    what a pipeline has counted counts twice.

    Look first: lepton-stream dlq replay iot/air_quality --reason out_of_range --dry-run

    Then send: lepton-stream dlq replay iot/air_quality --reason out_of_range
    """
    plan, reasons = find(pipeline), known(reason)
    letters, would, sent = asyncio.run(_replay(connection, plan, reasons, limit, dry_run=dry_run))
    if as_json:
        late = {"late": would.late, "late_by_window": would.by_window} if would.judged else {"late": None}
        document: dict[str, Any] = {"letters": len(letters), "sent": sent, "without_time": would.no_time, **late}
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        return
    print(f"{plan.source.topic}: {len(letters):,} letters, {'would be sent' if dry_run else 'sent again'}")
    print("\n".join(lateness_lines(would)))


async def _replay(
    connection: Connection, plan: Plan, reasons: Sequence[str], limit: int | None, *, dry_run: bool
) -> tuple[list[Letter], Lateness, int]:
    box = await open_box(connection, plan)
    letters = chosen(sendable(newest(box.letters.values())), reasons, limit)
    if not letters and (hidden := [x for x in chosen(box.letters.values(), reasons) if x.withheld]):
        raise UsageError(
            f"{len(hidden):,} letters only point at their records, which may name somebody (a field of {plan.name} is "
            "a pseudonym): nothing to send. `dlq show` tells partition and offset in the source topic"
        )
    would = lateness(plan, letters, await highs(connection, plan, (x.source for x in letters)) if letters else {})
    return letters, would, 0 if dry_run else await send_again(connection, letters)


LEFT_OUT = {
    "again": "sent again and failed again, counted once, by the last attempt",
    "repeated": "written more than once (after a crash), counted once",
    "others": "letters of other pipelines that read this source, left out",
    "foreign": "records that are no letters of ours, left out",
}


def known(reasons: Sequence[str] | None) -> list[str]:
    """The reasons. Raises UsageError for one that no letter has."""
    for reason in reasons or ():
        if reason not in list(Reason):
            hint = nearest(reason, [r.value for r in Reason])
            meant = f" (did you mean {hint}?)" if hint else ""
            raise UsageError(f"--reason {reason}: expects one of {', '.join(Reason)}{meant}")
    return list(reasons or ())


def counts_of(plan: Plan, box: Box) -> dict[str, Any]:
    """Counts by reason and source partition, most frequent first."""
    letters = newest(box.letters.values())
    counts = Counter((x.reason.value, x.source.partition) for x in letters)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "topic": names(plan).dead_letters,
        "pipeline": plan.name,
        "letters": len(letters),
        "counts": [{"reason": reason, "partition": p, "letters": n} for (reason, p), n in ordered],
        "again": len(box.letters) - len(letters),
        "repeated": box.repeated,
        "others": box.others,
        "foreign": box.foreign,
    }


def line_of(letter: Letter) -> str:
    """One line of JSON; bytes that are no UTF-8 stand as base64 under a name of their own."""
    line: dict[str, Any] = {
        "topic": letter.source.topic,
        "partition": letter.source.partition,
        "offset": letter.offset,
        "timestamp": letter.timestamp_ms,
        "reason": letter.reason.value,
        "detail": letter.detail,
        "version": letter.version,
        "attempt": letter.attempt,
        **shown("value", letter.value),
        **shown("key", letter.key),
        "headers": [{"name": name, **shown("value", data)} for name, data in letter.headers],
    }
    return json_line(line)


def shown(name: str, data: bytes | None) -> dict[str, str | None]:
    """`{name: text}`, or `{name_base64: ...}` for bytes that are no UTF-8."""
    try:
        return {name: None if data is None else data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data or b"").decode()}


def text_of(letter: Letter) -> str:
    """A few lines for people; control characters are told, not sent to the terminal."""
    tp = letter.source
    where = f"{printable(tp.topic)} partition {tp.partition} offset {letter.offset}"
    lines = [
        f"{where}: {letter.reason.value}, attempt {letter.attempt}",
        f"  {printable(letter.detail)}",
    ]
    for name, data in (("key", letter.key), *((f"header {n}", d) for n, d in letter.headers), ("value", letter.value)):
        ((kind, text),) = shown(name, data).items()
        lines.append(f"  {printable(kind)}: {'none' if text is None else printable(text)}")
    return "\n".join(lines) + "\n"


def lateness_lines(would: Lateness) -> list[str]:
    """What lateness does to the letters of a replay."""
    if not would.judged:
        return ["  the pipeline has no claims yet (or this broker keeps none): nothing is known about lateness"]
    lines = [f"  late now, for every window: {would.late:,}"]
    lines += [f"  late for window {name}: {n:,}" for name, n in would.by_window.items() if n]
    return lines + ([f"  without a readable event time: {would.no_time:,}"] if would.no_time else [])
