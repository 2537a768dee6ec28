"""The closing lines of a run, on stderr."""

from __future__ import annotations

import sys

from lepton_stream.runtime.local import LocalRun


def totals(run: LocalRun, *, interrupted: bool = False) -> None:
    """What became of the records, how many results, how fast."""
    account = run.account
    dead = account.dead_lettered.total()
    outcomes = (
        f"accepted {account.accepted:,}, duplicate {account.duplicate:,}, late {account.late:,}, dead-lettered {dead:,}"
    )
    speed = f"{account.read / run.seconds:,.0f} records/s" if run.seconds > 0 else ""
    lines = [f"{run.plan.name}: read {account.read:,} = {outcomes}"]
    lines += [f"  dead-lettered {reason}: {count:,}" for reason, count in sorted(account.dead_lettered.items())]
    lines += [f"  late for window {name} only: {count:,}" for name, count in sorted(account.late_by_window.items())]
    lines += [f"  mended by {rule}: {count:,}" for rule, count in sorted(account.mended.items())]
    if account.unlisted:
        lines.append(f"  not listed in the plan, ignored: {', '.join(sorted(account.unlisted))}")
    lines.append(f"  {run.results:,} results in {run.seconds:.1f} s, {speed}")
    if interrupted:
        lines.append("  interrupted: what was written is right as far as it goes; open windows were not published")
    print("\n".join(lines), file=sys.stderr)
