"""Every control of the page, on each ipykernel: idle, while a cell awaits, while a cell blocks.

Which OS thread and loop hears a click differs (see DESIGN.md); what must not differ is the effect: on
the thread's own loop, once for each click, none lost, and as soon as the loop is free. What the kernel
saw is written down by the program itself, in order.

The times that clicks take are shown by `pytest -rP`, and judged by nobody: machines differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernel_venvs import OTHERS
from lab import Notebook
from playwright.sync_api import Locator, expect

PROGRAM = """
import asyncio, os, threading, time
from task_thread import TaskThread, reCreate, reSchedule

HOME = asyncio.get_running_loop()
events = []

def note(what):
    right = asyncio.get_running_loop() is HOME and threading.current_thread() is threading.main_thread()
    events.append(what if right else f"{what} ON ANOTHER LOOP")

class Worker(TaskThread):
    slots = ()

    def __init__(self, name, parent=None):
        self.name = name
        super().__init__(parent)

    def getId(self):
        return self.name

    async def enter__(self):
        for slot in self.slots:
            setattr(self.tasks, slot, await reCreate(None, getattr(self, slot)))
        note(f"{self.name} entered")

    async def exit__(self):
        note(f"{self.name} left")

    async def signalHandler__(self, signal):
        note(f"{self.name} got {signal.getMessage()}")

class Tasks(Worker):
    slots = ("tick", "tock", "beat")

    async def tick(self):
        await asyncio.sleep(0.01)
        self.tasks.tick = await reSchedule(self.tick)

    async def tock(self):
        await asyncio.sleep(0.01)
        if stepping:
            note("tock turned")
        self.tasks.tock = await reSchedule(self.tock)

    async def beat(self):
        await asyncio.sleep(0.01)
        self.tasks.beat = await reSchedule(self.beat)

stepping = False
one, two = Tasks("one"), None
one.start()
while not one.running:
    await asyncio.sleep(0)
two = Worker("two", one)
await two.run()
await one.addChild(two)
await one.control.pause("tock")
stepping = True
"""
CELL = {
    "awaits": """
note("the cell begins")
while not os.path.exists({gate!r}):
    await asyncio.sleep(0.02)
note("the cell ends")
""",
    "blocks": """
note("the cell begins")
while not os.path.exists({gate!r}):
    time.sleep(0.2)
note("the cell ends")
""",
}
READY = 60_000
BUSY = "asked; the kernel is busy with a cell"


class Page:
    """The view of `one`, as a person uses it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.view: Locator = notebook.cell(1).locator(".task-thread-view")
        self.view.locator('[role="treeitem"]').first.wait_for(timeout=READY)
        self.tree = self.view.locator('[data-panel="tree"]')
        self.signals = self.view.locator('[data-panel="signals"]')
        self.view.get_by_role("tab", name="Signals").click()
        self.signals.get_by_role("combobox", name="To thread").select_option(label="one")
        self.tree.evaluate(
            """root => {
                const { asks } = root.panelPage;
                const began = new Map(), ask = asks.ask.bind(asks), answer = asks.answer.bind(asks);
                window.took = {};
                asks.ask = (action, ...rest) => {
                    const number = ask(action, ...rest);
                    began.set(number, [action, performance.now()]);
                    return number;
                };
                asks.answer = (number, error) => {
                    const [action, at] = began.get(number) ?? [];
                    if (action) (window.took[action] ??= []).push(Math.round(performance.now() - at));
                    return answer(number, error);
                };
            }"""
        )

    def row(self, name: str) -> Locator:
        kind = "data-id" if name in ("one", "two") else "data-slot"
        of = "thread" if name in ("one", "two") else "task"
        return self.tree.locator(f'[data-kind="{of}"][{kind}="{name}"]')

    def press(self, name: str) -> None:
        self.tree.get_by_role("button", name=name, exact=True).click()

    def set_pace(self, position: int) -> None:
        self.tree.get_by_role("slider", name="Pace of beat").fill(str(position))

    def send(self, text: str) -> None:
        self.signals.get_by_role("textbox", name="Message").fill(text)
        self.signals.get_by_role("button", name="Send").click()

    def wait_for_answers(self) -> None:
        """Wait until nothing that was asked is open."""
        for panel in (self.tree, self.signals):
            self.notebook.page.wait_for_function(
                "root => !root.panelPage.asks.open.size",
                arg=panel.element_handle(),
                timeout=READY,
            )

    def is_busy(self, panel: Locator, busy: bool) -> None:
        """Expect that a panel says, or doesn't say, that the kernel is busy."""
        line = panel.locator(".tt-busy")
        if busy:
            expect(line).to_contain_text(BUSY)
            expect(panel.get_by_role("status")).to_contain_text(BUSY)
        else:
            expect(line).to_have_text("")


def press_everything(page: Page, how: str) -> None:
    page.press("Pause tick")
    page.press("Step tock")
    page.press("Step tock")
    page.set_pace(3)  # 2 turns/s
    page.send(f"while it {how}")
    page.press("Stop two")


def press_the_reverse(page: Page, how: str) -> None:
    page.press("Resume tick")
    page.press("Step tock")
    page.set_pace(9)  # no limit
    page.send(f"again while it {how}")
    page.press("Start two")


PRESSED = ("tock turned", "tock turned", "one got while it {how}", "two left")
REVERSED = ("tock turned", "one got again while it {how}", "two entered")
STEERED = {press_everything: (True, 2.0), press_the_reverse: (False, 0.0)}
EFFECTS = {press_everything: PRESSED, press_the_reverse: REVERSED}


def check(page: Page, press: Any, how: str, heard_in_cell: bool | None) -> None:
    """Press a group of controls and judge what the program wrote down.

    Args:
        page: the view.
        press: presses them.
        how: "idles", "awaits" or "blocks".
        heard_in_cell: whether the effects must come before the cell ends; `None` without a cell.
    """
    notebook = page.notebook
    kernel = notebook.kernel
    kernel.execute("events.clear()")
    effects = sorted(effect.format(how=how) for effect in EFFECTS[press])
    if heard_in_cell is None:
        press(page, how)
        page.wait_for_answers()
    else:
        gate = notebook.server.root / f"gate-{how}-{press.__name__}"
        notebook.set_source(2, CELL[how].format(gate=str(gate)))
        notebook.start_cell(2)
        notebook.page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status
                === 'busy'"""
        )
        press(page, how)
        if heard_in_cell:
            page.wait_for_answers()
        else:
            page.is_busy(page.tree, True)
            page.is_busy(page.signals, True)
        Path(gate).touch()
        notebook.wait_idle()
        page.wait_for_answers()
    page.is_busy(page.tree, False)
    page.is_busy(page.signals, False)
    # The answer says that the queue has taken the signal; then comes the handler.
    found = kernel.evaluate(
        "(await one.control.send(__import__('task_thread').MessageSignal(None, 'last')),"
        " await until(lambda: 'one got last' in events), events[:])[-1]"
    )
    found.remove("one got last")
    if heard_in_cell is None:
        assert sorted(found) == effects
    else:
        begins, ends = found.index("the cell begins"), found.index("the cell ends")
        inside, after = found[begins + 1 : ends], found[ends + 1 :]
        assert (sorted(inside), sorted(after)) == (
            (effects, []) if heard_in_cell else ([], effects)
        )
    assert kernel.evaluate(
        "(lambda t: [t('tick').state == 'paused', t('beat').pace])(one.snapshot().task)"
    ) == list(STEERED[press])
    assert kernel.evaluate("one.snapshot().task('tock').state") == "paused"
    states = ("paused", "stopped") if press is press_everything else (None, "running")
    expect(page.row("two")).to_have_attribute("data-state", states[1])
    if states[0]:
        expect(page.row("tick")).to_have_attribute("data-state", states[0])
    else:
        expect(page.row("tick")).not_to_have_attribute("data-state", "paused")


UNTIL = """
async def until(condition):
    while not condition():
        await asyncio.sleep(0)
"""


def test_every_control_acts_once_on_its_own_loop_as_soon_as_that_is_free(
    open_on: Any, kernel_name: str, record_property: Any
) -> None:
    notebook = open_on([PROGRAM + UNTIL, "one", "'scratch'"])
    notebook.page.set_viewport_size({"width": 1280, "height": 2200})
    notebook.run_all()
    assert notebook.failed_cells() == []
    version = notebook.kernel.evaluate("__import__('ipykernel').__version__")
    assert version == OTHERS.get(kernel_name, version)
    page = Page(notebook)
    # ipykernel 6 hears nothing while a cell runs, not even while it awaits.
    awaiting = not version.startswith("6.")
    for how, heard_in_cell in (("idles", None), ("awaits", awaiting), ("blocks", False)):
        for press in (press_everything, press_the_reverse):
            check(page, press, how, heard_in_cell)
        if how == "idles":
            took = notebook.page.evaluate("window.took")
            record_property(f"milliseconds on ipykernel {version}, idle", took)
            print(f"ipykernel {version}, idle, milliseconds to the answer in the page: {took}")
    assert notebook.errors == []
