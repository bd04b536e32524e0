"""How soon a long recording shows another moment: ten minutes of 100 tasks, in Chromium, from the disk.

    python -m tests.benchmarks.scrub [SECONDS] [ROUNDS]

Each round opens the page anew, so that its first jump meets code that nothing has run yet. What is measured
goes from the move of the scrubber to the end of the next drawing. With anything else at work on the machine
the figures say little; the least of the rounds says most. Goal: 100 ms.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import async_solipsism
from playwright.sync_api import Page, sync_playwright

from task_thread import TaskThread, reCreate, replay, reSchedule
from task_thread.recording import export_html

TASKS = 100
GOAL = 100.0  # milliseconds

JUMP = """async (at) => {
  const { player } = document.documentElement.replay;
  const began = performance.now();
  player.goTo(at);
  await new Promise((drawn) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = drawn;
    port2.postMessage(0);
  }));
  return performance.now() - began;
}"""


class Crowd(TaskThread):
    """Tasks that turn once or twice a second, some of which share a lock."""

    def initVars__(self) -> None:
        self.lock = asyncio.Lock()

    async def enter__(self) -> None:
        for number in range(TASKS):
            setattr(self.tasks, f"task{number}", await reCreate(None, self.turn__, number))

    async def turn__(self, number: int) -> None:
        await asyncio.sleep(0.3 + 0.007 * number)
        if number % 10 == 0:
            async with self.lock:
                await asyncio.sleep(0.01)
        setattr(self.tasks, f"task{number}", await reSchedule(self.turn__, number))


def record(path: Path, seconds: float) -> None:
    """Record the crowd in simulated time."""

    async def main() -> None:
        crowd = Crowd()
        crowd.record(path)
        crowd.start()
        await asyncio.sleep(seconds)
        await crowd.stop()
        await crowd.join()

    loop: Any = async_solipsism.EventLoop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
    asyncio.set_event_loop(None)
    loop.close()


def jumps(page: Page, address: str, moments: list[float]) -> list[float]:
    """Return how many milliseconds each jump of a page that was just opened took."""
    page.goto(address)
    page.locator(".rp-play:focus").wait_for()
    page.wait_for_timeout(2000)  # somebody looks where to go
    return [float(page.evaluate(JUMP, at)) for at in moments]


def main(seconds: float, rounds: int) -> None:
    """Record, measure, and print the figures."""
    chance = random.Random(1)
    moments = [seconds * 0.45, *(chance.uniform(0, seconds) for _ in range(10))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crowd"
        record(path, seconds)
        with replay(path) as recording:
            print(recording)
        export_html(path, path.with_suffix(".html"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            found = []
            for _ in range(rounds):
                page = browser.new_page(viewport={"width": 1300, "height": 900})
                found.append(jumps(page, path.with_suffix(".html").as_uri(), moments))
                page.close()
            browser.close()
    firsts = [took[0] for took in found]
    others = [took for one in found for took in one[1:]]
    for name, times in (("first jump", firsts), ("other jumps", others)):
        print(
            f"{name}: least {min(times):.0f} ms, median {statistics.median(times):.0f}, "
            f"most {max(times):.0f} (goal: {GOAL:.0f})"
        )


if __name__ == "__main__":
    main(*(float(text) for text in sys.argv[1:2] or ["600"]), int((sys.argv[2:] or ["5"])[0]))
