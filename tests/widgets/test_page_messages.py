"""The boundary to the page: nothing in a view takes more than it lists, and everything can be sent."""

import asyncio
import json
import logging
import types

import comm
import ipywidgets
import pytest
from task_thread_widgets import (
    LogPanel,
    SignalPanel,
    SourcePanel,
    TimelinePanel,
    TreePanel,
    view_of,
)
from task_thread_widgets.page_messages import Guarded, sendable

from task_thread import MessageSignal, TaskThread, reCreate, reSchedule

HALF = "\ud83d"  # the first half of an emoji


class Managed(types.SimpleNamespace):
    """Stands for the manager that closes a comm before its widget hears of it."""

    def __init__(self):
        super().__init__(comms={})

    def register_comm(self, one):
        self.comms[one.comm_id] = one


@pytest.fixture
def manager(monkeypatch):
    managed = Managed()
    monkeypatch.setattr(comm, "get_comm_manager", lambda: managed)
    return managed


def close_from_page(widget):
    widget.comm._closed = True
    widget.comm.close_callback({"content": {"comm_id": widget.comm.comm_id, "data": {}}})


def update(widget, **state):
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget.comm.callback({"content": {"data": data}, "buffers": []})


def widgets():
    return list(ipywidgets.widgets.widget._instances.values())


def test_everything_that_a_view_is_made_of_is_guarded(loop):
    view = view_of(TaskThread())
    assert len(widgets()) == 2 * (1 + len(view.panels))  # the view, its panels, and a layout each
    assert [type(widget).__name__ for widget in widgets() if not isinstance(widget, Guarded)] == []


@pytest.mark.parametrize("change", ["tree", "signals", "width", "_view_module", "_dom_classes"])
def test_a_page_can_bend_nothing_that_holds_a_view_together(loop, change):
    view = view_of(TaskThread())
    value = {
        "tree": f"anywidget:{view.timeline.model_id}",
        "signals": None,
        "width": "0px",
        "_view_module": "evil",
        "_dom_classes": ["evil"],
    }[change]
    for widget in widgets():
        if change in widget.keys:
            before = widget.get_state()
            update(widget, **{change: value})
            assert widget.get_state() == before


def test_what_a_page_closes_stays_open_for_the_others(loop, page, manager):
    thread = TaskThread()
    panel = view_of(thread).tree
    other = page(panel, "the other page's view")
    other.say("hello", seen=True)
    for widget in widgets():
        close_from_page(widget)
    loop.run()
    assert manager.comms.keys() == {widget.comm.comm_id for widget in widgets()}
    other.got()
    loop.advance(2)
    assert [message["kind"] for message in other.got()] == ["frame"] * 2
    other.say("bye")


@pytest.mark.parametrize("part", ["tree", "logs", "itself", "layout"])
def test_the_page_that_closed_a_part_gets_a_new_view_and_the_old_one_goes_with_it(
    loop, comms, manager, part
):
    thread = TaskThread()
    view = view_of(thread)
    widget = {"itself": view, "layout": view.logs.layout}.get(part, getattr(view, part, None))
    close_from_page(widget)
    again = view_of(thread)
    assert again is not view
    assert view_of(thread) is again
    assert view.comm is not None, "other pages look at it"
    again.close()
    assert all(one.closed for one in comms.values())


UNSENDABLE = {
    "half an emoji": HALF + "!",
    "the other half": "\ude00",
    "a name from the file system": "\udc80",
    "not a number": float("nan"),
    "infinity": [1.5, float("-inf")],
    "bytes": {"of": b"abc"},
    "a set": [{1, 2}],
    "a huge number": 10**5000,
    "a key that is none": {(1, 2): 3},
    "a key with half an emoji": {HALF: {HALF: HALF}},
    "an object": object(),
    "deep": None,
    "itself": None,
}
deep: list = []
for _ in range(100_000):
    deep = [deep]
UNSENDABLE["deep"] = deep
UNSENDABLE["itself"] = itself = {}
itself["itself"] = itself


@pytest.mark.parametrize("what", UNSENDABLE)
def test_whatever_is_sent_can_be_sent(what):
    text = json.dumps(sendable(UNSENDABLE[what]), ensure_ascii=False, allow_nan=False)
    assert len(text.encode()) < 10_000


def test_what_can_be_sent_is_sent_as_it_is():
    content = {"a": [1, 2.5, None, True, "\0 <b> \N{GRINNING FACE}", 2**70], "b": {}}
    assert sendable(content) is content


def test_the_two_halves_of_an_emoji_are_put_together_and_the_rest_stays():
    assert sendable(["\ud83d\ude00 a\0b \ude00", 7]) == [
        "\N{GRINNING FACE} a\0b \N{REPLACEMENT CHARACTER}",
        7,
    ]


class Text(str):
    """A text that says of itself what it likes."""

    def __len__(self):
        raise ValueError("no length")

    def __str__(self):
        return HALF

    def encode(self, *_):
        return b""

    __getitem__ = isascii = __len__


@pytest.mark.parametrize(
    "name",
    [HALF, f"a{HALF}b", "a\0b", Text("a name"), Text(HALF)],
    ids=["half", "half within", "NUL", "subclass", "half in a subclass"],
)
@pytest.mark.parametrize("make", [TreePanel, TimelinePanel, SignalPanel, LogPanel])
async def test_a_panel_shows_whatever_names_errors_lines_and_signals_hold(
    make, name, loop, page, caplog, monkeypatch
):
    class Odd(TaskThread):
        def getId(self):
            return name

        def getInfo(self):
            return name

        async def enter__(self):
            self.tasks.turn = await reCreate(None, self.turn__)
            await self.insertSignal(MessageSignal(name, name))
            self.logger.warning("%s", name, exc_info=ValueError(name))
            self.tasks.fail = await reCreate(None, self.fail__)

        async def signalHandler__(self, signal):
            raise ValueError(name)

        async def fail__(self):
            raise ValueError(name)

        async def turn__(self):
            await asyncio.sleep(0)
            self.tasks.turn = await reSchedule(self.turn__)

    thread = Odd()
    panel = make(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    await asyncio.wrap_future(thread.control.start())
    caplog.clear()
    for _ in range(30):
        for _ in range(5):
            await asyncio.sleep(0)
        loop.advance(0.1)
        watcher.say("beat", newest=panel._numbered)
    assert len([message for message in watcher.got() if message["kind"] == "frame"]) > 3
    assert [r for r in caplog.records if r.name.startswith("task_thread")] == []
    for text in (*panel.still_part().values(), *thread._repr_mimebundle_().values()):
        text.encode()
    panel.keep_still()
    await thread.stop()
    await thread.join()
    loop.advance(0.1)
    watcher.say("bye")


class NoName(type(TaskThread)):
    @property
    def __name__(cls):
        raise LookupError("no name")


class Secretive(ValueError, metaclass=type("NoName", (type,), dict(vars(NoName)))):
    """Tells nothing of itself."""

    def __getattribute__(self, name):
        raise LookupError(name)


class Signal(MessageSignal, metaclass=type(Secretive)):
    @property
    def __class__(self):
        raise LookupError("no class")


@pytest.mark.parametrize("make", [TreePanel, TimelinePanel, SourcePanel, SignalPanel, LogPanel])
async def test_a_panel_asks_no_object_for_its_class(make, loop, page, caplog):
    class Odd(TaskThread, metaclass=NoName):
        async def enter__(self):
            await self.insertSignal(Signal(self, "text"))
            self.tasks.fail = await reCreate(None, self.fail__)

        async def signalHandler__(self, signal):
            await asyncio.sleep(0)

        async def fail__(self):
            raise Secretive("text")

    thread = Odd()
    panel = make(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    await asyncio.wrap_future(thread.control.start())
    caplog.clear()
    panel.selected = f"{thread._life.serial}/fail"
    for _ in range(5):
        for _ in range(5):
            await asyncio.sleep(0)
        loop.advance(0.1)
        watcher.say("beat", newest=panel._numbered)
    assert len([message for message in watcher.got() if message["kind"] == "frame"]) > 0
    assert [r for r in caplog.records if r.name.startswith("task_thread")] == []
    await thread.stop()
    await thread.join()
    watcher.say("bye")


def test_a_page_that_selects_half_an_emoji_is_refused(loop, caplog, monkeypatch):
    import task_thread_widgets.page_messages

    monkeypatch.setattr(task_thread_widgets.page_messages, "home_loop", lambda: loop)
    panel = TreePanel(TaskThread())
    update(panel, selected=HALF)
    loop.run()
    assert panel.selected == ""
    (record,) = caplog.records
    assert record.message == (
        'a message of the page was refused: expected what is selected as "SERIAL" or '
        "\"SERIAL/SLOT\", found '\\ud83d', which is no text that can be sent"
    )


async def test_an_answer_that_cannot_be_sent_is_told_once(loop, page, caplog, monkeypatch):
    panel = TreePanel(TaskThread())
    watcher = page(panel)
    watcher.say("hello", seen=True)

    def fail(*_, **__):
        raise OSError("the wire is cut")

    monkeypatch.setattr(panel, "_send", fail)
    for ask in range(5):
        watcher.say("do", ask=ask, action="stop_all")
        loop.advance(1)
        watcher.say("beat", newest=0)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.message for record in errors] == [
        "The kernel could not answer the page: OSError: the wire is cut",
        "The kernel could not look at the program: OSError: the wire is cut",
    ]
    monkeypatch.undo()
    watcher.say("bye")
