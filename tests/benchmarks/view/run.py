"""The command: measures both programs, prints the budget, and writes the figures."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.browser.lab import CHROMIUM_FLAGS, Notebook, Server

from ..implementations import CHECKOUT
from ..report import machine, today
from . import programs
from .goals import ALONE, BUDGET, Goal
from .measuring import Bench, closed, measure, stop_time

SIZE = {"width": 1600, "height": 2600}  # of the page: every panel is in sight
TITLES = {
    "many": "1,000 tasks of 10 turns/s",
    "fast": "one task of 10,000 turns/s",
}
PROMPT = [  # as `make lab` has it
    "--ServerApp.kernel_websocket_connection_class="
    "task_thread_widgets.prompt_connection.PromptConnection"
]


def main() -> int:
    """Measure, print a table, and write the JSON file."""
    options = _options()
    console = Console(width=None if os.isatty(1) else 160)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root = folder / "root"
        root.mkdir()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=shutil.which(os.environ.get("CHROMIUM", "chromium")),
            args=CHROMIUM_FLAGS,
        )
        stack.callback(browser.close)
        (folder / "jupyterlab").mkdir()
        server = Server(folder / "jupyterlab", root, more=[] if options.plain_server else PROMPT)
        stack.callback(server.stop)
        figures = _measure(server, browser, root, options, Console(stderr=True))
    _print(console, figures)
    told = {"date": today(), "machine": machine(), "quick": options.quick, **figures}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    console.print(f"written: {options.json}", soft_wrap=True)
    return 0


def _measure(
    server: Server, browser: Browser, root: Path, options: Any, progress: Console
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with progress.status("stop") as status:
        notebook = _open(server, browser, root, "stop", programs.IDLE)
        figures["stop_rounds"] = stop_time(notebook, 3 if options.quick else 7)
        figures["stop"] = statistics.median(figures["stop_rounds"])
        _shut(server, notebook)
        for name, program in (("many", programs.MANY), ("fast", programs.FAST)):
            if options.only and name not in options.only:
                continue
            status.update(TITLES[name])
            notebook = _open(server, browser, root, name, program)
            bench = Bench(notebook, options.seconds, options.cells)
            figures[name] = measure(bench, options.rounds)
            if options.screenshot:
                notebook.screenshot(f"bench-{name}")
            messages, samples = closed(bench)
            figures[name]["closed_messages"], figures[name]["closed_samples"] = messages, samples
            figures[name]["errors"] = notebook.errors
            _shut(server, notebook)
    for key in ("messages", "samples"):
        found = [
            figures[name][f"{how}_{key}"]
            for name in TITLES
            if name in figures
            for how in ("hidden", "closed")
        ]
        if found:
            figures[f"hidden_{key}"] = max(found)
    return figures


def _open(server: Server, browser: Browser, root: Path, name: str, program: str) -> Notebook:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(program)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, root / f"{name}.ipynb")
    opened = Notebook(server, browser, f"{name}.ipynb")
    opened.page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    opened.command("application:toggle-left-area")
    return opened


def _shut(server: Server, notebook: Notebook) -> None:
    notebook.close()
    server.shut_down_kernels()


def _print(console: Console, figures: dict[str, Any]) -> None:
    shown = [name for name in TITLES if name in figures]
    table = Table(title="the live view, all panels shown")
    table.add_column("")
    table.add_column("goal", justify="right")
    for name in shown:
        table.add_column(TITLES[name], justify="right")
        table.add_column("without", justify="right", style="dim")
    for goal in BUDGET:
        cells = []
        for name in shown:
            cells += [_cell(goal, figures[name].get(goal.key)), _plain(figures[name], goal.key)]
        table.add_row(goal.title, f"{goal} {goal.unit}", *cells)
    for goal in ALONE:
        table.add_row(goal.title, f"{goal} {goal.unit}", _cell(goal, figures.get(goal.key)))
    console.print(table)
    for name in shown:
        told = figures[name]
        panels = ", ".join(
            f"{panel} {of['messages']:.2f}/frame {of['kB/s']:.1f} kB/s"
            for panel, of in told["panels"].items()
        )
        handlers = ", ".join(f"{panel} {ms:.2f}" for panel, ms in told["handlers"].items())
        console.print(
            f"{TITLES[name]}: {told['frames']:.1f} frames/s; {panels}; handlers, ms a frame: {handlers}; "
            f"{told['turns']:,.0f} turns/s, without {told['turns_without']:,.0f}; "
            f"{told['wire_messages']:.0f} messages/s on the wire; a trivial cell in the page with no view "
            f"and ten bare messages a second: median {told['cell_median_bare']:.1f} ms, "
            f"p95 {told['cell_p95_bare']:.1f} ms",
            soft_wrap=True,
        )


def _cell(goal: Goal, value: float | None) -> str:
    if value is None:
        return "-"
    colour = "green" if goal.is_met(value) else "red"
    return f"[{colour}]{value:,.1f}[/]" if value < 100 else f"[{colour}]{value:,.0f}[/]"


def _plain(figures: dict[str, Any], key: str) -> str:
    value = figures.get(f"{key}_without")
    return "" if value is None else f"{value:,.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.view",
        description="Measures what the live view costs, in a real JupyterLab and Chromium.",
    )
    parser.add_argument("--quick", action="store_true", help="shorter windows, fewer rounds")
    parser.add_argument("--only", action="append", choices=list(TITLES), help="one program only")
    parser.add_argument("--rounds", type=int, help="pairs of windows (5; with --quick 2)")
    parser.add_argument("--seconds", type=float, help="of a window (6; with --quick 3)")
    parser.add_argument(
        "--plain-server",
        action="store_true",
        help="a JupyterLab as it is, not as `make lab` starts it",
    )
    parser.add_argument("--screenshot", action="store_true", help="keep a picture of each view")
    parser.add_argument(
        "--json", type=Path, default=CHECKOUT / "build" / "bench-view.json", metavar="FILE"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (3 if options.quick else 6)
    options.cells = int(options.seconds * 3)
    return options
