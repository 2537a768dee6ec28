"""The closing lines of a run, on stderr."""

from __future__ import annotations

import sys

from lepton_stream.account import Account
from lepton_stream.printable import printable
from lepton_stream.runtime.local import LocalRun
from lepton_stream.telemetry.catalogue import ENDED
from lepton_stream.telemetry.cost import Cost
from lepton_stream.telemetry.facts import tell
from lepton_stream.telemetry.logs import log_is_json

_NAMED, _LONGEST = 20, 60


def totals(run: LocalRun, cost: Cost | None = None, *, interrupted: bool = False) -> None:
    """What became of the records, how many results, how fast, at what cost."""
    print_account(run.plan.name, run.account, run.results, run.seconds, cost, run.events if run.plan.in_order else None)
    if interrupted and not run.ended and not log_is_json():
        told = "interrupted: what was written is right as far as it goes; open windows were not published"
        print(f"  {told}", file=sys.stderr)


def print_account(
    name: str, account: Account, results: int, seconds: float, cost: Cost | None = None, events: int | None = None
) -> None:
    """The account in a few lines, as one fact where the log is JSON.

    `seconds` and `cost`: of this run; `events`: of models, None where the plan has none.
    """
    if log_is_json():
        more = {} if cost is None else {"cost": cost.to_dict()}
        tell(ENDED, account=account.to_dict(), results=results, seconds=round(seconds, 6), **more)
        return
    dead = account.dead_lettered.total()
    outcomes = (
        f"accepted {account.accepted:,}, duplicate {account.duplicate:,}, late {account.late:,}, dead-lettered {dead:,}"
    )
    speed = f", {account.read / seconds:,.0f} records/s" if seconds > 0 else ""
    lines = [f"{name}: read {account.read:,} = {outcomes}"]
    lines += [f"  dead-lettered {reason}: {count:,}" for reason, count in sorted(account.dead_lettered.items())]
    lines += [f"  late for window {name} only: {count:,}" for name, count in sorted(account.late_by_window.items())]
    if account.filtered:
        lines.append(f"  kept out of every window by where: {account.filtered:,}")
    filtered = sorted(account.filtered_by_window.items())
    lines += [f"  kept out of window {name} by where: {count:,}" for name, count in filtered]
    lines += [f"  mended by {rule}: {count:,}" for rule, count in sorted(account.mended.items())]
    if account.unlisted:
        lines.append(f"  not listed in the plan, ignored: {_some(sorted(account.unlisted))}")
    published = "" if events is None else f" and {events:,} events"
    lines.append(f"  {results:,} results{published} in {seconds:.1f} s{speed}")
    if cost is not None and (told := str(cost)):
        lines.append(f"  {told}")
    print("\n".join(lines), file=sys.stderr)


def _some(names: list[str]) -> str:
    """Names of the data's own choosing: neither many nor long ones may flood the terminal, nor escapes steer it."""
    told = [printable(name[:_LONGEST]) for name in names[:_NAMED]]
    more = len(names) - len(told)
    return ", ".join(told) + (f" and {more:,} more" if more else "")
