"""The measured lines as a Markdown table, which reads well in a terminal too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.peers.standing import Line

HEAD = (
    "program",
    "records",
    "events/s",
    "CPU-s per 1 M",
    "start-up s",
    "peak MB",
    "others",
    "exact",
    "Lepton is",
    "bar",
    "met",
)


def table(lines: Sequence[Line]) -> str:
    """One row a line. "Lepton is": how many times faster by the clock, and with how many times less CPU."""
    rows = [_cells(line) for line in lines]
    widths = [max(len(row[i]) for row in (HEAD, *rows)) for i in range(len(HEAD))]
    bar = [":" + "-" * (w - 1) if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    shown = [_row(HEAD, widths), "| " + " | ".join(bar) + " |", *(_row(row, widths) for row in rows)]
    return "\n".join(shown) + "\n"


def left_out(skipped: Mapping[str, str]) -> str:
    """What was not measured, one line each, with the reason."""
    return "".join(f"- {name} was not measured: {reason}\n" for name, reason in skipped.items())


def verdict(lines: Sequence[Line]) -> str:
    """One sentence."""
    judged = [line for line in lines if line.met is not None]
    missed = [f"{line.peer.name} ({line.records})" for line in judged if not line.met]
    wrong = [line.peer.name for line in lines if line.seen and not line.seen.exact]
    if not judged:
        said = "Nothing was judged: no run of ours, or of no other."
    else:
        said = f"Bars missed: {', '.join(missed)}." if missed else f"All {len(judged)} bars are met."
    return said + (f" Not exact: {', '.join(wrong)}." if wrong else "")


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))]
    return "| " + " | ".join(padded) + " |"


def _cells(line: Line) -> tuple[str, ...]:
    seen = line.seen
    speed = f"{line.speed.events_per_s:,.0f}"
    if seen and seen.runs > 1:
        speed += f" ({seen.lowest:,.0f} to {seen.highest:,.0f})"
    around = (
        (
            f"{seen.start_up_s:.1f}",
            f"{seen.peak_mb:,.0f}",
            f"{seen.others:.0%}",
            "yes" if seen.exact else f"no: {seen.right}",
        )
        if seen
        else ("",) * 4
    )
    judged = ("", "", "")
    if line.times_speed is not None and line.times_cpu is not None:
        times = f"{line.times_speed:,.1f}, {line.times_cpu:,.1f} times"
        judged = (times, *((f"{line.peer.bar:g}", "yes" if line.met else "NO") if line.judged else ("", "")))
    return (line.peer.shown, line.records, speed, f"{line.speed.cpu_s:,.2f}", *around, *judged)
