"""The panel between the program and the page: who looks, what is sent, what is refused."""

import asyncio
import functools
import gc
import logging
import weakref

import pytest
from task_thread_widgets import TreePanel

from task_thread import TaskThread, reCreate, reSchedule
from task_thread._core.rate import RateMeter
from task_thread.frames.sampler import running_samplers


class Ticking(TaskThread):
    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        await asyncio.sleep(0)
        self.tasks.tick = await reSchedule(self.tick__)


@pytest.fixture
def thread():
    return Ticking()


def running(test):
    """Let the thread run during a test (an async fixture would run in a task of its own)."""

    @functools.wraps(test)
    async def with_thread(thread, **others):
        await asyncio.wrap_future(thread.control.start())
        try:
            await test(thread, **others)
        finally:
            await thread.stop()
            await thread.join()

    return with_thread


async def turn(thread):
    before = thread.snapshot().turns
    while thread.snapshot().turns <= before:
        await asyncio.sleep(0)


def frames(messages):
    return [message for message in messages if message["kind"] == "frame"]


@running
async def test_nothing_is_sampled_or_sent_before_a_view_says_hello(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    loop.advance(60)
    assert watcher.got() == []
    assert loop.timers == 0
    assert running_samplers() == []


@running
async def test_hello_is_answered_with_a_full_frame_and_then_with_changes(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", newest=0, seen=True)
    (frame,) = watcher.got()
    assert (frame["kind"], frame["n"], frame["full"]) == ("frame", 1, True)
    assert [row.get("name") for row in frame["facts"]["add"]] == [thread.getId(), "tick"]
    await turn(thread)
    loop.advance(0.1)
    (frame,) = watcher.got()
    assert (frame["n"], frame["full"]) == (2, False)
    assert frame["columns"]["turned"][0] >= 1
    watcher.say("bye")


@running
async def test_at_most_ten_frames_a_second_one_message_each(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.got()
    for _ in range(40):
        await turn(thread)
        loop.advance(0.025)
    assert len(watcher.got()) == 10
    watcher.say("bye")


async def test_an_unchanged_program_costs_a_frame_a_second(loop, page):
    watcher = page(TreePanel(TaskThread()))
    watcher.say("hello", seen=True)
    watcher.got()
    loop.advance(5)
    assert len(watcher.got()) == 5
    watcher.say("bye")


@pytest.mark.parametrize("leaving", ["hidden", "bye"])
@running
async def test_a_view_that_leaves_ends_the_sampling_at_once(thread, loop, page, leaving):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.got()
    watcher.say(leaving)
    loop.advance(0.1)
    assert running_samplers() == []
    loop.advance(100)
    await turn(thread)
    assert watcher.got() == []
    assert loop.timers == 0


@running
async def test_a_stall_is_told_even_where_nothing_changed_meanwhile(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    loop.advance(0.1)
    watcher.got()
    loop.now += 0.55  # a cell blocks the loop; no task took a turn
    loop.run()
    (frame,) = frames(watcher.got())
    assert frame["facts"]["lag"] == pytest.approx(450, abs=101)
    # Told once, and not again.
    loop.advance(1.2)
    assert all(later["facts"]["lag"] < 1 for later in frames(watcher.got()))
    watcher.say("bye")


@running
async def test_a_killed_browser_ends_the_sampling_after_fifteen_seconds(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    for _ in range(5):
        loop.advance(2)
        watcher.say("beat", newest=panel._numbered)
    watcher.got()
    for _ in range(300):
        await turn(thread)
        loop.advance(0.1)
    assert 149 <= len(watcher.got()) <= 151
    assert running_samplers() == []


@running
async def test_beats_keep_it_alive_and_their_number_must_not_lag(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    for _ in range(20):  # it beats, but has drawn nothing
        for _ in range(10):
            await turn(thread)
            loop.advance(0.1)
        watcher.say("beat", newest=0)
    assert len(watcher.got()) <= 152
    watcher.say("beat", newest=panel._numbered)
    loop.advance(0.1)
    assert frames(watcher.got())[0]["full"], "what it missed is told anew"
    watcher.say("bye")


@running
async def test_a_view_that_is_seen_again_gets_everything(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.say("hidden")
    loop.advance(1)
    watcher.got()
    watcher.say("visible")
    (frame,) = watcher.got()
    assert frame["full"]
    watcher.say("bye")


@pytest.mark.parametrize("first_words", [["beat"], ["rows", "beat"]])
@running
async def test_the_beat_of_a_view_that_was_forgotten_brings_it_back_whole(
    thread, loop, page, first_words
):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    loop.advance(20)  # a cell blocked, or the network was away
    assert running_samplers() == []
    watcher.got()
    for word in first_words:
        watcher.say(word, newest=3, **({"rows": []} if word == "rows" else {}))
    assert frames(watcher.got())[0]["full"]
    await turn(thread)
    loop.advance(0.1)
    assert frames(watcher.got()), "and it goes on"
    watcher.say("bye")


@running
async def test_a_view_whose_word_was_lost_is_seen_as_it_beats(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.say("hidden")
    watcher.got()
    watcher.say("beat", newest=0)  # only a view that is seen beats: its "visible" did not come
    loop.advance(0.1)
    assert frames(watcher.got())[0]["full"]
    watcher.say("bye")


@running
async def test_a_view_survives_any_number_of_hellos_of_others(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    watcher.say("beat", newest=panel._numbered)
    others = [page(panel, f"other {number}") for number in range(200)]
    for other in others:
        other.say("hello", seen=False)
    watcher.got()
    await turn(thread)
    loop.advance(0.1)
    assert frames(watcher.got())
    watcher.say("bye")
    for other in others:
        other.say("bye")


@running
async def test_a_second_browser_gets_everything_and_the_first_goes_on(thread, loop, page):
    panel = TreePanel(thread)
    first, second = page(panel, "first"), page(panel, "second")
    first.say("hello", seen=True)
    loop.advance(1)
    second.got()
    second.say("hello", seen=True)
    loop.advance(0.1)
    assert frames(second.got())[0]["full"]
    first.say("bye")
    await turn(thread)
    loop.advance(0.1)
    assert frames(second.got())
    second.say("bye")


@running
async def test_the_rate_of_others_is_asked_by_the_clock_of_their_own_loop(
    thread, loop, page, monkeypatch
):
    other = Ticking()
    await asyncio.wrap_future(other.control.start())
    asked = []
    monkeypatch.setattr(RateMeter, "rate", lambda meter, now: asked.append(now) or 1.0)
    its_loop = other._life.loop
    monkeypatch.setattr(its_loop, "time", lambda: 5.0)
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    monkeypatch.undo()
    assert asked == [5.0]
    watcher.say("bye")
    await other.stop()
    await other.join()


@running
async def test_only_seen_rows_are_looked_into(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    (frame,) = watcher.got()
    assert "places" not in frame["facts"]
    tick = frame["facts"]["add"][1]["row"]
    watcher.say("rows", rows=[tick])
    await turn(thread)
    loop.advance(0.1)
    (frame,) = watcher.got()
    assert frame["facts"]["places"][0][2] == "await asyncio.sleep(0)"
    watcher.say("bye")


@running
async def test_an_action_is_carried_out_and_answered_to_who_asked(thread, loop, page):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.got()
    watcher.say("do", ask=7, action="stop", serial=thread._life.serial)
    await thread.join()
    loop.run()
    answers = [message for message in watcher.got() if message["kind"] == "answer"]
    assert answers == [{"kind": "answer", "view": "a view", "ask": 7, "error": ""}]
    watcher.say("bye")


MALFORMED = {
    "nothing": None,
    "a text": "stop",
    "a list": [1, 2],
    "no kind": {"view": "v"},
    "an unknown kind": {"kind": "eval", "view": "v"},
    "a kind of another type": {"kind": ["do"], "view": "v"},
    "no view": {"kind": "hello"},
    "a view of another type": {"kind": "hello", "view": 3},
    "a long view": {"kind": "hello", "view": "v" * 1_000_000},
    "a newest of another type": {"kind": "beat", "view": "v", "newest": "1"},
    "rows of another type": {"kind": "rows", "view": "v", "rows": "all"},
    "rows with texts": {"kind": "rows", "view": "v", "rows": ["1"]},
    "too many rows": {"kind": "rows", "view": "v", "rows": list(range(200_000))},
    "an unknown action": {"kind": "do", "view": "v", "action": "eval", "ask": 1},
    "an unknown thread": {"kind": "do", "view": "v", "action": "stop", "serial": 10**9},
    "a megabyte of junk": {"kind": "do", "view": "v", "action": "x" * 1_000_000},
}


@pytest.mark.parametrize("what", MALFORMED)
@running
async def test_a_malformed_message_is_refused_and_changes_nothing(thread, what, loop, page, caplog):
    panel = TreePanel(thread)
    watcher = page(panel)
    with caplog.at_level(logging.WARNING, "task_thread.widgets"):
        watcher.raw(MALFORMED[what])
    (record,) = caplog.records
    assert record.getMessage().startswith("a message of the page was refused: expected ")
    assert len(record.getMessage()) < 400
    assert thread.state == "running"
    assert running_samplers() == []
    answers = watcher.got()
    if what == "an unknown action":
        assert answers[0]["error"].startswith("expected one of start, stop")
    else:
        assert answers == []


@running
async def test_a_frame_number_from_the_future_is_not_believed(thread, loop, page):
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True, newest=10**30)
    watcher.say("beat", newest=10**30)
    watcher.say("beat", newest=-5)
    loop.advance(0.1)
    assert frames(watcher.got())
    watcher.say("bye")


@running
async def test_an_error_of_ours_is_told_in_the_log_and_in_the_panel_once(
    thread, loop, page, caplog, monkeypatch
):
    panel = TreePanel(thread)
    watcher = page(panel)

    def broken(*_, **__):
        raise ZeroDivisionError("division by zero")

    with monkeypatch.context() as patch:
        patch.setattr(panel._model, "frame", broken)
        watcher.say("hello", seen=True)
        loop.advance(1)
        (message,) = watcher.got()
        assert message == {
            "kind": "error",
            "text": "The kernel could not look at the program: ZeroDivisionError: division by zero",
        }
        assert len(caplog.records) == 1
    loop.advance(0.2)
    assert frames(watcher.got())[0]["full"], "it goes on once it can"
    watcher.say("bye")


@running
async def test_a_failing_action_is_answered_and_not_raised(thread, loop, page, monkeypatch):
    watcher = page(TreePanel(thread))
    watcher.say("hello", seen=True)
    watcher.got()
    watcher.say("do", ask=1, action="pause", serial=thread._life.serial, slot="nobody")
    for _ in range(5):
        await asyncio.sleep(0)
    loop.run()
    (answer,) = [m for m in watcher.got() if m["kind"] == "answer"]
    assert "has no task 'nobody'" in answer["error"]
    watcher.say("bye")


async def test_closing_lets_go_of_the_thread_and_of_the_loop(loop, page):
    thread = Ticking()
    panel = TreePanel(thread)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is not None, "an open view holds its thread"
    panel.close()
    gc.collect()
    assert gone() is None
    assert loop.timers == 0
    loop.advance(100)
    watcher.say("hello", seen=True)  # a word that was under way
    assert running_samplers() == []


@running
async def test_a_live_thread_is_not_disturbed_by_closing(thread, loop, page):
    panel = TreePanel(thread)
    page(panel).say("hello", seen=True)
    panel.close()
    panel.close()
    await turn(thread)


def test_what_is_no_thread_is_refused(loop):
    with pytest.raises(
        TypeError, match="expected a TaskThread, or nothing for all of them, found int 5"
    ):
        TreePanel(5)


async def test_the_rate_of_what_is_not_shown_is_told_so_that_the_page_can_sum_up(loop, page):
    class Waiting(TaskThread):
        async def enter__(self):
            self.go = asyncio.Event()
            self.tasks.turn = await reCreate(None, self.turn__)

        async def turn__(self):
            await self.go.wait()
            self.tasks.turn = await reSchedule(self.turn__)

    mine, other = Waiting(), Waiting()
    mine.start()
    view = page(TreePanel(mine))
    view.say("hello", seen=True)
    (frame,) = view.got()
    assert frame["facts"]["others"] is None, "all there is is shown"
    other.start()
    while not (mine.running and other.running):
        await asyncio.sleep(0)

    def told(turns_of_mine, turns_of_other):
        """What is told after both have turned so often at once."""
        for thread, turns in ((mine, turns_of_mine), (other, turns_of_other)):
            for driver in thread._life.drivers:
                driver.turns += turns
        loop.now += 1.2
        view.say("visible")
        loop.advance(0.1)
        facts = [message["facts"] for message in view.got() if message["kind"] == "frame"]
        return [fact["others"] for fact in facts if "others" in fact][-1]

    loop.now = asyncio.get_running_loop().time() + 5
    told(0, 0)
    assert told(9000, 0) == 0, "the page has counted these itself"
    assert told(9000, 3000) > 0
    paused = other.control.pause()
    other.go.set()
    await paused
    assert told(0, 3000) == 0, "it stands: what it did before is no rate"
    for thread in (mine, other):
        await thread.stop()
        await thread.join()
    assert told(0, 0) is None


async def test_an_action_is_taken_before_its_effect_is_reached(loop, page):
    """The page tells a slow program from a kernel that has not heard it by this."""
    leave = asyncio.Event()

    class Slow(TaskThread):
        async def exit__(self):
            await leave.wait()

    slow = Slow()
    slow.start()
    while not slow.running:
        await asyncio.sleep(0)
    watcher = page(TreePanel(slow))
    watcher.say("hello", seen=True)
    watcher.got()
    watcher.say("do", ask=3, action="stop", serial=slow._life.serial)
    assert [m for m in watcher.got() if m["kind"] in ("taken", "answer")] == [
        {"kind": "taken", "view": "a view", "ask": 3}
    ]
    leave.set()
    await slow.join()
    loop.run()
    assert [m["kind"] for m in watcher.got() if m["kind"] in ("taken", "answer")] == ["answer"]
    watcher.say("do", ask=4, action="stop", serial=-1)
    assert [m["kind"] for m in watcher.got() if m["kind"] in ("taken", "answer")] == ["answer"]
