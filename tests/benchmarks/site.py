"""How soon a page of the site's lab shows a live view, and what the view costs there.

    make site
    python -m tests.benchmarks.site                 build/site, three rounds
    python -m tests.benchmarks.site FOLDER ROUNDS

Each round begins with a browser that was never here, asks for notebook 01, runs its first five cells as soon
as they are there, as a hurried reader does, and waits until a task in the view has turned; then it asks once
more, with what the browser has kept; and once in a private window. It reaches nothing but the site's own
server, which is this machine: a network's time is to be added.
With anything else at work the figures say little.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext

from .implementations import CHECKOUT
from .report import machine, today

sys.path += [str(CHECKOUT / "tests" / name) for name in ("browser", "site")]

from lab import VIEWPORT, chromium_with_cache
from lite_page import STARTING, Site, chromium_alone

GOALS = {"first visit": 30.0, "another visit": 10.0, "private window": 30.0}  # seconds

# When Python has answered: workers of JupyterLab's own do not number their messages.
WATCH = """
const marks = (globalThis.marksOfBench = {});
globalThis.Worker = class extends Worker {
    constructor(url, options) {
        super(url, options);
        this.addEventListener("message", ({ data }) => { if (data?.id) marks.python ??= performance.now(); });
    }
};
"""
RUN = """async (patience) => {
    const end = performance.now() + 1000 * patience;
    const pause = () => new Promise((later, fail) => {
        if (performance.now() > end) fail(new Error(`no live view within ${patience} s`));
        setTimeout(later, 20);
    });
    while (!globalThis.jupyterapp?.shell.currentWidget?.context?.isReady) await pause();
    const { content, sessionContext } = jupyterapp.shell.currentWidget;
    marksOfBench.notebook = performance.now();
    while (!sessionContext.session?.kernel) await pause(); // else nothing is run
    const cells = content.widgets.filter((one) => one.model.type === "code").slice(0, 5);
    for (const cell of cells) {
        content.activeCellIndex = content.widgets.indexOf(cell);
        content.deselectAll();
        await jupyterapp.commands.execute("notebook:run-cell");
    }
    marksOfBench.cells = performance.now();
    const live = () => [...document.querySelectorAll("[role=treeitem][data-kind=task]")]
        .some((row) => +row.dataset.turns > 0);
    while (!live()) await pause();
    marksOfBench.view = performance.now();
    return marksOfBench;
}"""
MARKS = {
    "notebook": "notebook",
    "python": "Python answers",
    "cells": "cells have run",
    "view": "view lives",
}


def visit(context: BrowserContext, url: str) -> dict[str, float]:
    """Ask for the notebook; return when what was reached, in seconds since then."""
    with closing(context.new_page()) as page:
        page.add_init_script(WATCH)
        page.set_default_timeout(1000 * STARTING)
        asked = time.time()
        page.goto(url)
        marks = page.evaluate(RUN, STARTING)
        late = page.evaluate("performance.timeOrigin / 1000") - asked
        return {name: late + at / 1000 for name, at in marks.items()}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    site = Site(folder)
    try:
        yield f"{site.url}lite/lab/index.html?path=01_anatomy_of_a_task.ipynb"
    finally:
        site.stop()


def main(folder: Path, rounds: int) -> None:
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in GOALS}
    about = machine()
    print(f"{today()}, {about['cores']} cores, {about['cpu']}")
    with served(folder) as url:
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as profile:
                for kind in ("first visit", "another visit"):
                    with chromium_with_cache(Path(profile)) as context:
                        found[kind].append(visit(context, url))
            with (
                chromium_alone() as browser,
                closing(browser.new_context(viewport=VIEWPORT)) as context,
            ):
                found["private window"].append(visit(context, url))
            print(
                f"round {number + 1}, load {Path('/proc/loadavg').read_text().split()[0]}",
                flush=True,
            )
            for kind, visits in found.items():
                print(
                    f"  {kind:15}", *(f"{MARKS[n]} {visits[-1][n]:5.1f}" for n in MARKS), sep="  "
                )
    for kind, visits in found.items():
        lives = [one["view"] for one in visits]
        print(
            f"{kind}: {statistics.median(lives):.1f} s (goal {GOALS[kind]:.0f}), least {min(lives):.1f}"
        )


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "build" / "site"
    main(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
