"""The command: what to measure, on which interpreters, and where the results go."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from .goals import WORKS, Work
from .implementations import CHECKOUT, find_python, implementations, version_of
from .measuring import run_work
from .report import as_json, machine, print_table, today


def main() -> int:
    """Measures, prints a table for each interpreter, and writes the JSON file."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() and not options.markdown else 260)
    progress = Console(stderr=True)
    works = [work for work in WORKS if _is_chosen(work, options.only)]
    if not works:
        names = ", ".join(work.name for work in WORKS)
        print(f"no work's name begins with {options.only}: there are {names}", file=sys.stderr)
        return 2
    results = []
    for wanted in options.python or [sys.executable]:
        try:
            python = find_python(wanted)
        except LookupError as error:
            print(error, file=sys.stderr)
            return 2
        with progress.status(f"preparing {python}") as status:
            three = implementations(python)
            rows = []
            for work in works:
                rows += run_work(work, three, options.rounds, options.quick, status.update)
        version = version_of(three[0].python)
        print_table(console, version, rows, three, options.markdown)
        results.append(as_json(version, rows, three))
    told = {"date": today(), "machine": machine(), "quick": options.quick, "pythons": results}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    console.print(f"written: {options.json}", soft_wrap=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Compares this task_thread with the reference and with bare asyncio.",
    )
    parser.add_argument(
        "--only",
        metavar="WORK",
        action="append",
        help="only works whose name begins so (may be repeated): "
        + ", ".join(work.name for work in WORKS),
    )
    parser.add_argument("--rounds", type=int, help="rounds of every work (7; with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--python",
        metavar="PATH",
        action="append",
        help="interpreter to measure on: a path or a version such as 3.13 (may be repeated)",
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument(
        "--json", type=Path, default=CHECKOUT / "build" / "bench.json", metavar="FILE"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 7)
    return options


def _is_chosen(work: Work, only: "list[str] | None") -> bool:
    return not only or any(work.name.startswith(beginning) for beginning in only)
