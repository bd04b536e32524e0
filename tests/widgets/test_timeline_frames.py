"""What a timeline tells of a program: lanes, turns, signals, failures, stalls; sums above a limit."""

import asyncio
import gc
import time
import weakref

import pytest

from task_thread import MessageSignal, TaskThread, delete, reCreate, reSchedule
from task_thread._core.trace import Kind
from task_thread.frames.timeline_frames import (
    BURST,
    EVENTS,
    MOST_TOLD,
    TimelineFrames,
    decide,
    find_stalls,
)
from task_thread.frames.timeline_lanes import LINGER, Lane, TimelineLanes

RUN, WAIT, REST, TURN, END = range(5)


class Gate(TaskThread):
    """Its task turns once each time that `go` is set."""

    def initVars__(self):
        self.go = asyncio.Event()
        self.turned = asyncio.Event()

    def getId(self):
        return "gate"

    async def enter__(self):
        self.tasks.tick = await reCreate(None, self.tick__)

    async def tick__(self):
        self.turned.set()
        await self.go.wait()
        self.go.clear()
        self.tasks.tick = await reSchedule(self.tick__)

    async def turn(self, times=1):
        """Let it turn, and wait until it stands in its next turn."""
        for _ in range(times):
            self.turned.clear()
            self.go.set()
            await self.turned.wait()
            await asyncio.sleep(0)


class Reader:
    """Takes frames as a page does, and tells its lanes apart."""

    def __init__(self, thread=None):
        self.frames = TimelineFrames(thread)
        self.full = True
        self.lanes = {}
        self.rows = ()

    def look(self, lag=0.0, full=False):
        """Take a frame; returns its facts, the news of each lane under "news"."""
        now = asyncio.get_running_loop().time()
        frame = self.frames.frame(now, lag, self.full or full, self.rows)
        self.full = False
        if frame is None:
            return None
        facts = dict(frame.facts)
        for lane in facts.get("add", ()):
            self.lanes[lane["lane"]] = dict(lane)
        for number, changed in facts.get("set", ()):
            self.lanes[number].update(changed)
        for number in facts.get("gone", ()):
            del self.lanes[number]
        facts["news"] = news(frame.columns)
        return facts

    def see_all(self):
        """Have all lanes in view; returns the frame after that."""
        if self.full:
            self.look()
        self.rows = tuple(self.lanes)
        return self.look()

    def number(self, name, of=None):
        for lane in self.lanes.values():
            if lane["name"] == name and (of is None or self.lanes[lane["of"]]["name"] == of):
                return lane["lane"]
        raise KeyError(name)


def news(columns):
    """The columns by lane: what happened, or the sums; and the number of turns."""
    found = {}
    whats = iter(columns.get("what", ()))
    sums = zip(*(columns.get(n, ()) for n in ("tick", "count", "busy", "after")), strict=True)
    heads = zip(*(columns.get(n, ()) for n in ("lane", "size", "turns", "form")), strict=True)
    for lane, size, turns, form in heads:
        items = [next(sums) if form else next(whats) for _ in range(size)]
        found[lane] = {"turns": turns, "summed": bool(form), "items": items}
    return found


@pytest.fixture
async def gate():
    thread = Gate()
    thread.start()
    await thread.turned.wait()
    yield thread
    await thread.stop()
    await thread.join()


@pytest.fixture
def read():
    readers = []

    def make(thread=None):
        readers.append(Reader(thread))
        return readers[-1]

    yield make
    for reader in readers:
        reader.frames.close()


async def test_lanes_are_a_thread_and_its_tasks(gate, read):
    reader = read(gate)
    facts = reader.look()
    thread, task = facts["add"]
    assert (thread["kind"], thread["name"], thread["of"]) == ("thread", "gate", 0)
    assert (task["kind"], task["name"], task["of"]) == ("task", "tick", thread["lane"])
    assert task["serial"] == thread["serial"] == gate._life.serial
    assert (thread["state"], task["state"]) == ("running", "waiting")


async def test_only_lanes_in_view_are_told_in_detail(gate, read):
    reader = read(gate)
    reader.look()
    await gate.turn()
    assert reader.look() is None
    tick = reader.number("tick")
    reader.rows = (tick,)
    facts = reader.look()
    assert facts["lanes"] == [tick]
    await gate.turn(2)
    facts = reader.look()
    assert facts["news"][tick]["items"] == [RUN, TURN, WAIT, RUN, TURN, WAIT]
    assert facts["news"][tick]["turns"] == 3
    assert "lanes" not in facts


async def test_a_lane_that_comes_into_view_is_told_from_as_far_back_as_possible(gate, read):
    reader = read(gate)
    reader.look()
    await gate.turn(2)
    reader.look()
    tick = reader.number("tick")
    facts = reader.see_all()
    assert facts["news"][tick]["items"] == [RUN, TURN, WAIT, RUN, TURN, WAIT]
    back = {number: rest for number, *rest in facts["back"]}
    assert back[tick][1:] == [-1, 2]
    assert back[tick][0] < 0


async def test_a_lane_of_which_nothing_is_recorded_tells_what_it_does_now(gate, read):
    reader = read(gate)
    facts = reader.see_all()
    back = {number: rest for number, *rest in facts["back"]}
    assert back[reader.number("tick")][1:] == [WAIT, 0]
    assert facts["news"] == {}


class Errand(Gate):
    """Waits at one line, then at another."""

    async def tick__(self):
        await self.wait_for_go()
        await asyncio.gather(self.wait_for_go())
        self.tasks.tick = await reSchedule(self.tick__)

    async def wait_for_go(self):
        self.turned.set()
        await self.go.wait()
        self.go.clear()


async def test_it_is_told_at_which_line_a_task_waits(read):
    errand = Errand()
    errand.start()
    await errand.turned.wait()
    reader = read(errand)
    reader.look()
    tick = reader.number("tick")
    facts = reader.see_all()  # it waited before anybody looked
    [[first, line, text]] = facts["places"]
    assert (facts["stands"], text) == ([[tick, first]], "await self.go.wait()")
    assert reader.look() is None  # and goes on to
    await errand.turn()
    facts = reader.look()
    [[second, further, text]] = facts["places"]
    assert (facts["stands"], text) == ([[tick, second]], "await asyncio.gather(self.wait_for_go())")
    assert further != line and first != second
    await errand.turn()
    facts = reader.look()
    assert (facts["stands"], "places" in facts) == ([[tick, first]], False)
    facts = reader.look(full=True)  # a page that was loaded anew knows no place
    assert [text for _, _, text in facts["places"]] == ["await self.go.wait()"]
    await errand.stop()
    await errand.join()
    assert "stands" not in (reader.look() or {})


async def test_nothing_happened_is_no_frame_and_leaves_no_gap(gate, read):
    reader = read(gate)
    reader.see_all()
    told = asyncio.get_running_loop().time()
    assert reader.look() is None
    await gate.turn()
    looked = asyncio.get_running_loop().time()
    facts = reader.look()
    assert facts["since"] <= (told - looked) * 1000


async def test_nothing_is_recorded_before_the_first_frame_and_after_rest(gate, read):
    reader = read(gate)
    assert gate._life.dispatcher.trace is None
    reader.look()
    assert gate._life.dispatcher.trace is not None
    reader.frames.rest()
    assert gate._life.dispatcher.trace is None
    assert gate._life.dispatcher.watchers == 0


async def test_two_timelines_share_a_trace(gate, read):
    one, two = read(gate), read(gate)
    one.see_all()
    two.see_all()
    await gate.turn()
    assert one.look()["news"] and two.look()["news"]
    one.frames.rest()
    assert gate._life.dispatcher.watchers == 1


async def test_a_thread_that_runs_again_goes_on_in_its_lanes(gate, read):
    reader = read(gate)
    reader.see_all()
    await gate.stop()
    await gate.join()
    facts = reader.look()
    thread, tick = reader.number("gate"), reader.number("tick")
    # The page shows a state once, however often it is told.
    assert [mark[1:3] for mark in facts["marks"]] == [[thread, "state"]] * len(facts["marks"])
    assert {mark[3] for mark in facts["marks"]} == {"stopping", "stopped"}
    assert facts["marks"][-1][3] == "stopped"
    assert facts["news"][tick]["items"][-1] == END
    assert reader.lanes[tick]["state"] == "done"
    assert reader.lanes[thread]["state"] == "stopped"

    gate.start()
    await gate.turned.wait()
    reader.look()
    await gate.turn()
    facts = reader.look()
    assert facts["news"][tick]["turns"] == 1
    assert reader.lanes[tick]["state"] == "waiting"
    assert len(reader.lanes) == 2
    assert gate._life.dispatcher.watchers == 1


async def test_a_thread_that_takes_the_place_of_another_goes_on_in_its_lanes(gate, read):
    reader = read()
    reader.see_all()
    before = {lane["name"]: number for number, lane in reader.lanes.items()}
    await gate.stop()
    await gate.join()
    reader.look()
    successor = Gate()
    successor.start()
    await successor.turned.wait()
    reader.look()
    assert {lane["name"]: number for number, lane in reader.lanes.items()} == before
    for lane in reader.lanes.values():
        assert lane["serial"] == successor._life.serial
    await successor.stop()
    await successor.join()


async def test_every_live_root_is_shown_and_new_ones_appear(gate, read):
    reader = read()
    reader.look()
    other = Gate()
    other.getId = lambda: "other"
    other.start()
    await other.turned.wait()
    reader.look()
    assert {lane["name"] for lane in reader.lanes.values()} == {"gate", "other", "tick"}
    await other.stop()
    await other.join()


async def test_a_task_that_comes_later_gets_a_lane_and_one_of_its_name_gets_it_again(gate, read):
    reader = read(gate)
    reader.see_all()
    stands = asyncio.Event()

    async def once():
        await stands.wait()

    gate.tasks.extra = await reCreate(None, once)
    await gate.turn()
    reader.look()
    extra = reader.number("extra")
    reader.rows = tuple(reader.lanes)
    reader.look()
    stands.set()
    await gate.tasks.extra
    facts = reader.look()
    assert facts["news"][extra] == {"turns": 0, "summed": False, "items": [RUN, END]}
    gate.tasks.extra = await reCreate(None, once)
    await gate.turn()
    reader.look()
    assert reader.number("extra") == extra
    assert reader.lanes[extra]["state"] == "done"


async def test_ended_lanes_go_when_the_page_has_forgotten_them(gate):
    lanes = TimelineLanes(gate)
    lanes.search(0, True)

    async def once():
        pass

    await (await reCreate(None, once))
    gone = gate.tasks.gone = await reCreate(None, once)
    lanes.search(10, True)
    await gone
    gate.tasks.gone = None
    await gate.turn()
    lanes.search(20, True)
    assert [lane.told["name"] for lane in lanes.rows.values()] == ["gate", "tick", "gone"]
    lanes.news(False)
    lanes.search(20 + LINGER + 1, True)
    assert [lane.told["name"] for lane in lanes.rows.values()] == ["gate", "tick"]
    assert len(lanes.news(False)["gone"]) == 1


async def test_a_stopped_root_is_not_kept_alive(read):
    reader = read()
    thread = Gate()
    thread.start()
    await thread.turned.wait()
    reader.see_all()
    await thread.stop()
    await thread.join()
    reader.look()
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None
    reader.look()
    assert reader.lanes[reader.number("gate")]["state"] == "stopped"


class Child(Gate):
    def getId(self):
        return "child"

    async def signalHandler__(self, signal):
        pass

    async def tick__(self):
        self.turned.set()
        await self.go.wait()
        self.go.clear()
        for text in self.texts:
            await self.sigFromChildToParent__(MessageSignal(self, text))
        self.tasks.tick = await reSchedule(self.tick__)


class Parent(TaskThread):
    heard = 0

    def getId(self):
        return "parent"

    async def enter__(self):
        self.all_heard = asyncio.Event()
        self.child = Child(self)
        await self.child.run()
        await self.addChild(self.child)

    async def childsignalHandler__(self, signal, child):
        self.heard += 1
        if self.heard == len(child.texts):
            self.all_heard.set()


@pytest.fixture
async def parent():
    thread = Parent()
    thread.start()
    while thread.state != "running":
        await asyncio.sleep(0)
    await thread.child.turned.wait()
    yield thread
    await thread.stop()
    await thread.join()


async def test_signals_are_told_from_lane_to_lane(parent, read):
    parent.child.texts = ["<b>hello</b>"]
    reader = read(parent)
    reader.see_all()
    await parent.child.turn()
    await parent.all_heard.wait()
    await parent.child.insertSignal(MessageSignal(None, {"a": 1}))
    await parent.child.turn()
    facts = reader.look()
    first, second = facts["signals"][:2]
    sent, taken, *rest = first
    assert sent <= taken <= 0
    assert rest == [
        reader.number("tick"), reader.number("parent"), "MessageSignal", "<b>hello</b>", 1
    ]  # fmt: skip
    # Sent by nobody's task: from outside.
    assert second[2:] == [0, reader.number("child"), "MessageSignal", "{'a': 1}", 1]


async def test_many_signals_are_told_together(parent, read):
    count = MOST_TOLD + 40
    parent.child.texts = [str(number) for number in range(count)]
    reader = read(parent)
    reader.see_all()
    parent.child.go.set()
    await parent.all_heard.wait()
    (row,) = reader.look()["signals"]
    assert row[2:] == [reader.number("tick"), reader.number("parent"), "MessageSignal", "0", count]


async def test_signals_between_lanes_that_nobody_sees_are_counted(parent, read):
    parent.child.texts = ["a", "b"]
    reader = read(parent)
    reader.look()
    reader.rows = ()
    extra = TaskThread(parent)
    await extra.run()
    await parent.addChild(extra)
    reader.look()
    reader.rows = (reader.number(extra.getId()),)
    reader.look()
    parent.child.go.set()
    await parent.all_heard.wait()
    facts = reader.look()
    assert facts["hidden"]["signals"] == 2
    assert "signals" not in facts


async def test_signals_before_the_page_said_what_it_shows_are_told_then(parent, read):
    parent.child.texts = ["early"]
    reader = read(parent)
    reader.look()
    parent.child.go.set()
    await parent.all_heard.wait()
    assert reader.look() is None
    facts = reader.see_all()
    assert [signal[5] for signal in facts["signals"]] == ["early"]


class Failing(Gate):
    async def tick__(self):
        await super().tick__()
        raise ValueError("<no>")


async def test_failures_are_marked(read, caplog):
    thread = Failing()
    thread.start()
    await thread.turned.wait()
    reader = read(thread)
    reader.see_all()
    thread.go.set()
    await asyncio.wait([thread.tasks.tick])
    facts = reader.look()
    tick = reader.number("tick")
    assert [mark[1:] for mark in facts["marks"]] == [[tick, "failed", "ValueError: <no>"]]
    assert reader.lanes[tick]["state"] == "failed"
    # The turn did not end, so its number is the next one.
    assert facts["news"][tick]["turns"] == 0
    await thread.stop()
    await thread.join()


async def test_a_blocked_loop_is_told_with_the_task_that_blocked_it(gate, read):
    reader = read(gate)
    reader.see_all()

    async def block():
        await asyncio.sleep(0)
        time.sleep(0.07)  # noqa: ASYNC251

    gate.tasks.block = await reCreate(None, block)
    await gate.tasks.block
    facts = reader.look(lag=0.08)
    (stall,) = facts["stalls"]
    begin, end, lane = stall
    assert 65 < end - begin < 1000
    assert lane == reader.number("block")


async def test_a_loop_that_others_block_is_told_too(gate, read):
    reader = read(gate)
    reader.see_all()
    assert reader.look(lag=0.049) is None
    assert reader.look(lag=0.25)["stalls"] == [[-250.0, 0.0, 0]]


async def test_a_flood_of_turns_is_told_in_sums(gate, read):
    reader = read(gate)
    reader.see_all()
    await gate.turn(BURST)  # three events a turn
    facts = reader.look()
    told = facts["news"][reader.number("tick")]
    assert told["summed"]
    assert sum(count for _, count, _, _ in told["items"]) == told["turns"] == BURST
    assert all(after == WAIT for *_, after in told["items"][-1:])
    assert sum(busy for _, _, busy, _ in told["items"]) > 0


def lane(rate, dense=False):
    made = Lane(None, 1)
    made.rate = rate
    made.dense = dense
    return made


def test_only_the_busiest_lanes_are_told_in_sums():
    lanes = [(lane(rate), [None] * round(rate / 10)) for rate in (10, 200, 900, 2000)]
    decide(lanes, 0.1)
    assert [lane.dense for lane, _ in lanes] == [False, False, True, True]


def test_as_long_as_all_fit_none_is_told_in_sums():
    lanes = [(lane(EVENTS / 20), [None] * 5) for _ in range(20)]
    decide(lanes, 0.1)
    assert not any(lane.dense for lane, _ in lanes)


def test_a_lane_that_has_calmed_down_is_told_event_by_event_again():
    one = lane(0.95 * EVENTS, dense=True)
    decide([(one, [None] * 95)], 0.1)
    assert one.dense  # not clearly calmer
    for _ in range(20):
        decide([(one, [None] * 10)], 0.1)
    assert not one.dense


def test_stalls_are_found_by_looking_at_few_events():
    events = [(int(Kind.RUN if i % 2 == 0 else Kind.WAIT), i / 1000, 7, None) for i in range(1000)]
    assert find_stalls(events) == []
    late = [
        (kind, when + (0.2 if when >= 0.501 else 0), who, what) for kind, when, who, what in events
    ]
    ((begin, end, who),) = find_stalls(late)
    assert (begin, round(end, 3), who) == (0.5, 0.701, 7)
    # Nobody ran: the loop had nothing to do, or was busy with something that is not recorded.
    idle = [
        (kind, when + (0.2 if when >= 0.5 else 0), who, what) for kind, when, who, what in events
    ]
    assert find_stalls(idle) == []


async def test_events_that_were_lost_leave_a_gap_that_is_told(gate, read, monkeypatch):
    reader = read(gate)
    reader.see_all()
    trace = gate._life.dispatcher.trace
    began = asyncio.get_running_loop().time()
    for _ in range(trace._ring.maxlen + 10):
        trace.add(Kind.WAIT, 10**9)
    facts = reader.look()
    assert facts["hidden"]["lost"] == 10
    assert facts["since"] >= (began - asyncio.get_running_loop().time()) * 1000


async def test_a_thread_on_another_loop_is_not_recorded_but_told(gate, read, monkeypatch):
    reader = read(gate)
    monkeypatch.setattr("task_thread.frames.timeline_frames.running_loop", lambda: None)
    facts = reader.look()
    assert facts["away"] == 1
    assert gate._life.dispatcher.trace is None


class Relay(TaskThread):
    """`wait` waits in one way or another; `act` does what a test asks it to, in a turn of its own."""

    def initVars__(self):
        self.todo = asyncio.Queue()
        self.event = asyncio.Event()
        self.queue = asyncio.Queue()
        self.full = asyncio.Queue(1)
        self.full.put_nowait(0)
        self.lock = asyncio.Lock()
        self.some = asyncio.Semaphore(0)
        self.condition = asyncio.Condition()
        self.future = asyncio.get_running_loop().create_future()
        self.waiting = asyncio.Event()
        self.went_on = asyncio.Event()
        self.acted = asyncio.Event()

    async def enter__(self):
        self.tasks.act = await reCreate(None, self.act__)
        self.tasks.wait = await reCreate(None, self.wait__)

    async def act__(self):
        todo = await self.todo.get()
        found = todo()
        if found is not None:
            await found
        self.acted.set()
        self.tasks.act = await reSchedule(self.act__)

    async def wait__(self):
        self.waiting.set()
        await self.way()
        self.went_on.set()

    async def by_event(self):
        await self.event.wait()

    async def by_queue(self):
        await self.queue.get()

    async def by_room(self):
        await self.full.put(1)

    async def by_semaphore(self):
        await self.some.acquire()

    async def by_sleep(self):
        await asyncio.sleep(3600)

    async def by_lock(self):
        async with self.lock:
            pass

    async def by_condition(self):
        async with self.condition:
            await self.condition.wait()

    async def notify(self):
        async with self.condition:
            self.condition.notify()

    async def by_future(self):
        await self.future

    async def signalHandler__(self, signal):
        self.event.set()


async def watched(way, read):
    """Return a relay whose task waits in some way, and a reader that has seen it in two frames."""
    relay = Relay()
    await relay.lock.acquire()
    relay.way = getattr(relay, way)
    relay.start()
    await relay.waiting.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    reader = read(relay)
    reader.frames.wakes = True
    reader.see_all()
    reader.look()
    return relay, reader


def wakes(reader):
    """Who made whom go on, by name, since the frame before."""
    told = (reader.look() or {}).get("wakes", [])
    return [tuple(reader.lanes[number]["name"] for number in way) for _, *way in told]


WAYS = {
    "event": ("by_event", lambda r: r.event.set()),
    "queue": ("by_queue", lambda r: r.queue.put_nowait(1)),
    "room": ("by_room", lambda r: r.full.get_nowait()),
    "lock": ("by_lock", lambda r: r.lock.release()),
    "semaphore": ("by_semaphore", lambda r: r.some.release()),
    "condition": ("by_condition", lambda r: r.notify()),
    "future": ("by_future", lambda r: r.future.set_result(1)),
}


@pytest.mark.parametrize("name", WAYS)
async def test_who_makes_another_task_go_on_is_told(name, read):
    way, act = WAYS[name]
    relay, reader = await watched(way, read)
    relay.todo.put_nowait(lambda: act(relay))
    await relay.went_on.wait()
    assert wakes(reader) == [("act", "wait")]
    assert wakes(reader) == []
    await relay.stop()
    await relay.join()


async def test_a_task_that_deletes_another_one_makes_it_go_on(read):
    relay, reader = await watched("by_event", read)
    relay.todo.put_nowait(lambda: delete(relay.tasks.wait))
    await relay.acted.wait()
    assert wakes(reader) == [("act", "wait")]
    await relay.stop()
    await relay.join()


async def plain(relay):
    await asyncio.sleep(0)
    relay.event.set()


@pytest.mark.parametrize("by", ["a test", "a timer", "a handler", "a plain task", "before a step"])
async def test_nobody_is_blamed_for_what_no_turn_has_done(by, read):
    relay, reader = await watched("by_event", read)
    loop = asyncio.get_running_loop()
    task = None
    if by == "a test":
        relay.event.set()
    elif by == "a timer":
        loop.call_later(0, relay.event.set)
    elif by == "a handler":
        await relay.insertSignal(MessageSignal(None, "go"))
    elif by == "a plain task":
        task = asyncio.create_task(plain(relay))
    else:
        # In one round of the loop: the event is set, then a task takes its step.
        loop.call_soon(relay.event.set)
        relay.todo.put_nowait(lambda: None)
    await relay.went_on.wait()
    assert wakes(reader) == []
    if task is not None:
        await task
    await relay.stop()
    await relay.join()


async def test_only_waits_that_last_are_looked_at_and_nothing_after_a_rest(read):
    relay, reader = await watched("by_event", read)
    [trace] = reader.frames._read
    assert len(trace._awaited) == 2  # `act` waits as well
    reader.frames.rest()
    assert not trace._awaited
    assert not reader.frames._waits
    assert not reader.frames._woken
    relay.todo.put_nowait(relay.event.set)
    await relay.went_on.wait()
    assert not trace.wakes
    await relay.stop()
    await relay.join()


async def test_a_sleep_is_nobody_s_to_end(read):
    relay, reader = await watched("by_sleep", read)
    [trace] = reader.frames._read
    assert len(trace._awaited) == 1
    await relay.stop()
    await relay.join()


async def test_a_frame_tells_no_wakes_to_who_did_not_ask_for_them(read):
    relay, reader = await watched("by_event", read)
    reader.frames.rest()
    reader.frames.wakes = False
    reader.look()
    reader.look()
    relay.todo.put_nowait(relay.event.set)
    await relay.went_on.wait()
    assert wakes(reader) == []
    await relay.stop()
    await relay.join()
