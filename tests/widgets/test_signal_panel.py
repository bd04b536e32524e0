"""The signal panel: what it sends to a page and obeys of it, and what it lets go of."""

import asyncio
import gc
import weakref

import pytest
from task_thread_widgets.signal_panel import SignalPanel

from task_thread import MessageSignal, TaskThread


class Hearing(TaskThread):
    def initVars__(self):
        self.heard = []

    async def signalHandler__(self, signal):
        self.heard.append(signal.getMessage())


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


@pytest.fixture
async def thread():
    hearing = Hearing()
    hearing.start()
    await until(lambda: hearing.running)
    yield hearing
    await hearing.stop()
    await hearing.join()


async def test_one_message_a_frame_tells_what_was_handled(loop, page, thread):
    view = page(SignalPanel(thread))
    view.say("hello", seen=True)
    (first,) = view.got()
    assert first["full"] is True
    assert first["facts"]["threads"][0][:2] == [thread._life.serial, thread._life.id]
    assert first["facts"]["signals" if "signals" in first["facts"] else "rate"] == 0
    await thread.insertSignal(MessageSignal("cell", "hi"))
    await until(lambda: thread.heard)
    loop.advance(0.1)
    (frame,) = view.got()
    assert frame["n"] == 2
    assert frame["facts"]["signals"][0][5] == "hi"
    assert len(frame["facts"]["edges"]) == 1


async def test_nothing_is_recorded_unless_a_view_is_seen(loop, page, thread):
    panel = SignalPanel(thread)
    assert thread._life.dispatcher.trace is None
    view = page(panel)
    view.say("hello", seen=False)
    loop.advance(1)
    assert thread._life.dispatcher.trace is None
    view.say("visible")
    loop.advance(0.1)
    assert thread._life.dispatcher.keepers == 1
    view.say("hidden")
    loop.advance(0.2)
    assert thread._life.dispatcher.trace is None
    view.got()
    loop.advance(60)
    assert view.got() == []


async def test_a_page_sends_a_message_to_a_thread_that_is_shown(loop, page, thread):
    view = page(SignalPanel(thread))
    view.say("hello", seen=True)
    view.got()
    view.say("do", ask=1, action="send", serial=thread._life.serial, text="from the page")
    await until(lambda: thread.heard)
    assert thread.heard == ["from the page"]
    loop.run()
    assert [m["error"] for m in view.got() if m["kind"] == "answer"] == [""]
    view.say("do", ask=2, action="send", serial=thread._life.serial + 1000, text="hi")
    (answer,) = [m for m in view.got() if m["kind"] == "answer"]
    assert "expected the serial number of a thread in this view" in answer["error"]


async def test_a_closed_panel_records_nothing_and_holds_no_thread(loop, page):
    async def live():
        thread = Hearing()
        thread.start()
        await until(lambda: thread.running)
        panel = SignalPanel(thread)
        view = page(panel)
        view.say("hello", seen=True)
        assert thread._life.dispatcher.keepers == 1
        panel.close()
        assert thread._life.dispatcher.keepers == 0
        assert panel.shown is None
        await thread.stop()
        await thread.join()
        return weakref.ref(thread)

    gone = await live()
    gc.collect()
    assert gone() is None


def test_it_names_itself_and_refuses_what_is_no_thread(loop):
    thread = Hearing()
    assert repr(SignalPanel(thread)) == f"<SignalPanel: signals of {thread._life.id}>"
    with pytest.raises(TypeError, match="expected a TaskThread"):
        SignalPanel("thread")
