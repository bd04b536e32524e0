"""What a page may send, sent by hand: comm messages to the panels of a view, with no browser.

On ipykernel 7 a page's messages name a subshell, and are handed to a thread of its own; so each is
sent with and without one. (ipykernel 6 knows none, and must not mind.)
"""

from __future__ import annotations

from typing import Any

import pytest
from a_kernel import Kernel, Ran

PROGRAM = """
from task_thread_widgets import view_of, refusal
MOST_LOGGED = refusal.MOST_LOGGED
refusal.MOST_LOGGED = 10**6

class Target(TaskThread):
    def __init__(self, name):
        self.name, self.events = name, []
        super().__init__()
    def getId(self):
        return self.name
    def initVars__(self):
        self.go = asyncio.Event()
    async def enter__(self):
        self.tasks.free = await reCreate(None, self.free)
        self.tasks.held = await reCreate(None, self.held)
        self.events.append("entered")
    async def exit__(self):
        self.events.append("left")
    async def signalHandler__(self, signal):
        self.events.append(signal.getMessage())
    async def free(self):
        await asyncio.sleep(0.02)
        self.tasks.free = await reSchedule(self.free)
    async def held(self):
        await asyncio.sleep(0)
        self.events.append("turned")
        self.tasks.held = await reSchedule(self.held)

def begin(name):
    one = Target(name)
    one.start()
    return one

async def until(condition):
    while not condition():
        await asyncio.sleep(0)

async def barrier():
    '''Return when all is done that was asked before.'''
    for one in (target, other):
        if one.running:
            await one.control.send(MessageSignal(None, "barrier"))
            await until(lambda: "barrier" in one.events)
            one.events.remove("barrier")

def facts():
    return [
        (
            one.state.value, one.events, one._life.serial, one._life.undelivered,
            [(t.slot, t.state.value == "paused", t.pace, t.error) for t in one.snapshot().tasks],
            [
                (p.selected, p.large, len(p._presences), p.still, len(str(p._esm)), len(str(p._css)),
                 p._model_module, type(p.layout).__name__, p._dom_classes)
                for p in view_of(one).panels
            ],
        )
        for one in (target, other)
    ] + [len(threads())]

target, other = begin("target"), begin("other")
for one in (target, other):
    await until(lambda: one.running)
    await one.control.pause("held")
    one.events.clear()
view, unseen = view_of(target), view_of(other)
"""
VIEW = "a view"
NO_SUBSHELLS = "named to a kernel that knows none"
REFUSED = "a message of the page was refused: "


class Page:
    """Sends what a page would, or what it never would.

    Args:
        kernel: a kernel in which PROGRAM was run.
        subshell: what the messages name; `None` for none.
    """

    def __init__(self, kernel: Kernel, subshell: str | None) -> None:
        self.kernel = kernel
        self.subshell = subshell
        self.serial: int = kernel.run("target._life.serial").literal
        self.other: int = kernel.run("other._life.serial").literal
        self.tree, self.signals = kernel.run("[view.tree.model_id, view.signals.model_id]").literal
        # A page can name a thread once it has been told of it.
        for panel, rows in ((self.tree, "tree._model"), (self.signals, "signals._model")):
            self.say({"kind": "hello", "view": VIEW, "seen": True}, panel)
            known = kernel.run(f"await until(lambda: view.{rows}.thread({self.serial}))")
            assert known.error == ""
            self.say({"kind": "bye", "view": VIEW}, panel)

    def send(self, content: Any) -> Ran:
        """Send a message with this content, and wait until the kernel is done with it."""
        return self.kernel.listen(self.kernel.send_comm(content, self.subshell))

    def say(self, content: Any, panel: str | None = None) -> Ran:
        """Send a custom message, as `model.send` does in the page."""
        data = {"method": "custom", "content": content}
        return self.send({"comm_id": panel or self.tree, "data": data})

    def do(self, action: Any, panel: str | None = None, **more: Any) -> Ran:
        """Ask for an action."""
        message = {"kind": "do", "view": VIEW, "ask": 1, "action": action, "serial": self.serial}
        return self.say({**message, **more}, panel)

    def facts(self) -> Any:
        return self.kernel.run("await barrier(); facts()").literal


@pytest.fixture(params=["no subshell", "a subshell"])
def page(kernel: Kernel, request: pytest.FixtureRequest) -> Page:
    assert kernel.run(PROGRAM).error == ""
    if request.param == "no subshell":
        return Page(kernel, None)
    return Page(kernel, kernel.new_subshell() or NO_SUBSHELLS)


@pytest.fixture(autouse=True)
def tidy(page: Page) -> Any:
    yield
    page.kernel.run("view.close(); unseen.close(); refusal.MOST_LOGGED = MOST_LOGGED")
    if page.subshell not in (None, NO_SUBSHELLS):
        page.kernel.end_subshell(page.subshell)


def test_each_action_acts_once(page: Page) -> None:
    kernel = page.kernel

    def events() -> Any:
        kernel.run("await barrier()")
        return kernel.run("(target.events[:], target.events.clear())[0]").literal

    held = "(lambda t: (t.state.value, t.pace))(target.snapshot().task('{}'))"
    page.do("pause", slot="free")
    kernel.run("await until(lambda: target.snapshot().task('free').state == 'paused')")
    page.do("step", slot="held")
    page.do("step", slot="held")
    kernel.run("await target.control.step('held')")  # done when all three have been taken
    assert events() == ["turned"] * 3
    page.do("pace", slot="held", hz=3)
    page.do("resume", slot="free")
    page.do("send", page.signals, text="one text")
    assert events() == ["one text"]
    assert kernel.run(held.format("held")).literal == ("paused", 3.0)
    assert kernel.run(held.format("free")).literal[0] != "paused"
    page.do("stop")
    kernel.run("await target.join()")
    page.do("start")
    kernel.run("await until(lambda: target.running)")
    kernel.run("await target.control.pause('held')")
    kernel.run("target.events[:] = [e for e in target.events if e != 'turned']")
    assert events() == ["left", "entered"]
    page.do("stop_all")
    kernel.run("await target.join()")
    assert events() == ["left"]
    assert kernel.run("other.events, other.running").literal == ([], True)


def _malformed(page: Page) -> dict[str, Any]:
    """What a panel must refuse, by what is wrong with it."""
    do = {"kind": "do", "view": VIEW, "ask": 1, "serial": page.serial}
    pace = {**do, "action": "pace", "slot": "free"}
    deep: Any = "deep"
    for _ in range(300):
        deep = [deep, {"a": deep}] if _ < 8 else [deep]
    return {
        "nothing": None,
        "a text": "stop",
        "a number": 5,
        "a list": [do],
        "empty": {},
        "only a view": {"view": VIEW},
        "no view": {"kind": "hello"},
        "a view of the wrong type": {"kind": "hello", "view": 5},
        "a long view": {"kind": "hello", "view": "v" * 65},
        "an unknown kind": {"kind": "eval", "view": VIEW},
        "a kind of the wrong type": {"kind": ["do"], "view": VIEW},
        "a frame that is no number": {"kind": "beat", "view": VIEW, "newest": "latest"},
        "rows that are no list": {"kind": "rows", "view": VIEW, "rows": "all"},
        "rows that are no numbers": {"kind": "rows", "view": VIEW, "rows": [1, None]},
        "too many rows": {"kind": "rows", "view": VIEW, "rows": list(range(100_000))},
        "no action": do,
        "an unknown action": {**do, "action": "eval"},
        "the name of a method": {**do, "action": "_ask"},
        "an action of the wrong type": {**do, "action": {"stop": True}},
        "an action of 1 MB": {**do, "action": "x" * 1_000_000},
        "junk of 1 MB": {"junk": ["x" * 1000] * 1000},
        "a deep nest": {**do, "action": deep},
        "no thread": {"kind": "do", "view": VIEW, "action": "stop"},
        "an unknown thread": {**do, "action": "stop", "serial": 10**9},
        "a negative thread": {**do, "action": "stop", "serial": -1},
        "a huge thread": {**do, "action": "stop", "serial": 10**400},
        "a thread by its name": {**do, "action": "stop", "serial": "target"},
        "a thread as a float": {**do, "action": "stop", "serial": float(page.serial)},
        "true for a thread": {**do, "action": "stop", "serial": True},
        "a thread that is not shown": {**do, "action": "stop", "serial": page.other},
        "a slot of the wrong type": {**do, "action": "pause", "slot": {"name": "free"}},
        "a slot of 1 MB": {**do, "action": "pause", "slot": "x" * 1_000_000},
        "no pace": pace,
        "a negative pace": {**pace, "hz": -1},
        "a pace that is no number": {**pace, "hz": float("nan")},
        "an endless pace": {**pace, "hz": float("inf")},
        "a huge pace": {**pace, "hz": 1e300},
        "a pace beyond all floats": {**pace, "hz": 10**400},
        "a pace of the wrong type": {**pace, "hz": "fast"},
        "no text": {**do, "action": "send"},
        "an empty text": {**do, "action": "send", "text": ""},
        "a text of the wrong type": {**do, "action": "send", "text": ["hi"]},
        "a text of 1 MB": {**do, "action": "send", "text": "x" * 1_000_000},
    }


def test_what_is_malformed_is_refused_in_the_log_and_changes_nothing(page: Page) -> None:
    before = page.facts()
    for name, content in _malformed(page).items():
        for panel in (page.tree, page.signals):
            heard = page.say(content, panel)
            ran = page.kernel.run("await barrier()")
            told = heard.err + heard.elsewhere + ran.err + ran.elsewhere
            assert told.count(REFUSED) == 1, f"{name}: {told[-500:]}"
            assert "Traceback" not in told, name
            assert max(map(len, told.splitlines())) < 400, name
    assert page.facts() == before
    assert page.kernel.run("1 + 1").literal == 2


def test_what_is_no_message_of_a_panel_changes_nothing(page: Page) -> None:
    before = page.facts()
    at = {"comm_id": page.tree}
    for content in (
        {},
        at,
        {**at, "data": None},
        {**at, "data": "junk"},
        {**at, "data": []},
        {**at, "data": {"method": "eval", "content": "1"}},
        {**at, "data": {"method": "custom"}},
        {**at, "data": {"method": "update", "state": {"selected": 5, "large": "very"}}},
        {**at, "data": {"method": "update", "state": {"selected": "x" * 1_000_000}}},
        {**at, "data": {"method": "update", "state": {"_thread": None, "close": 1}}},
        {**at, "data": {"method": "update", "state": "junk"}},
        {**at, "data": {"method": "update", "state": {"_esm": "alert(1)"}}},
        {**at, "data": {"method": "update", "state": {"_model_module": "evil", "_css": "*{}"}}},
        {
            **at,
            "data": {
                "method": "update",
                "state": {"still": "lies", "layout": 7, "_dom_classes": []},
            },
        },
        {"comm_id": "unknown", "data": {"method": "custom", "content": {}}},
        {"comm_id": 5, "data": {}},
    ):
        heard = page.send(content)
        ran = page.kernel.run("await barrier()")
        if content.get("comm_id") == page.tree:
            told = heard.err + heard.elsewhere + ran.err + ran.elsewhere
            assert REFUSED in told, str(content)[:200]
            assert "Traceback" not in told
            assert max(map(len, told.splitlines())) < 400
        assert (page.facts() == before) is True, str(content)[:200]
    assert page.kernel.run("1 + 1").literal == 2


def test_what_a_page_may_set_is_set_and_the_rest_is_not(page: Page) -> None:
    state = {"selected": f"{page.serial}", "large": True, "_esm": "alert(1)"}
    page.send({"comm_id": page.tree, "data": {"method": "update", "state": state}})
    page.kernel.run("await barrier()")
    found = page.kernel.run("view.tree.selected, view.tree.large, view.tree._esm == 'alert(1)'")
    assert found.literal == (f"{page.serial}", True, False)


def test_a_page_cannot_bend_what_holds_the_panels_together(page: Page) -> None:
    of = "[view, view.layout, view.tree.layout]"
    before = page.kernel.run(f"[one.get_state() for one in {of}]").value
    for model in page.kernel.run(f"[one.model_id for one in {of}]").literal:
        for state in (
            {"tree": f"anywidget:{page.signals}", "source": None},
            {"signals": [], "_dom_classes": ["evil"], "width": "0px"},
            {"_view_module": "evil", "_model_name": "evil", "_esm": "alert(1)"},
        ):
            heard = page.send({"comm_id": model, "data": {"method": "update", "state": state}})
            ran = page.kernel.run("await barrier()")
            assert "Traceback" not in heard.err + heard.elsewhere + ran.err + ran.elsewhere
    assert page.kernel.run(f"[one.get_state() for one in {of}]").value == before


def test_what_a_page_closes_lives_on_and_the_next_display_is_whole(page: Page) -> None:
    client = page.kernel.client
    for model in page.kernel.run("[one.model_id for one in view._parts]").literal:
        client.shell_channel.send(client.session.msg("comm_close", {"comm_id": model, "data": {}}))
    page.kernel.run("await barrier()")
    page.do("stop")
    found = page.kernel.run("await until(lambda: not target.running); again = view_of(target)")
    assert found.error == ""
    found = page.kernel.run("again is view, view_of(target) is again, again.tree.comm._closed")
    assert found.literal == (False, True, False)


def test_a_page_that_says_half_an_emoji_is_answered_without_a_traceback(page: Page) -> None:
    half = "\ud83d"
    told = ""
    for content in (
        {"kind": half, "view": VIEW},
        {"kind": "hello", "view": half},
        {"kind": "do", "view": half, "ask": 1, "action": half},
        {
            "kind": "do",
            "view": half,
            "ask": 2,
            "action": "pause",
            "serial": page.serial,
            "slot": half,
        },
        {
            "kind": "do",
            "view": VIEW,
            "ask": 3,
            "action": "send",
            "serial": page.serial,
            "text": half,
        },
    ):
        for panel in (page.tree, page.signals):
            heard = page.say(content, panel)
            told += heard.err + heard.elsewhere
    state = {"selected": half, half: half}
    heard = page.send({"comm_id": page.tree, "data": {"method": "update", "state": state}})
    ran = page.kernel.run("await barrier()")
    told += heard.err + heard.elsewhere + ran.err + ran.elsewhere
    assert "Traceback" not in told
    assert page.kernel.run("view.tree.selected").literal == ""


def test_a_flood_of_junk_does_not_flood_the_log(page: Page) -> None:
    page.kernel.run("refusal.MOST_LOGGED = MOST_LOGGED")
    before = page.facts()
    told = ""
    for number in range(500):
        heard = page.say({"kind": "do", "view": VIEW, "ask": number, "action": "junk" * 100})
        told += heard.err + heard.elsewhere
    ran = page.kernel.run("await barrier(); view.tree.close()")
    told += ran.err + ran.elsewhere
    # What is counted is told now and then: in full again if the flood took long.
    assert 0 < told.count(REFUSED) <= 100
    assert "more messages of the page were refused" in told
    assert page.kernel.run("await barrier(); facts()").literal[1:] == before[1:]


def test_a_view_that_was_closed_takes_nothing(page: Page) -> None:
    page.kernel.run("view.close()")
    page.do("stop")
    page.do("send", page.signals, text="hello")
    assert page.kernel.run("await barrier(); target.running, target.events").literal == (True, [])
