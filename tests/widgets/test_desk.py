"""What a page may ask for."""

import asyncio
from concurrent.futures import Future

import pytest
from task_thread_widgets.desk import LONGEST_TEXT, carry_out
from task_thread_widgets.refusal import Refusal

from task_thread import MessageSignal, TaskThread, reCreate, reSchedule
from task_thread.frames.tree_rows import TreeRows


class Ticking(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(0)
        self.tasks.tick = await reSchedule(self.tick__)


def shown(thread):
    rows = TreeRows(thread)
    rows.frame(0.0, True, ())
    return rows


def ask(rows, **message):
    """Ask, and return the answer as a future."""
    answer: Future[str] = Future()
    carry_out(message, rows, answer.set_result)
    return answer


async def until(answer):
    return await asyncio.wrap_future(answer)


async def test_start_and_stop_are_answered_when_they_are_reached():
    thread = Ticking()
    rows = shown(thread)
    serial = thread._life.serial
    assert await until(ask(rows, action="start", serial=serial)) == ""
    assert thread.state == "running"
    assert await until(ask(rows, action="stop", serial=serial)) == ""
    assert thread.state == "stopped"


async def test_tasks_are_paused_stepped_paced_and_resumed():
    thread = Ticking()
    rows = shown(thread)
    await until(ask(rows, action="start", serial=thread._life.serial))
    about = {"serial": thread._life.serial, "slot": "tick"}

    assert await until(ask(rows, action="pause", **about)) == ""
    before = thread.snapshot().task("tick")
    assert before.state == "paused"
    assert await until(ask(rows, action="step", **about)) == ""
    assert thread.snapshot().task("tick").turns == before.turns + 1
    assert await until(ask(rows, action="pace", hz=50, **about)) == ""
    assert thread.snapshot().task("tick").pace == 50
    assert await until(ask(rows, action="resume", **about)) == ""
    assert thread.snapshot().task("tick").state != "paused"
    await thread.stop()
    await thread.join()


async def test_stop_all_stops_every_live_root_that_is_shown_and_no_other():
    first, second, third = Ticking(), Ticking(), Ticking()
    first.start()
    second.start()
    third.start()
    assert await until(ask(shown(first), action="stop_all")) == ""
    assert [t.state for t in (first, second, third)] == ["stopped", "running", "running"]
    assert await until(ask(shown(None), action="stop_all")) == ""
    assert [t.state for t in (second, third)] == ["stopped", "stopped"]
    assert await until(ask(shown(None), action="stop_all")) == "", "nothing is left to stop"


class Boss(Ticking):
    """Makes a new child in each run."""

    async def enter__(self):
        await super().enter__()
        child = Ticking(self)
        await child.run()
        await self.addChild(child)


async def boss_and_orphan(of_all):
    """Return a stopped parent, its child that was started under it, and what shows them."""
    boss = Boss()
    boss.start()
    while not boss.running:
        await asyncio.sleep(0)
    (child,) = boss.children
    rows = shown(None if of_all else boss)
    await until(ask(rows, action="stop", serial=boss._life.serial))
    rows.frame(1.0, False, ())
    await until(ask(rows, action="start", serial=child._life.serial))
    rows.frame(2.0, False, ())
    assert (boss.state, child.state) == ("stopped", "running")
    return boss, child, rows


@pytest.mark.parametrize("of_all", [True, False])
async def test_stop_all_stops_a_child_that_was_started_under_a_stopped_parent(of_all):
    _, child, rows = await boss_and_orphan(of_all)
    other = Ticking()
    other.start()
    assert await until(ask(rows, action="stop_all")) == ""
    assert child.state == "stopped"
    assert other.state == ("stopped" if of_all else "running")
    await other.stop()
    await other.join()


@pytest.mark.parametrize("of_all", [True, False])
async def test_what_is_asked_of_a_parent_reaches_all_that_is_shown_below_it(of_all):
    boss, orphan, rows = await boss_and_orphan(of_all)
    about = {"serial": boss._life.serial}
    await until(ask(rows, action="start", **about))
    rows.frame(3.0, False, ())
    (child,) = boss.children
    assert child is not orphan
    three = (boss, child, orphan)

    assert await until(ask(rows, action="pace", hz=50, **about)) == ""
    assert [t.snapshot().task("tick").pace for t in three] == [50, 50, 50]
    assert await until(ask(rows, action="pause", **about)) == ""
    assert [t.snapshot().task("tick").state for t in three] == ["paused"] * 3
    assert await until(ask(rows, action="resume", **about)) == ""
    assert "paused" not in [t.snapshot().task("tick").state for t in three]
    assert await until(ask(rows, action="pause", slot="tick", **about)) == ""
    assert orphan.snapshot().task("tick").state != "paused", "a slot is one thread's"
    assert await until(ask(rows, action="stop", **about)) == ""
    assert [t.state for t in three] == ["stopped"] * 3


async def test_what_goes_wrong_is_answered():
    class Broken(TaskThread):
        async def enter__(self):
            raise ValueError("no sensor")

    thread = Broken()
    rows = shown(thread)
    serial = thread._life.serial
    assert await until(ask(rows, action="start", serial=serial)) == "ValueError: no sensor"
    sentence = await until(ask(rows, action="pause", serial=serial, slot="nobody"))
    assert "has no task 'nobody'" in sentence


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({}, "expected one of start, stop, .*, stop_all, found ''"),
        ({"action": "eval"}, "found 'eval'"),
        ({"action": "__class__"}, "found '__class__'"),
        ({"action": 5}, "expected action to be of type str, found 5"),
        ({"action": "stop"}, "expected the serial number of a thread in this view, found None"),
        ({"action": "stop", "serial": -1}, "serial number of a thread in this view, found -1"),
        ({"action": "stop", "serial": "1"}, "expected serial to be of type int, found '1'"),
        ({"action": "stop", "serial": True}, "expected serial to be of type int, found True"),
        ({"action": "x" * 1_000_000}, r"found 'xxx.*\.\.\..*xxx'$"),
    ],
)
async def test_what_is_not_on_the_list_is_refused(message, sentence):
    thread = Ticking()
    with pytest.raises(Refusal, match=sentence) as refusal:
        ask(shown(thread), **message)
    assert len(str(refusal.value)) < 300
    assert thread.state == "created"


class Hearing(Ticking):
    def initVars__(self):
        self.heard = []

    async def signalHandler__(self, signal):
        self.heard.append(signal)


async def test_a_text_is_sent_as_a_message_signal():
    thread = Hearing()
    rows = shown(thread)
    about = {"action": "send", "serial": thread._life.serial}
    await until(ask(rows, action="start", serial=thread._life.serial))
    assert await until(ask(rows, text="<b>hi</b>", **about)) == ""
    while not thread.heard:
        await asyncio.sleep(0)
    (signal,) = thread.heard
    assert isinstance(signal, MessageSignal)
    assert (signal.origin, signal.getMessage()) == ("the page", "<b>hi</b>")
    await thread.stop()
    await thread.join()
    answer = await until(ask(rows, text="too late", **about))
    assert answer == f"{thread._life.id} is stopped and takes no signals: start it first"
    assert thread._life.undelivered == 0


@pytest.mark.parametrize(
    "text", [None, "", "x" * (LONGEST_TEXT + 1), "half \ud83d", 5, ["hi"], {"a": 1}, True]
)
async def test_a_malformed_text_is_refused(text):
    thread = Hearing()
    thread.start()
    while not thread.running:
        await asyncio.sleep(0)
    with pytest.raises(Refusal, match="expected") as refusal:
        ask(shown(thread), action="send", serial=thread._life.serial, text=text)
    assert len(str(refusal.value)) < 300
    await thread.stop()
    await thread.join()
    assert thread.heard == []


@pytest.mark.parametrize(
    "message",
    [
        {"slot": 3},
        {"slot": "x" * 1_000_000},
        {"slot": ["tick"]},
        {"hz": "fast"},
        {"hz": -1},
        {"hz": float("inf")},
        {"hz": float("nan")},
        {"hz": True},
        {},
    ],
)
async def test_a_malformed_pace_is_refused(message):
    thread = Ticking()
    await until(ask(shown(thread), action="start", serial=thread._life.serial))
    with pytest.raises(Refusal):
        ask(shown(thread), action="pace", serial=thread._life.serial, **message)
    assert thread.snapshot().task("tick").pace == 0
    await thread.stop()
    await thread.join()


async def test_a_thread_that_the_panel_does_not_show_is_out_of_reach():
    mine, other = Ticking(), Ticking()
    other.start()
    with pytest.raises(Refusal, match="in this view"):
        ask(shown(mine), action="stop", serial=other._life.serial)
    assert other.state == "starting"
    await other.stop()
    await other.join()
