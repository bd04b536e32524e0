"""The timeline between the program and the page: it records while somebody looks, and for 30 s more."""

import asyncio
import gc
import weakref

import pytest
from task_thread_widgets import TimelinePanel

from task_thread import TaskThread, reCreate, reSchedule
from task_thread.frames.sampler import running_samplers


class Ticking(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(0)
        self.tasks.tick = await reSchedule(self.tick__)


@pytest.fixture
async def thread():
    ticking = Ticking()
    ticking.start()
    while not ticking.snapshot().turns:
        await asyncio.sleep(0)
    yield ticking
    await ticking.stop()
    await ticking.join()


async def turn(thread):
    before = thread.snapshot().turns
    while thread.snapshot().turns <= before:
        await asyncio.sleep(0)


def recorded(thread):
    return thread._life.dispatcher.trace is not None


def lanes_of(frame):
    return [lane["lane"] for lane in frame["facts"]["add"]]


async def test_nothing_is_recorded_before_somebody_looks(thread, loop, page):
    watcher = page(TimelinePanel(thread))
    loop.advance(60)
    assert watcher.got() == []
    assert not recorded(thread)
    assert running_samplers() == []


async def test_hello_brings_the_lanes_and_rows_bring_what_happens_in_them(thread, loop, page):
    watcher = page(TimelinePanel(thread))
    watcher.say("hello", newest=0, seen=True)
    (frame,) = watcher.got()
    assert frame["full"]
    names = [lane["name"] for lane in frame["facts"]["add"]]
    assert names == [thread.getId(), "tick"]
    assert recorded(thread)
    watcher.say("rows", newest=1, rows=lanes_of(frame))
    await turn(thread)
    loop.advance(0.1)
    (frame,) = watcher.got()
    assert not frame["full"]
    assert set(frame["columns"]["what"]) <= {0, 1, 2, 3}
    assert len(frame["columns"]["when"]) == len(frame["columns"]["what"])
    watcher.say("bye")


@pytest.mark.parametrize("leaving", ["hidden", "bye"])
async def test_recording_ends_when_nobody_has_looked_for_half_a_minute(thread, loop, page, leaving):
    watcher = page(TimelinePanel(thread))
    watcher.say("hello", seen=True)
    watcher.got()
    assert recorded(thread)
    watcher.say(leaving)
    loop.advance(29)
    assert recorded(thread)
    assert running_samplers() == []
    assert watcher.got() == []
    loop.advance(2)
    assert not recorded(thread)


async def test_who_comes_back_sees_what_happened_meanwhile(thread, loop, page):
    watcher = page(TimelinePanel(thread))
    watcher.say("hello", newest=0, seen=True)
    (frame,) = watcher.got()
    watcher.say("rows", newest=1, rows=lanes_of(frame))
    loop.advance(0.1)
    watcher.got()
    watcher.say("hidden")
    loop.advance(0.2)
    turns = thread.snapshot().turns
    await turn(thread)
    loop.advance(5)
    watcher.say("visible", newest=2)
    (frame, *_) = watcher.got()
    assert frame["full"]
    # From before it left on; of the turn that ended meanwhile, each step.
    assert frame["facts"]["since"] <= -5000
    assert frame["columns"]["turns"][-1] > turns
    assert sum(frame["columns"]["size"]) >= 2
    watcher.say("bye")


async def test_recording_goes_on_while_one_of_two_views_looks(thread, loop, page):
    panel = TimelinePanel(thread)
    one, two = page(panel, "one"), page(panel, "two")
    one.say("hello", seen=True)
    two.say("hello", seen=True)
    one.say("bye")
    loop.advance(0.1)
    assert recorded(thread)
    two.say("bye")
    loop.advance(31)
    assert not recorded(thread)


async def test_closing_ends_the_recording_and_lets_go_of_the_thread(loop, page):
    thread = Ticking()
    panel = TimelinePanel(thread)
    thread.start()
    await turn(thread)
    page(panel).say("hello", seen=True)
    panel.close()
    assert not recorded(thread)
    await thread.stop()
    await thread.join()
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None


async def test_a_page_cannot_act_through_it(thread, loop, page):
    watcher = page(TimelinePanel(thread))
    watcher.say("hello", seen=True)
    watcher.say("do", ask=1, action="stop", serial=thread._life.serial)
    assert thread.state == "running"
    watcher.say("bye")


async def test_an_idle_program_costs_a_frame_a_second(loop, page):
    watcher = page(TimelinePanel(TaskThread()))
    watcher.say("hello", seen=True)
    watcher.got()
    loop.advance(5)
    assert len(watcher.got()) == 5
    watcher.say("bye")


def test_it_takes_a_thread_or_nothing(loop):
    with pytest.raises(TypeError, match=r"expected a TaskThread, or nothing.*found int 1"):
        TimelinePanel(1)
