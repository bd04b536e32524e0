"""The tree in a real JupyterLab: what a student sees, presses and hears."""

import re

import ipykernel
import pytest
from lab import hear, settle, until
from playwright.sync_api import expect

PROGRAM = '''
import asyncio
from task_thread import MessageSignal, TaskThread, reCreate, reSchedule

class Clock(TaskThread):
    def __init__(self, name, seconds=0.05, parent=None):
        self.name, self.seconds = name, seconds
        super().__init__(parent)

    def getId(self):
        return self.name

    async def enter__(self):
        print("enter", self.name)
        self.tasks.tick = await reCreate(None, self.tick__)

    async def exit__(self):
        print("exit", self.name)

    async def tick__(self):
        await asyncio.sleep(self.seconds)
        self.tasks.tick = await reSchedule(self.tick__)

def mine():
    """asyncio tasks that are not the kernel's own"""
    return [t.get_name() for t in asyncio.all_tasks()
            if "tick" in t.get_name() or "Clock" in t.get_name() or t.get_name() == "signals"]

def sampled():
    from task_thread.frames.sampler import running_samplers
    return bool(running_samplers())
'''
SHOW = ['clock = Clock("clock")\nclock.start()', "clock"]
READY = 60_000  # ms: the first time a page loads the widgets takes a while


def shown(notebook, index=2):
    """The panel in the output of a cell, once it has rows."""
    panel = notebook.cell(index).locator('[data-panel="tree"]')
    panel.locator('[role="treeitem"]').first.wait_for(timeout=READY)
    return panel


def row(panel, name, kind="thread"):
    attribute = "data-id" if kind == "thread" else "data-slot"
    return panel.locator(f'[data-kind="{kind}"][{attribute}="{name}"]')


def turns(panel, slot="tick"):
    return int(row(panel, slot, "task").first.get_attribute("data-turns"))


def wait_for_turns(panel, more=3, slot="tick"):
    """Wait until a task has turned some more."""
    target = turns(panel, slot) + more
    until(panel.page, lambda: turns(panel, slot) >= target)


def button(panel, name):
    return panel.get_by_role("button", name=name, exact=True)


@pytest.fixture
def clock(open_notebook):
    """A notebook with a thread that runs, and its panel."""
    notebook = open_notebook(cells=[PROGRAM, *SHOW])
    notebook.run_all()
    assert notebook.failed_cells() == []
    return notebook, shown(notebook)


def test_rows_live_while_no_cell_runs(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    tick = row(panel, "tick", "task")
    assert tick.get_attribute("data-id") == "clock"
    assert tick.get_attribute("data-state") == "waiting"
    expect(tick).to_contain_text("await asyncio.sleep(self.seconds)")
    expect(row(panel, "clock")).to_have_attribute("data-state", "running")
    panel.page.wait_for_function(
        "row => Math.abs(row.dataset.rate - 19.5) < 2.5", arg=tick.element_handle()
    )
    assert notebook.errors == []


def test_stop_freezes_the_turns_and_start_goes_on(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    button(panel, "Stop clock").click()
    expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")
    assert notebook.kernel.evaluate("(clock.state, mine())") == ["stopped", []]
    frozen = turns(panel)
    assert frozen == notebook.kernel.evaluate("clock.snapshot().task('tick').turns")
    hear(panel)
    assert turns(panel) == frozen
    assert row(panel, "tick", "task").get_attribute("data-state") == "done"

    button(panel, "Start clock").click()
    expect(row(panel, "clock")).to_have_attribute("data-state", "running")
    wait_for_turns(panel)
    # What it prints lands in the cell where it was made.
    assert notebook.text(1) == "enter clock\nexit clock\nenter clock\n"
    assert notebook.errors == []


def test_the_old_state_does_not_come_back_between_asking_and_the_new_one(clock):
    _, panel = clock
    wait_for_turns(panel)
    for action, end in (("Stop", "stopped"), ("Start", "running")) * 4:
        states = panel.evaluate(
            """async (panel, [action, end]) => {
                const row = () => panel.querySelector('[data-kind="thread"]');
                const seen = [];
                const began = performance.now();
                row().querySelector(`[aria-label="${action} clock"]`).click();
                while (performance.now() - began < 60_000) {
                    const text = row().querySelector('.tt-state').textContent;
                    if (seen.at(-1) !== text) seen.push(text);
                    if (text === end && row().dataset.state === end) break;
                    await new Promise(requestAnimationFrame);
                }
                return seen;
            }""",
            [action, end],
        )
        doing = {"Stop": "stopping…", "Start": "starting…"}[action]
        after = states[states.index(doing) :]
        # "starting" and "stopping" are states too; the one before is not to be seen again.
        assert set(after[1:-1]) <= {"starting", "stopping"} and after[-1] == end, states
        hear(panel, 1)


def test_stop_all_ends_every_live_root_and_no_other_task(open_notebook):
    cells = [
        PROGRAM + "\nother = asyncio.create_task(asyncio.sleep(600), name='somebody else')",
        "from task_thread_widgets import ThreadView\nThreadView()",
        "for name in 'abc':\n    Clock(name).start()",
    ]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = shown(notebook, 1)
    for name in "abc":
        expect(row(panel, name)).to_have_attribute("data-state", "running")
    # Slots that are shared are called by their thread as well.
    expect(button(panel, "Pause tick of b")).to_be_visible()
    button(panel, "Stop all").click()
    notebook.page.wait_for_function(
        """() => [...document.querySelectorAll('.task-thread [data-kind="thread"]')]
            .every(row => row.dataset.state === 'stopped')""",
        timeout=60_000,
    )
    assert notebook.kernel.evaluate("mine()") == []
    assert notebook.kernel.evaluate("other.done()") is False
    notebook.kernel.execute("import task_thread\nassert task_thread.threads() == []")


def test_pause_step_pace_and_resume(clock):
    notebook, panel = clock
    tick = row(panel, "tick", "task")
    button(panel, "Pause tick").click()
    expect(tick).to_have_attribute("data-state", "paused")
    expect(button(panel, "Resume tick")).to_be_focused()
    before = turns(panel)
    assert notebook.kernel.evaluate("clock.snapshot().task('tick').turns") == before
    button(panel, "Step tick").click()
    expect(tick).to_have_attribute("data-turns", str(before + 1))
    expect(tick).to_have_attribute("data-state", "paused")
    button(panel, "Resume tick").click()
    wait_for_turns(panel)

    button(panel, "Pause clock").click()
    expect(tick).to_have_attribute("data-state", "paused")
    button(panel, "Resume clock").click()
    wait_for_turns(panel)

    slider = panel.get_by_role("slider", name="Pace of tick")
    assert slider.get_attribute("aria-valuetext") == "no limit"
    slider.focus()
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0.2/s")
    notebook.kernel.until("clock.snapshot().task('tick').pace", 0.2)
    slider.press("End")
    wait_for_turns(panel, 20)
    assert notebook.errors == []


def test_hostile_names_are_shown_as_they_are(open_notebook):
    name = "<img src=x onerror=alert(1)>"
    show = f"hostile = Clock({name!r})\nhostile.start()"
    notebook = open_notebook(cells=[PROGRAM, show, "hostile"])
    dialogs = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    notebook.run_all()
    panel = shown(notebook)
    expect(panel.locator(".tt-name").first).to_have_text(name)
    expect(button(panel, f"Stop {name}")).to_be_visible()
    wait_for_turns(panel)
    assert panel.locator("img").count() == 0
    assert dialogs == []
    (output,) = notebook.outputs(2)
    assert set(output["data"]) >= {"text/plain", "text/html"}
    assert "<img" not in "".join(output["data"]["text/html"])


def test_the_keyboard_reaches_everything(clock):
    notebook, panel = clock
    press = notebook.page.keyboard.press
    thread, tick = row(panel, "clock"), row(panel, "tick", "task")
    panel.locator("input[type=search]").focus()
    for _ in range(3):
        press("Tab")
    expect(thread).to_be_focused()
    assert thread.get_attribute("aria-level") == "1"
    press("ArrowDown")
    expect(tick).to_be_focused()
    assert tick.get_attribute("aria-level") == "2"
    assert panel.locator('[role="treeitem"][tabindex="0"]').count() == 1
    press("ArrowLeft")
    expect(thread).to_be_focused()
    press("ArrowLeft")
    expect(thread).to_have_attribute("aria-expanded", "false")
    assert panel.locator('[role="treeitem"]').count() == 1
    press("ArrowRight")
    expect(thread).to_have_attribute("aria-expanded", "true")
    press("End")
    expect(tick).to_be_focused()
    press("Home")
    press("Tab")
    expect(button(panel, "Stop clock")).to_be_focused()
    press("Enter")
    expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")
    expect(button(panel, "Start clock")).to_be_focused()
    press("Space")
    expect(row(panel, "clock")).to_have_attribute("data-state", "running")
    # The notebook did not take the keys for its own.
    assert notebook.page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    ) in (0, 2)
    assert notebook.errors == []


FAMILY = [
    PROGRAM,
    'root = Clock("root")\nroot.start()\nawait asyncio.sleep(0)',
    'child = Clock("child", parent=root)\nawait child.run()\nawait root.addChild(child)',
    "root",
]


def test_a_thread_is_paused_and_paced_with_all_below_it_and_shared_slots_are_told_apart(
    open_notebook,
):
    notebook = open_notebook(cells=FAMILY)
    notebook.run_all()
    panel = shown(notebook, 3)
    ticks = row(panel, "tick", "task")
    expect(ticks).to_have_count(2)
    # Two tasks are called tick: each button says whose.
    for name in ("root", "child"):
        expect(button(panel, f"Pause tick of {name}")).to_be_attached()
        expect(button(panel, f"Step tick of {name}")).to_be_attached()
        expect(panel.get_by_role("slider", name=f"Pace of tick of {name}")).to_be_attached()
    expect(button(panel, "Pause tick")).to_have_count(0)

    button(panel, "Pause tick of child").click()
    expect(panel.locator('[data-slot="tick"][data-id="child"]')).to_have_attribute(
        "data-state", "paused"
    )
    expect(panel.locator('[data-slot="tick"][data-id="root"]')).to_have_attribute(
        "data-state", "waiting"
    )
    button(panel, "Resume tick of child").click()

    button(panel, "Pause root").click()
    for n in range(2):
        expect(ticks.nth(n)).to_have_attribute("data-state", "paused")
    button(panel, "Resume root").click()
    wait_for_turns(panel)
    slider = panel.get_by_role("slider", name="Pace of root", exact=True)
    slider.focus()
    slider.press("Home")
    expect(panel.get_by_role("slider", name="Pace of tick of child")).to_have_attribute(
        "aria-valuetext", "0.2/s"
    )
    paces = "[t.snapshot().task('tick').pace for t in (root, child)]"
    assert notebook.kernel.evaluate(paces) == [0.2, 0.2]
    assert notebook.errors == []


def test_the_header_tells_turns_and_lag_and_agrees_with_the_rows(clock):
    notebook, panel = clock
    header = panel.locator(".tt-page-header")
    expect(header).to_contain_text("1 thread alive · 1 task")
    wait_for_turns(panel, 80)  # four seconds of 20 turns/s: the rate is settled
    both = panel.evaluate(
        """panel => [panel.querySelector('.tt-total').textContent,
            panel.querySelector('[data-kind="task"] .tt-rate').textContent].map(parseFloat)"""
    )
    assert abs(both[0] - both[1]) <= max(1, 0.1 * both[1]), both
    # A loop that is held up is told in the header, with a tone of its own.
    notebook.kernel.execute(
        "import time; asyncio.get_running_loop().call_later(0.05, time.sleep, 0.6)"
    )
    expect(header.locator('.tt-lag[data-tone="warning"]')).to_contain_text(
        re.compile(r"loop lag \d{3}")
    )
    assert notebook.errors == []


def test_a_row_says_that_its_thread_goes_on_with_new_code(clock):
    notebook, panel = clock
    clock_row = row(panel, "clock")
    wait_for_turns(panel)
    expect(clock_row).not_to_contain_text("new code")
    notebook.set_source(
        0, PROGRAM.replace("await asyncio.sleep(self.seconds)", "await asyncio.sleep(0.07)")
    )
    notebook.run_cell(0)
    expect(clock_row).to_have_attribute("data-new-code", "")
    expect(clock_row).to_contain_text("goes on with new code")
    panel.evaluate("e => e.scrollIntoView({block: 'center'})")
    notebook.screenshot("tree-new-code")
    expect(row(panel, "tick", "task")).to_contain_text("await asyncio.sleep(0.07)")
    # For a while, and not for ever.
    expect(clock_row).not_to_contain_text("new code", timeout=60_000)
    wait_for_turns(panel)
    assert notebook.errors == []


def test_an_error_of_a_callback_is_shown_in_the_panel(clock):
    notebook, panel = clock
    notebook.kernel.execute(
        """
from task_thread_widgets import view_of
def broken(*_, **__):
    raise ZeroDivisionError("<b>by</b> zero")
rows = view_of(clock).tree._model
rows.frame = broken
"""
    )
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("The kernel could not look at the program")
    expect(alert).to_contain_text("ZeroDivisionError: <b>by</b> zero")
    notebook.kernel.execute("del rows.frame")
    wait_for_turns(panel)  # it goes on


def test_a_thread_that_nobody_holds_any_more_is_let_go_of(open_notebook):
    cells = [
        PROGRAM,
        "from task_thread_widgets import ThreadView\nimport gc, weakref\nThreadView()",
    ]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = notebook.cell(1).locator('[data-panel="tree"]')
    expect(panel).to_contain_text("no thread is running", timeout=READY)
    # New roots appear while they are looked at.
    notebook.add_cell('brief = Clock("brief")\nbrief.start()')
    expect(row(panel, "brief")).to_have_attribute("data-state", "running")
    notebook.add_cell('other = Clock("other")\nother.start()')
    expect(row(panel, "other")).to_have_attribute("data-state", "running")
    button(panel, "Stop brief").click()
    expect(row(panel, "brief")).to_have_attribute("data-state", "stopped")
    notebook.kernel.execute("gone = weakref.ref(brief)\ndel brief\ngc.collect()")
    assert notebook.kernel.evaluate("gone() is None") is True
    expect(row(panel, "brief")).to_have_count(0)
    wait_for_turns(panel)
    assert notebook.errors == []


def test_folding_by_click_and_filtering(clock):
    _, panel = clock
    panel.locator('[data-kind="thread"] .tt-fold').click()
    expect(row(panel, "tick", "task")).to_have_count(0)
    panel.locator('[data-kind="thread"] .tt-name').dblclick()
    expect(row(panel, "tick", "task")).to_have_count(1)
    panel.locator('[data-kind="thread"] .tt-name').dblclick()
    expect(row(panel, "tick", "task")).to_have_count(0)
    panel.get_by_role("searchbox", name="Filter by name").fill("TICK")
    expect(row(panel, "tick", "task")).to_have_count(1)
    panel.get_by_role("searchbox", name="Filter by name").fill("nothing")
    expect(panel.locator('[role="treeitem"]')).to_have_count(0)
    expect(panel.get_by_text('no name holds "nothing"', exact=True)).to_be_visible()
    panel.get_by_role("searchbox", name="Filter by name").fill("")
    expect(panel.get_by_text("no name holds")).to_be_hidden()


def test_changes_of_state_are_announced_and_ticks_are_not(clock):
    _, panel = clock
    said = panel.get_by_role("status")
    wait_for_turns(panel, 20)
    assert said.text_content() == ""
    button(panel, "Stop clock").click()
    expect(said).to_have_text("thread clock stopped")


def test_a_stopped_child_is_started_again_from_the_page(open_notebook):
    notebook = open_notebook(cells=FAMILY)
    notebook.run_all()
    panel = shown(notebook, 3)
    button(panel, "Stop child").click()
    expect(row(panel, "child")).to_have_attribute("data-state", "stopped")
    assert notebook.kernel.evaluate("len(root.children)") == 0
    button(panel, "Start child").click()
    expect(row(panel, "child")).to_have_attribute("data-state", "running")
    assert notebook.kernel.evaluate("root.children == [child]") is True
    wait_for_turns(panel)
    # What a button made it print lands where its root was made.
    assert notebook.text(1) == "enter root\nexit child\nenter child\n"
    assert notebook.text(2) == "enter child\n"


def test_stop_all_reaches_a_child_that_was_started_under_a_stopped_parent(open_notebook):
    notebook = open_notebook(cells=FAMILY)
    notebook.run_all()
    panel = shown(notebook, 3)
    button(panel, "Stop root").click()
    expect(row(panel, "child")).to_have_attribute("data-state", "stopped")
    expect(panel.locator(".tt-total")).to_have_text("0 turns/s")
    button(panel, "Start child").click()
    expect(row(panel, "child")).to_have_attribute("data-state", "running")
    button(panel, "Stop all").click()
    expect(row(panel, "child")).to_have_attribute("data-state", "stopped")
    expect(panel.locator(".tt-sum")).to_contain_text("0 threads alive")
    assert notebook.kernel.evaluate("mine()") == []


def test_an_error_of_an_action_is_shown_in_its_row(open_notebook):
    cells = [
        PROGRAM,
        "class Broken(Clock):\n"
        "    async def enter__(self):\n        raise ValueError('<b>no</b> sensor')\n"
        "broken = Broken('broken')",
        "broken",
    ]
    notebook = open_notebook(cells=cells)
    notebook.run_all()
    panel = shown(notebook)
    button(panel, "Start broken").click()
    expect(row(panel, "broken")).to_contain_text("ValueError: <b>no</b> sensor")
    expect(row(panel, "broken")).to_have_attribute("data-state", "failed")


def test_what_a_busy_kernel_was_asked_is_shown_as_asked(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    with notebook.busy(0):
        button(panel, "Stop clock").click()
        expect(row(panel, "clock")).to_contain_text("stopping…")
        expect(row(panel, "clock")).to_contain_text("the kernel is busy")
    expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")


@pytest.mark.skipif(
    ipykernel.version_info < (7,), reason="there a cell that awaits holds up clicks"
)
def test_stop_works_while_a_cell_awaits(clock):
    notebook, panel = clock
    index = notebook.add_cell("1")
    with notebook.busy(index, rest="await asyncio.sleep(0.05)"):
        notebook.cell(2)
        wait_for_turns(panel)
        button(panel, "Stop clock").click()
        expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")


def test_a_reloaded_page_shows_the_present_state(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    notebook.save()
    notebook.reload()
    panel = shown(notebook)
    wait_for_turns(panel)
    button(panel, "Stop clock").click()
    expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")


def test_a_second_browser_and_a_second_display_show_the_same(open_notebook, clock):
    notebook, panel = clock
    notebook.add_cell("clock")
    again = shown(notebook, 3)
    wait_for_turns(again)
    notebook.save()
    second = open_notebook()
    other = shown(second)
    wait_for_turns(other)
    button(other, "Stop clock").click()
    expect(row(again, "clock")).to_have_attribute("data-state", "stopped")
    notebook.cell(2)
    expect(row(panel, "clock")).to_have_attribute("data-state", "stopped")
    count = "len(__import__('task_thread_widgets').view._views)"
    assert notebook.kernel.evaluate(count) == 1


def test_nothing_is_sampled_for_a_view_that_cannot_be_seen(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    assert notebook.kernel.evaluate("sampled()") is True

    def comes_to_rest():
        notebook.kernel.until("sampled()", False)

    # Scrolled away:
    filler = notebook.add_cell("print('line\\n' * 200)")
    notebook.cell(filler)
    panel.evaluate("e => e.closest('.jp-WindowedPanel-outer').scrollTop = 1e6")
    comes_to_rest()
    panel.evaluate("e => e.closest('.jp-WindowedPanel-outer').scrollTop = 0")
    notebook.cell(2)
    wait_for_turns(panel)
    # In a hidden tab:
    notebook.page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', {value: true, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    comes_to_rest()
    notebook.page.evaluate(
        """() => {
            delete document.hidden;
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    wait_for_turns(panel)
    # Closed:
    notebook.page.goto("about:blank")
    comes_to_rest()


def test_a_restarted_kernel_is_told_in_the_panel(clock):
    notebook, panel = clock
    wait_for_turns(panel)
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    expect(panel.get_by_role("alert")).to_contain_text(
        re.compile("lost its kernel|No word from the kernel")
    )
    notebook.page.wait_for_function(  # a kernel that restarts can't be ended
        """window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status
            === 'idle'"""
    )


def test_an_error_of_the_page_code_is_shown_in_the_panel(clock):
    _, panel = clock
    panel.evaluate("e => { e.panelPage.layOut = () => { throw new Error('on purpose'); }; }")
    expect(panel.get_by_role("alert")).to_contain_text("on purpose")
    expect(panel.get_by_role("alert")).to_contain_text("Run the cell again")


def test_a_thousand_tasks_keep_few_rows_in_the_page(open_notebook):
    many = """
class Many(Clock):
    async def enter__(self):
        for n in range(1000):
            setattr(self.tasks, f"t{n}", await reCreate(None, self.many__, n))

    async def many__(self, n):
        await asyncio.sleep(0.1)
        setattr(self.tasks, f"t{n}", await reSchedule(self.many__, n))

many = Many("many")
many.start()
"""
    notebook = open_notebook(cells=[PROGRAM, many, "many"])
    notebook.run_all()
    panel = shown(notebook)
    hear(panel)
    assert panel.locator('[role="treeitem"]').count() < 60
    row(panel, "many").focus()
    notebook.page.keyboard.press("End")
    last = row(panel, "t999", "task")
    expect(last).to_be_focused()
    wait_for_turns(panel, slot="t999")
    assert panel.locator('[role="treeitem"]').count() < 80
    button(panel, "Stop all").click()
    expect(row(panel, "t999", "task")).to_have_attribute("data-state", "done", timeout=60_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable_in_both_themes_and_any_width(open_notebook, theme):
    notebook = open_notebook(cells=[PROGRAM, *SHOW], theme=theme)
    notebook.run_all()
    panel = shown(notebook)
    notebook.command("application:toggle-left-area")
    wait_for_turns(panel)
    for width in (700, 1280, 1600):
        notebook.page.set_viewport_size({"width": width, "height": 900})
        settle(panel)
        outside = panel.evaluate(
            """root => {
                const box = root.getBoundingClientRect();
                return [...root.querySelectorAll('button, input, .tt-name, .tt-state, .tt-code')]
                    .filter(e => e.offsetParent)
                    .filter(e => e.getBoundingClientRect().right > box.right + 1)
                    .map(e => e.className);
            }"""
        )
        assert outside == [], f"cut off at {width} pixels"
        notebook.screenshot(f"tree-{theme}-{width}")
    low = panel.evaluate(CONTRAST)
    assert low == [], "text and background are too much alike"
    button(panel, "Large").click()
    settle(panel)
    notebook.screenshot(f"tree-{theme}-large")
    notebook.kernel.until(
        "list(__import__('task_thread_widgets').view._views.values())[0].tree.large", True
    )


CONTRAST = """root => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
        .getContext('2d', {willReadFrequently: true});
    const paint = color => { context.fillStyle = color; context.fillRect(0, 0, 1, 1); };
    const read = () => [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const luminance = rgb => rgb.map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const low = [];
    for (const node of root.querySelectorAll('.tt-name, .tt-state, .tt-turns, .tt-where-line, '
            + '.tt-code, .tt-sum, .tt-total, .tt-info, .tt-note, .tt-button span, '
            + '.sg-entry span, .sg-edge span')) {
        if (![...node.childNodes].some(child => child.nodeType === 3)) continue;
        if (!node.textContent || !node.offsetParent) continue;
        const layers = [];
        for (let e = node; e; e = e.parentElement) layers.unshift(getComputedStyle(e).backgroundColor);
        layers.forEach(paint);
        const back = luminance(read());
        paint(getComputedStyle(node).color);
        const text = luminance(read());
        const ratio = (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05);
        if (ratio < 4.5) low.push([node.className, node.textContent, ratio.toFixed(2)]);
    }
    return low;
}"""


GATHERS = """
import asyncio
from task_thread import TaskThread, reCreate

class Reader(TaskThread):
    async def enter__(self):
        self.gates = [asyncio.Event() for _ in range(8)]
        self.tasks.read = await reCreate(None, self.read__)

    async def read__(self):
        await asyncio.gather(*(self.fetch(gate) for gate in self.gates))
        await asyncio.Event().wait()

    async def fetch(self, gate):
        await gate.wait()

reader = Reader()
reader.start()
"""


def test_plain_tasks_of_a_gather_are_rows_below_the_task_that_waits_for_them(open_notebook):
    notebook = open_notebook(cells=[GATHERS.strip("\n"), "reader"])
    notebook.run_all()
    panel = shown(notebook, 1)
    plain = panel.locator('[data-kind="plain"]')
    expect(plain).to_have_count(6)  # five of eight, and how many more there are
    first = panel.get_by_role("treeitem", name="plain task fetch, waiting").first
    expect(first).to_contain_text("await gate.wait()")
    expect(first).to_contain_text("waits for gate")
    expect(first).to_have_attribute("aria-level", "3")
    expect(panel.get_by_role("treeitem", name="and 3 more plain tasks")).to_be_visible()
    expect(first.get_by_role("button")).to_have_count(0)
    notebook.screenshot("tree-plain-tasks")

    # By keyboard: into the task's plain tasks, and the task is folded and unfolded.
    read = row(panel, "read", "task")
    read.click()
    expect(read).to_have_attribute("aria-expanded", "true")
    notebook.page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    expect(read).to_have_attribute("aria-selected", "true")
    expect(first).to_have_attribute("aria-selected", "false")
    notebook.page.keyboard.press("ArrowLeft")
    expect(read).to_be_focused()
    notebook.page.keyboard.press("ArrowLeft")
    expect(plain).to_have_count(0)
    notebook.page.keyboard.press("ArrowRight")
    expect(plain).to_have_count(6)
    notebook.kernel.execute("for gate in reader.gates[:6]: gate.set()")
    expect(plain).to_have_count(2)
    notebook.kernel.execute("for gate in reader.gates[6:]: gate.set()")
    expect(plain).to_have_count(0)
    expect(read).to_contain_text("await asyncio.Event().wait()")
    assert notebook.errors == []


HOG = """
import time

class Hog(Clock):
    async def tick__(self):
        await asyncio.sleep(0.02)
        time.sleep(0.02)
        self.tasks.tick = await reSchedule(self.tick__)
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_where_the_time_of_the_selected_task_goes(open_notebook, theme):
    cells = [PROGRAM + HOG, 'pair = Clock("clock")\npair.start()\nhog = Hog("hog")\nhog.start()']
    notebook = open_notebook(
        cells=[*cells, "from task_thread_widgets import TreePanel\nTreePanel()"]
    )
    if theme == "dark":
        notebook.set_theme("dark")
    notebook.run_all()
    panel = shown(notebook)
    about = panel.locator(".tt-about")
    expect(about).to_be_hidden()
    traced = "clock._life.dispatcher.trace is not None and clock._life.dispatcher.trace.full"
    notebook.kernel.execute("clock = pair")
    assert notebook.kernel.evaluate(traced) is False
    row(panel, "tick", "task").nth(1).locator(".tt-name").click()
    expect(about).to_be_visible()
    expect(about.locator(".tt-about-name")).to_have_text("tick of hog")
    # It sleeps for as long as it holds the loop, and the loop serves others as well.
    expect(about).to_have_text(re.compile(r"busy [3-7]\d %"), timeout=READY)
    expect(about).to_have_text(re.compile(r"holds the loop \d+ times: median 2\d ms, 95th"))
    expect(about).to_have_text(re.compile(r"begins late \d+ times: median"))
    assert about.locator(".tt-about-stick").count() == 32
    notebook.screenshot(f"tree-about-{theme}")
    row(panel, "tick", "task").first.locator(".tt-name").click()
    expect(about.locator(".tt-about-name")).to_have_text("tick of clock")
    # The loop is held by the other one half of the time.
    expect(about).to_have_text(re.compile(r"busy [01]\.?\d* %ready \d+ %waiting \d+ %"))
    expect(about).to_contain_text(
        "created by clock.enter__, at line 14 of cell In [1]: `self.tasks.tick"
    )
    panel.page.keyboard.press("Escape")
    expect(about).to_be_hidden()
    notebook.kernel.until(traced, False)
    button(panel, "Stop clock").click()
    expect(row(panel, "clock")).to_contain_text("stopped by a button of the view")
    expect(row(panel, "tick", "task").filter(has_text="cancelled")).to_contain_text(
        "cancelled by the stop of clock, asked for by a button of the view"
    )
    notebook.screenshot(f"tree-origins-{theme}")
    assert notebook.errors == []


ASKS = """
import asyncio
from task_thread import MessageSignal, TaskThread, reCreate

class Desk(TaskThread):
    async def enter__(self):
        self.open = asyncio.Event()
        self.watcher = asyncio.create_task(self.watch())
        self.tasks.sit = await reCreate(None, self.sit__)

    async def sit__(self):
        await asyncio.Event().wait()

    async def watch(self):
        await self.open.wait()

    async def signalHandler__(self, signal):
        await asyncio.gather(self.look_up(1), self.look_up(2))

    async def look_up(self, number):
        await self.open.wait()

desk = Desk()
desk.start()
await asyncio.sleep(0.1)
await desk.insertSignal(MessageSignal("", "ask"))
"""


def test_plain_tasks_of_hooks_and_handlers_are_rows_right_below_the_thread(open_notebook):
    notebook = open_notebook(cells=[ASKS.strip("\n"), "desk"])
    notebook.run_all()
    panel = shown(notebook, 1)
    plain = panel.locator('[data-kind="plain"]')
    expect(plain).to_have_count(3)
    watch = panel.get_by_role("treeitem", name="plain task watch, waiting")
    expect(watch).to_have_attribute("aria-level", "2")
    expect(watch).to_contain_text("await self.open.wait()")
    expect(watch).to_contain_text("waits for self.open")
    expect(panel.get_by_role("treeitem", name="plain task look_up, waiting")).to_have_count(2)
    expect(watch.get_by_role("button")).to_have_count(0)
    levels = panel.get_by_role("treeitem").evaluate_all(
        "rows => rows.map(row => row.getAttribute('aria-level'))"
    )
    assert levels == ["1", "2", "2", "2", "2"], "none is below the task"
    notebook.screenshot("tree-plain-tasks-of-a-thread")

    # By keyboard they are reached like tasks, and folded with the thread.
    top = panel.get_by_role("treeitem").first
    top.focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("treeitem").nth(1)).to_be_focused()
    notebook.page.keyboard.press("ArrowUp")
    expect(top).to_be_focused()
    notebook.page.keyboard.press("ArrowLeft")
    expect(plain).to_have_count(0)
    notebook.page.keyboard.press("ArrowRight")
    expect(plain).to_have_count(3)
    notebook.kernel.execute("desk.open.set()")
    expect(plain).to_have_count(0)
    assert notebook.errors == []


@pytest.mark.parametrize("width", [1280, 1366])
def test_what_cancelled_a_task_can_be_read_beside_a_timeline(open_notebook, width):
    program = GATHERS.replace(
        "reader = Reader()",
        "class Half(Reader):\n    async def exit__(self):\n"
        "        self.tasks.read = await delete(self.tasks.read)\n\nreader = Half()",
    ).replace("reCreate\n", "delete, reCreate\n")
    notebook = open_notebook(cells=[program.strip("\n"), "reader", "await reader.stop()"])
    notebook.command("application:toggle-left-area")
    notebook.page.set_viewport_size({"width": width, "height": 768})
    notebook.run_all()
    panel = shown(notebook, 1)
    note = row(panel, "read", "task").locator(".tt-note")
    expect(note).to_contain_text("cancelled by Half-1.exit__, at line")
    settle(panel)
    notebook.screenshot(f"tree-cancelled-{width}")
    cut = note.evaluate(
        """node => {
            const range = document.createRange();
            range.setStart(node.firstChild, 0);
            range.setEnd(node.firstChild, node.textContent.indexOf(': `'));
            return range.getBoundingClientRect().right - node.getBoundingClientRect().right;
        }"""
    )
    assert cut <= 0, "who did it, and at which line; the line's text may be cut"
    assert notebook.errors == []
