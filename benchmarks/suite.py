"""Measures every row of the budget table, prints them and writes them as JSON; speed never fails, only what breaks."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import first_run
import growth
import http_runs
import load
import measure
import msgspec
import throughput
import warm_call
import warm_pools
from measure import Row, Scale
from rich import box
from rich.console import Console
from rich.table import Table

from authpipe import __version__

RESULT = Path(__file__).with_name("result.json")


class Result(msgspec.Struct, kw_only=True):
    """What a run of the suite leaves behind."""

    version: str
    measured_at: str
    #: processors, memory, interpreter, HTTP client
    machine: dict[str, str]
    quick: bool
    #: of the processors' time, what other processes took meanwhile (0 to 1); above 0.1 figures are not to be trusted
    others_share: float
    #: seconds
    duration: float
    rows: list[Row]
    #: question → why it could not be measured
    broken: dict[str, str]


def main() -> int:
    """Run the questions asked for; 1 when one did not run."""
    options = _options()
    scale = measure.QUICK if options.quick else measure.FULL
    wrk = load.has_wrk() and not options.no_wrk
    questions = _questions(wrk)
    asked = options.only or list(questions)
    console = Console() if sys.stdout.isatty() else Console(width=140)
    began, busy, found, broken = time.monotonic(), _busy(), list[Row](), dict[str, str]()
    for name in asked:
        console.print(f"measuring {name.replace('_', ' ')} …", style="dim")
        try:
            found += questions[name](scale)
        except Exception as error:
            traceback.print_exc()
            broken[name] = f"{type(error).__name__}: {error}"
    result = Result(
        version=__version__,
        measured_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        machine=_machine(wrk),
        quick=options.quick,
        others_share=_others_share(busy),
        duration=round(time.monotonic() - began, 1),
        rows=found,
        broken=broken,
    )
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(result)), indent=1) + b"\n")
    _show(console, result, options.output)
    return 1 if broken else 0


def _questions(wrk: bool) -> dict[str, Callable[[Scale], list[Row]]]:
    return {
        "warm_call": warm_call.rows,
        "throughput": throughput.rows,
        "http_runs": partial(http_runs.rows, wrk=wrk),
        "first_run": first_run.rows,
        "warm_pools": warm_pools.rows,
        "growth": growth.rows,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny iterations: shows that it runs, not how fast")
    parser.add_argument("--only", action="append", choices=_questions(False), help="one question; may be repeated")
    parser.add_argument("--no-wrk", action="store_true", help="use plain sockets even where wrk is installed")
    parser.add_argument("--output", type=Path, default=RESULT, help=f"where the JSON goes (default {RESULT.name})")
    return parser.parse_args()


def _machine(wrk: bool) -> dict[str, str]:
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "processors": str(os.cpu_count()),
        "memory": f"{gigabytes:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "http_client": "wrk" if wrk else "plain sockets",
    }


def _busy() -> tuple[float, float, float]:
    """Processor time so far, seconds: everybody's busy time, ours with that of children that ended, all there was."""
    user, nice, system, idle, waiting, *rest = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9])
    total = user + nice + system + sum(rest)
    ticks, ours = os.sysconf("SC_CLK_TCK"), os.times()
    return total / ticks, sum(ours[:4]), (total + idle + waiting) / ticks


def _others_share(before: tuple[float, float, float]) -> float:
    busy, ours, available = (now - then for now, then in zip(_busy(), before, strict=True))
    return round(max(0.0, busy - ours) / available, 3)


def _rounded(result: Result) -> Result:
    for row in result.rows:
        row.figure, row.p99, row.p999 = (
            None if value is None else float(f"{value:.4g}") for value in (row.figure, row.p99, row.p999)
        )
    return result


def _show(console: Console, result: Result, output: Path) -> None:
    table = Table(title=f"authpipe {result.version}, {_spoken(result.machine)}", box=box.SIMPLE_HEAD)
    table.add_column("question", overflow="fold")
    for heading in ("p50 *", "p99", "p99.9", "unit", "budget", "met"):
        table.add_column(heading, justify="left" if heading in ("unit", "met") else "right")
    for row in result.rows:
        sign = "≥" if row.at_least else "≤"
        budget = "" if row.budget is None else f"{sign} {_number(row.budget)}"
        figures = (_number(value) for value in (row.figure, row.p99, row.p999))
        table.add_row(row.question, *figures, row.unit, budget, _met(row))
    console.print(table)
    console.print("* rates and ratios: the median of rounds; memory: the mean", style="dim")
    for name, reason in result.broken.items():
        console.print(f"[red]{name} did not run:[/] {reason}")
    console.print(f"other processes took {result.others_share:.0%} of the processors", highlight=False)
    console.print(f"{result.duration:.0f} s; written to {output}", highlight=False)


def _met(row: Row) -> str:
    if row.figure is None:
        return "[dim]not measured[/]"
    return {None: "", True: "[green]yes[/]", False: "[red]missed[/]"}[row.met]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _spoken(machine: dict[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in machine.items())


if __name__ == "__main__":
    sys.exit(main())
