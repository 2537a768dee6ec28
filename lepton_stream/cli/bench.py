"""`lepton-stream bench`: how fast, how fresh, how it scales, on this machine; everything held against the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lepton_stream.bench.compare import compare_engine, compare_kafka
from lepton_stream.bench.domains import domains, domains_lines
from lepton_stream.bench.engine import engine
from lepton_stream.bench.knobs import KNOBS, knobs
from lepton_stream.bench.levels import SHARES, freshness, idle, trickle
from lepton_stream.bench.long import COPY, long
from lepton_stream.bench.machine import facts
from lepton_stream.bench.page import PLOT, page, plot
from lepton_stream.bench.peers import peers
from lepton_stream.bench.report import compare_lines, end_to_end_lines, engine_lines, long_lines, scale_lines
from lepton_stream.bench.results import read, written
from lepton_stream.bench.shape import BAD, Shape
from lepton_stream.bench.throughput import throughput
from lepton_stream.bench.workers import workers
from lepton_stream.cli.bench_autopilot import autopilot_command
from lepton_stream.cli.bench_telling import AsJson, Quick, RecordTo, Runs, give, progress, through_broker, typed
from lepton_stream.cli.kafka_options import takes_options
from lepton_stream.cli.run import RouteChoice
from lepton_stream.pipeline.source import shipped

app = typer.Typer(help="Measure this installation on this machine, with results held against the truth.",
                  no_args_is_help=True)  # fmt: skip

COUNTS = (1, 2, 4)
GUESS = 300_000.0
"""Events a second from which the highest sustained rate is searched where no throughput was measured."""
Records = Annotated[int, typer.Option(min=1000, help="How many events.", metavar="N")]
Wide = Annotated[bool, typer.Option("--wide", help="Events of 289 bytes and 10 members instead of 126 and 6.")]
Bad = Annotated[float, typer.Option(min=0, max=0.4, help="Share of events without a usable value.", metavar="SHARE")]
Seed = Annotated[int, typer.Option(help="Of the events.", metavar="N")]
RouteBy = Annotated[RouteChoice, typer.Option(help="As for `run`.")]


class Part(StrEnum):
    """What of `end-to-end` is measured."""

    THROUGHPUT = "throughput"
    FRESHNESS = "freshness"
    TRICKLE = "trickle"
    IDLE = "idle"


class ScalePart(StrEnum):
    """What of `scale` is measured."""

    WORKERS = "workers"
    KNOBS = "knobs"


@app.command("engine")
def engine_command(
    records: Records = 1_000_000,
    runs: Runs = 5,
    wide: Wide = False,
    bad: Bad = BAD,
    seed: Seed = 1,
    route: RouteBy = RouteChoice.PARTIALS,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure `run` over a file on one core: events a second, and CPU seconds per million events by stage.

    For example: lepton-stream bench engine

    A fifth of the events bad: lepton-stream bench engine --bad 0.2
    """
    where, shape = facts(typed()), Shape(records, seed=seed, wide=wide, bad=bad)
    with progress() as tell:
        told = {**where, **engine(shape, runs, route.value, tell)}
    give("engine", {variant(shape, route.value): told}, engine_lines(told), as_json=as_json, to=record)


def variant(shape: Shape, route: str) -> str:
    """A name for what was measured: `published`, or how it differs from that."""
    wide, bad = (["wide"] if shape.wide else []), ([f"{shape.bad:.1%} bad"] if shape.bad != BAD else [])
    rows = [f"route {route}"] if route != RouteChoice.PARTIALS.value else []
    return ", ".join([*wide, *bad, *rows]) or "published"


@app.command("long")
def long_command(
    millions: Annotated[int, typer.Option(help="How many million events.", min=2, max=256, metavar="N")] = 100,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure one long run on one core: whether an event costs the same after a hundred million others.

    Events come by a pipe, a million of them over and over, each time later and with ids of their own.

    For example: lepton-stream bench long --millions 100
    """
    where = facts(typed())
    with progress() as tell:
        told = {**where, **long(millions * COPY, tell)}
    give("long", told, long_lines(told), as_json=as_json, to=record)


@app.command("domains")
def domains_command(
    names: Annotated[list[str] | None, typer.Argument(help="Shipped pipelines; left out: all.", metavar="NAME")] = None,
    records: Records = 500_000,
    runs: Runs = 3,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure every shipped pipeline over its sample, repeated, on one core: events a second.

    Copies of the sample lie weeks apart, as JSON in the form of the pipeline's topic; all of them must count alike.

    For example: lepton-stream bench domains

    One of them: lepton-stream bench domains finance/fx_ticks
    """
    where = facts(typed())
    with progress() as tell:
        told = {**where, "pipelines": domains(names or shipped(), records, runs, tell)}
    give("domains", told, domains_lines(told), as_json=as_json, to=record)


@app.command("end-to-end")
@takes_options
def end_to_end_command(
    broker: Mapping[str, str | None],
    part: Annotated[list[Part] | None, typer.Option(help="Only this; may be given several times.")] = None,
    records: Records = 3_000_000,
    runs: Runs = 5,
    wide: Wide = False,
    bad: Bad = BAD,
    seed: Seed = 1,
    route: RouteBy = RouteChoice.PARTIALS,
    highest: Annotated[
        float | None,
        typer.Option(min=1, help="Freshness: the highest sustained rate, if known.", metavar="N"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=5, help="Freshness: how long at each load.", metavar="S")] = 40.0,
    quick: Quick = False,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure from Kafka to Kafka: throughput, freshness at 10, 50, 80 and 95 % of the highest rate, trickle, idle.

    Without --broker (or $KAFKA_BOOTSTRAP) a checkout starts an Apache Kafka of its own. Takes a quarter of an hour.

    For example: lepton-stream bench end-to-end

    A look: lepton-stream bench end-to-end --quick

    Throughput alone: lepton-stream bench end-to-end --part throughput --wide
    """
    where, parts = facts(typed()), set(part or Part)
    shape = Shape(1_200_000 if quick else records, seed=seed, wide=wide, bad=bad)
    runs, seconds = (1, 10.0) if quick else (runs, seconds)
    told: dict[str, Any] = {}
    guess = GUESS
    with progress() as tell, through_broker(broker, tell) as through:
        if Part.THROUGHPUT in parts:
            found = throughput(through, shape, runs, route.value)
            told["throughput"] = {variant(shape, route.value): {**where, **found}}
            guess = found["events_per_second"]["median"] / 2
        if Part.FRESHNESS in parts:
            rate, shares = (highest or GUESS, (0.5,)) if quick else (highest, SHARES)
            found = freshness(through, rate, guess, seconds, shares)
            told["freshness"] = {**where, **found}
        if Part.TRICKLE in parts:
            told["trickle"] = {**where, **trickle(through, seconds)}
        if Part.IDLE in parts:
            told["idle"] = {**where, **idle(through, seconds)}
    give("end_to_end", told, end_to_end_lines(told), as_json=as_json, to=record)


@app.command("scale")
@takes_options
def scale_command(
    broker: Mapping[str, str | None],
    part: Annotated[list[ScalePart] | None, typer.Option(help="Only this; may be given several times.")] = None,
    records: Records = 500_000,
    runs: Runs = 3,
    quick: Quick = False,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure how speed grows with workers held to a fifth of a core each, and cost with what events are like.

    Without --broker (or $KAFKA_BOOTSTRAP) a checkout starts an Apache Kafka of its own. Takes half an hour.

    For example: lepton-stream bench scale

    A look: lepton-stream bench scale --quick

    Workers alone: lepton-stream bench scale --part workers
    """
    where, parts = facts(typed()), set(part or ScalePart)
    records, runs = (100_000, 1) if quick else (records, runs)
    chosen = {knob: (values[0], values[-1]) for knob, values in KNOBS.items()} if quick else KNOBS
    told: dict[str, Any] = dict(where)
    with progress() as tell, through_broker(broker, tell, apart=True) as through:
        if ScalePart.WORKERS in parts:
            told["workers"] = workers(through, (1, 2) if quick else COUNTS, 2 * records, runs)
        if ScalePart.KNOBS in parts:
            told["knobs"] = knobs(through, records, runs, chosen)
    give("scale", told, scale_lines(told), as_json=as_json, to=record)


@app.command("compare")
@takes_options
def compare_command(
    broker: Mapping[str, str | None],
    base: Annotated[str, typer.Argument(help="A commit, tag or branch of this checkout.")],
    kafka: Annotated[bool, typer.Option("--kafka", help="From Kafka to Kafka too.")] = False,
    records: Records = 1_000_000,
    runs: Runs = 7,
    as_json: AsJson = False,
    record: RecordTo = None,
) -> None:
    """Measure this checkout against another commit, in turns: what time ours takes by what the base takes.

    For example: lepton-stream bench compare main

    Kafka too: lepton-stream bench compare HEAD~1 --kafka
    """
    where, shape = facts(typed()), Shape(records)
    with progress() as tell:
        with tempfile.TemporaryDirectory() as folder:
            told = {**where, **compare_engine(shape, base, runs, Path(folder), tell)}
        if kafka:
            with through_broker(broker, tell) as through:
                told["end_to_end"] = compare_kafka(through, shape, base, runs)
    give("compare", told, compare_lines(told), as_json=as_json, to=record)


app.command("autopilot")(autopilot_command)


@app.command("peers", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def peers_command(
    context: typer.Context,
    records: Annotated[str, typer.Option(help="How many events; several, with commas.", metavar="N[,N]")] = "1000000",
    runs: Runs = 1,
    only: Annotated[str | None, typer.Option(help="Some of them, joined by commas.", metavar="A,B")] = None,
) -> int:
    """Run the same job in other stream processors, as a checkout of the repository can.

    Other options go to `python -m tests.bench.peers` as they are, such as `--json FILE`.

    For example: lepton-stream bench peers --records 1000000 --runs 3
    """
    chosen = ["--only", only] if only else []
    return peers(["--records", records, "--runs", str(runs), *chosen, *context.args])


@app.command("page")
def page_command(
    source: Annotated[Path, typer.Option("--from", help="What `--record` wrote.")] = Path("docs/performance.json"),
    to: Annotated[Path, typer.Option("--to", help="The page; its plot goes beside it.")] = Path("docs/performance.md"),
) -> None:
    """Write the page of recorded figures, and its plot.

    For example: lepton-stream bench page --from figures.json --to performance.md
    """
    told = read(source)
    written({to: page(told), to.with_name(PLOT): plot(told)})
