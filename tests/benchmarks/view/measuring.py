"""Measures one program in one notebook, in windows that alternate between seen and not seen."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from tests.browser.lab import Notebook

from .programs import BARE_STREAM, PROBE

READY = 30_000  # ms

# Counts frames for a while, and times trivial cells in the page, as a person would meet them.
MEASURE = """async ({seconds, cells}) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const began = performance.now();
    let frames = 0;
    let counting = true;
    const count = () => { frames++; if (counting) requestAnimationFrame(count); };
    requestAnimationFrame(count);
    const times = [];
    for (let n = 0; n < cells; n++) {
        await new Promise((done) => setTimeout(done, (0.6 + 0.8 * Math.random()) * 800 * seconds / cells));
        const asked = performance.now();
        await kernel.requestExecute({code: '1', silent: true, store_history: false}).done;
        times.push(performance.now() - asked);
    }
    await new Promise((done) => setTimeout(done, Math.max(0, began + 1000 * seconds - performance.now())));
    counting = false;
    return {times, page: frames * 1000 / (performance.now() - began)};
}"""

# What the panels say of themselves.
HANDLERS = """() => Object.fromEntries([...document.querySelectorAll('.task-thread-view .task-thread')]
    .map(root => [root.dataset.panel, root.panelPage])
    .filter(([, page]) => page)
    .map(([name, page]) => [name, {
        frames: page.order.newest, drawn: page.drawn,
        handled: page.handled, drawing: page.drawTime,
    }]))"""

# Counts what the page's websockets bring, from the page's load on.
WIRE = """
window.wireOfBench = {messages: 0, bytes: 0};
window.WebSocket = class extends window.WebSocket {
    constructor(...args) {
        super(...args);
        this.addEventListener('message', ({data}) => {
            window.wireOfBench.messages++;
            window.wireOfBench.bytes += data.byteLength ?? data.size ?? data.length;
        });
    }
};
"""

HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@dataclass
class Window:
    """What one window of time told."""

    seconds: float
    cpu: float  # points of a core
    turns: float  # per second
    ticks: int
    sent: dict[str, tuple[int, int]]  # messages and bytes by panel
    wire: tuple[int, int] = (0, 0)
    times: list[float] = field(default_factory=list)  # ms that cells took in the page
    beside: list[float] = field(default_factory=list)  # and asked beside the server
    page: float = 0
    handlers: dict[str, float] = field(default_factory=dict)  # ms a frame by panel


class Bench:
    """One program in one notebook.

    Args:
        notebook: whose first cell is the program.
        seconds: length of a window.
        cells: how many trivial cells are run in one.
    """

    def __init__(self, notebook: Notebook, seconds: float, cells: int) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.seconds = seconds
        self.cells = cells

    def begin(self) -> None:
        """Run the program, which nobody looks at yet."""
        self.page.add_init_script(WIRE)
        self.notebook.reload()
        self.notebook.run_all()
        failed = self.notebook.failed_cells()
        if failed:
            raise RuntimeError(f"the program does not run: {failed}")
        self.notebook.kernel.execute(PROBE)
        self.page.wait_for_timeout(2000)

    def show(self) -> None:
        """Evaluate the thread, and show all its panels at once."""
        index = self.notebook.add_cell("program")
        view = self.notebook.cell(index).locator(".task-thread-view")
        view.locator('[role="treeitem"]').first.wait_for(timeout=READY)
        view.get_by_role("tab", name="All").click()
        view.evaluate("e => e.scrollIntoView({block: 'start'})")
        self.page.wait_for_timeout(3000)
        unseen = self.notebook.kernel.evaluate(
            "[type(p).__name__ for p in __import__('task_thread_widgets').view_of(program).panels"
            " if not p._presences.seen(asyncio.get_running_loop().time(), p._numbered)]"
        )
        if unseen:
            raise RuntimeError(f"these panels are not in sight, make the page larger: {unseen}")

    def hide(self, hidden: bool) -> None:
        """Hide or show the page, as switching to another tab of the browser does."""
        self.page.evaluate(HIDE, hidden)
        self.page.wait_for_timeout(1500)

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.notebook.kernel.evaluate("probe.look()")
        return found

    def window(self, cells: int | None = None) -> Window:
        """Measure for a while."""
        handlers = self.page.evaluate(HANDLERS)
        before = self.look()
        wire = self.page.evaluate("window.wireOfBench")
        cells = self.cells if cells is None else cells
        arguments = {"seconds": self.seconds, "cells": cells}
        measured = self.page.evaluate(MEASURE, arguments)
        brought = self.page.evaluate("window.wireOfBench")
        after = self.look()
        seconds = after["at"] - before["at"]
        sent = {
            panel: (
                messages - before["sent"].get(panel, (0, 0))[0],
                size - before["sent"].get(panel, (0, 0))[1],
            )
            for panel, (messages, size) in after["sent"].items()
        }
        return Window(
            seconds=seconds,
            cpu=100 * (after["cpu"] - before["cpu"]) / seconds,
            turns=(after["turns"] - before["turns"]) / seconds,
            ticks=after["ticks"] - before["ticks"],
            sent=sent,
            wire=(brought["messages"] - wire["messages"], brought["bytes"] - wire["bytes"]),
            times=measured["times"],
            beside=[self._cell_beside() for _ in range(cells)],
            page=measured["page"],
            handlers=_handlers(handlers, self.page.evaluate(HANDLERS)),
        )

    def _cell_beside(self) -> float:
        """Time a trivial cell, asked over the kernel's own socket and not through the server."""
        time.sleep(0.1 + 0.1 * random.random())
        asked = time.perf_counter()
        self.notebook.kernel.execute("1")
        return 1000 * (time.perf_counter() - asked)

    def bare_stream(self) -> Window:
        """Measure with no view, while the kernel sends one small message ten times a second."""
        self.notebook.kernel.execute(BARE_STREAM)
        window = self.window()
        self.notebook.kernel.execute("bare_stream.close()")
        return window


def _handlers(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """Return the milliseconds that a frame takes, by panel: to take it in, and to draw once."""
    found = {}
    for name, new in after.items():
        old = before.get(name, dict.fromkeys(new, 0))
        frames = new["frames"] - old["frames"]
        drawn = new["drawn"] - old["drawn"]
        drawing = new["drawing"] - old["drawing"]
        taking = new["handled"] - old["handled"] - drawing
        if frames > 0:
            found[name] = taking / frames + drawing / max(1, drawn)
    return found


def measure(bench: Bench, rounds: int) -> dict[str, Any]:
    """Measure a program with no view, then seen and hidden in turn."""
    bench.begin()
    none = [bench.window() for _ in range(2)]
    bare = bench.bare_stream()
    bench.show()
    bench.window(0)  # what is made once is made now
    seen, hidden = [], []
    for _ in range(rounds):
        bench.hide(True)
        hidden.append(bench.window(0))
        bench.hide(False)
        seen.append(bench.window())
    # Timing cells has a price of its own: CPU is compared without.
    pairs = []
    alone = []
    for _ in range(rounds):
        bench.hide(True)
        hidden.append(bench.window(0))
        bench.hide(False)
        alone.append(bench.window(0))
        pairs.append(alone[-1].cpu - hidden[-1].cpu)
    times = [t for w in seen for t in w.times]
    quiet = [t for w in none for t in w.times]
    beside = [t for w in seen for t in w.beside]
    beside_quiet = [t for w in none for t in w.beside]
    ticks = sum(w.ticks for w in seen)
    per_panel = {
        name: {
            "messages": sum(w.sent.get(name, (0, 0))[0] for w in seen) / max(1, ticks),
            "kB/s": sum(w.sent.get(name, (0, 0))[1] for w in seen)
            / 1000
            / sum(w.seconds for w in seen),
        }
        for name in seen[-1].sent
    }
    handlers = {
        name: statistics.median(w.handlers[name] for w in seen if name in w.handlers)
        for name in seen[-1].handlers
    }
    return {
        "cpu": statistics.median(pairs),
        "cpu_rounds": pairs,
        "cpu_without": statistics.median(w.cpu for w in hidden),
        "turns": statistics.median(w.turns for w in seen),
        "turns_without": statistics.median(w.turns for w in hidden),
        "messages": max(panel["messages"] for panel in per_panel.values()),
        "traffic": statistics.median(w.wire[1] / 1000 / w.seconds for w in alone),
        "traffic_without": statistics.median(w.wire[1] / 1000 / w.seconds for w in hidden),
        "wire_messages": statistics.median(w.wire[0] / w.seconds for w in alone),
        "frames": statistics.median(w.ticks / w.seconds for w in seen),
        "panels": per_panel,
        "beside_median": statistics.median(beside),
        "beside_p95": _percentile(beside, 0.95),
        "beside_median_without": statistics.median(beside_quiet),
        "beside_p95_without": _percentile(beside_quiet, 0.95),
        "cell_median_bare": statistics.median(bare.times),
        "cell_p95_bare": _percentile(bare.times, 0.95),
        "cell_median": statistics.median(times),
        "cell_p95": _percentile(times, 0.95),
        "cell_median_without": statistics.median(quiet),
        "cell_p95_without": _percentile(quiet, 0.95),
        "page": statistics.median(w.page for w in seen),
        "page_without": statistics.median(w.page for w in none),
        "handler": max(handlers.values()),
        "handlers": handlers,
        # Two ticks may be under way when a page is hidden; after that there are none.
        "hidden_messages": max(sum(m for m, _ in w.sent.values()) for w in hidden),
        "hidden_samples": max(w.ticks for w in hidden),
    }


def stop_time(notebook: Notebook, times: int) -> list[float]:
    """Return how long it took, in milliseconds, from pressing Stop until the thread had stopped."""
    notebook.run_all()
    index = notebook.add_cell("program")
    panel = notebook.cell(index).locator('[data-panel="tree"]')
    found = []
    for _ in range(times):
        button = panel.get_by_role("button", name="Stop idle")
        button.wait_for(timeout=READY)
        time.sleep(1)  # an idle kernel
        pressed = button.evaluate(
            "b => { const now = performance.timeOrigin + performance.now(); b.click(); return now; }"
        )
        panel.locator('[data-kind="thread"][data-state="stopped"]').wait_for(timeout=READY)
        left_at = notebook.kernel.evaluate("program.left_at")
        found.append(1000 * left_at - pressed)
        panel.get_by_role("button", name="Start idle").click()
    return found


def closed(bench: Bench) -> tuple[int, int]:
    """Close the page's view; return the messages and samples that still came after a second."""
    bench.notebook.kernel.execute("__import__('task_thread_widgets').view_of(program).close()")
    bench.page.wait_for_timeout(1000)
    window = bench.window(0)
    return sum(messages for messages, _ in window.sent.values()), window.ticks


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
