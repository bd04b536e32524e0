"""What a signal panel tells of signals, edges and queues."""

import asyncio
import gc
import itertools
import weakref

import pytest

from task_thread import MessageSignal, Signal, TaskThread, reCreate, reSchedule
from task_thread.frames.roster import GREYED
from task_thread.frames.signal_frames import FLOOD, KEPT, SignalFrames, text_of

OUTSIDE = 0


class Quiet(TaskThread):
    """Hears signals, and holds them up while `gate` is closed."""

    def initVars__(self):
        self.gate = asyncio.Event()
        self.gate.set()
        self.heard = []

    async def signalHandler__(self, signal):
        await self.gate.wait()
        self.heard.append(signal)

    async def childsignalHandler__(self, signal, child):
        self.heard.append(signal)


class Teller:
    """Takes frames of a tree, in a time of its own."""

    def __init__(self, thread=None):
        self.frames = SignalFrames(thread)
        self.loop = asyncio.get_running_loop()
        self.names = {}
        self.edges = {}
        self.counts = {}
        self.entries = {}
        self.rate = 0

    def look(self, full=False, later=0.0):
        frame = self.frames.frame(self.loop.time() + later, full, self.edges)
        facts = {} if frame is None else frame.facts
        for serial, name, *_ in facts.get("threads", ()):
            self.names[serial] = name
        self.edges.update(
            (number, (upper, lower)) for number, upper, lower in facts.get("edges", ())
        )
        for number in facts.get("gone", ()):
            del self.edges[number]
        self.counts.update((self.edges[number], rest) for number, *rest in facts.get("counts", ()))
        self.entries.update((number, rest) for number, *rest in facts.get("signals", ()))
        self.rate = facts.get("rate", self.rate)
        return facts


def serial(thread):
    return thread._life.serial


async def until(condition):
    for _ in itertools.count():
        if condition():
            return
        await asyncio.sleep(0)


@pytest.fixture
async def family():
    """A parent and its child, both running."""
    parent = Quiet()
    parent.start()
    await until(lambda: parent.running)
    child = Quiet(parent)
    await child.run()
    await parent.addChild(child)
    yield parent, child
    await parent.stop()
    await parent.join()


async def test_a_signal_is_told_from_whom_to_whom_and_how_long_it_waited(family):
    parent, child = family
    teller = Teller(parent)
    teller.look(full=True)
    await parent.sigFromParentToChild__(MessageSignal("parent", "well?"), child)
    await child.sigFromChildToParent__(MessageSignal("child", "yes"))
    await until(lambda: child.heard and parent.heard)
    teller.look()
    told = {tuple(entry[:2]): entry[2:] for entry in teller.entries.values()}
    # A cell sends to an inbox; what goes up is the child's, whoever calls it.
    assert set(told) == {(OUTSIDE, serial(child)), (serial(child), serial(parent))}
    lane, kind, text, at, waited = told[serial(child), serial(parent)]
    assert (lane, kind, text) == ("", "MessageSignal", "yes")
    assert 0 <= waited < 5
    assert abs(at - asyncio.get_running_loop().time()) < 5


async def test_the_task_that_sends_is_named():
    class Sender(Quiet):
        async def enter__(self):
            self.tasks.beat = await reCreate(None, self.beat__)

        async def beat__(self):
            await self.sigFromParentToChild__(MessageSignal(self, 1))
            await asyncio.sleep(0)
            self.tasks.beat = await reSchedule(self.beat__)

    parent = Sender()
    parent.start()
    await until(lambda: parent.running)
    child = Quiet(parent)
    await child.run()
    await parent.addChild(child)
    teller = Teller(parent)
    teller.look(full=True)
    await until(lambda: len(child.heard) > 2)
    teller.look()
    sender, receiver, lane, *_ = next(iter(teller.entries.values()))
    assert (sender, receiver, lane) == (serial(parent), serial(child), "beat")
    await parent.stop()
    await parent.join()


async def test_edges_count_both_ways_and_tell_their_queues(family):
    parent, child = family
    teller = Teller(parent)
    teller.look(full=True)
    child.gate.clear()
    for n in range(5):
        await parent.sigFromParentToChild__(MessageSignal("parent", n), child)
    for n in range(3):
        await child.sigFromChildToParent__(MessageSignal("child", n))
    await until(lambda: len(parent.heard) == 3)
    teller.look(full=True)
    edge = (serial(parent), serial(child))
    assert teller.counts[edge] == [1, 3, 4, 0, 0], "one is in the handler's hands, four wait"
    child.gate.set()
    await until(lambda: len(child.heard) == 5)
    teller.look()
    assert teller.counts[edge] == [5, 3, 0, 0, 0]
    assert list(teller.edges.values()) == [edge], "though it was a cell that sent them"


async def test_what_a_stopped_thread_did_not_get_is_told_as_undelivered(family):
    parent, child = family
    child.drain_timeout = 0
    teller = Teller(parent)
    teller.look(full=True)
    child.gate.clear()
    for n in range(5):
        await parent.sigFromParentToChild__(MessageSignal("parent", n), child)
    await until(lambda: child._life.inbox.qsize() == 4)
    teller.look(full=True)
    await child.stop()
    await child.join()
    teller.look(full=True)
    assert teller.counts[serial(parent), serial(child)][2:] == [0, 0, 4]


async def test_a_flood_is_counted_for_each_edge_and_the_newest_is_shown(family):
    parent, child = family
    child.max_qsize = 0
    teller = Teller(parent)
    teller.look(full=True)
    for n in range(3 * FLOOD):
        await parent.sigFromParentToChild__(MessageSignal("parent", n), child)
    await until(lambda: len(child.heard) == 3 * FLOOD)
    teller.look()
    assert teller.rate == 3 * FLOOD
    (entry,) = teller.entries.values()
    count, rate, _since, edges = entry[7:]
    assert (count, rate, edges) == (3 * FLOOD, 3 * FLOOD, 1)
    assert entry[4] == str(3 * FLOOD - 1)
    # It goes on in its place ...
    for n in range(FLOOD):
        await parent.sigFromParentToChild__(MessageSignal("parent", n), child)
    await until(lambda: len(child.heard) == 4 * FLOOD)
    facts = teller.look()
    assert len(teller.entries) == 1
    assert facts["signals"][0][8] == 4 * FLOOD
    # ... and ends with the flood.
    assert teller.look(later=1.5)["rate"] == 0
    child.heard.clear()
    await parent.sigFromParentToChild__(MessageSignal("parent", "alone"), child)
    await until(lambda: child.heard)
    teller.frames._marks.clear()  # its second has gone by
    teller.look(later=0.5)
    last = list(teller.entries.values())[-1]
    assert (len(last), last[4]) == (7, "alone")
    assert teller.counts[serial(parent), serial(child)][0] == 4 * FLOOD + 1


async def test_a_flood_over_many_edges_stays_small_in_each_frame():
    parent = Quiet()
    parent.start()
    await until(lambda: parent.running)
    for _ in range(150):
        child = Quiet(parent)
        await child.run()
        await parent.addChild(child)
    teller = Teller(parent)
    teller.look(full=True)
    for _ in range(3):
        await parent.sigFromParentToChild__(MessageSignal("parent", "to all"))
    await until(lambda: all(len(child.heard) == 3 for child in parent.children))
    facts = teller.look()
    assert len(facts["signals"]) <= 20
    told = {tuple(entry[:2]): entry for entry in teller.entries.values()}
    for _ in range(3):
        teller.look()
    counts = [entry[7] for entry in teller.entries.values()]
    assert sum(counts) == 450
    assert max(entry[10] for entry in teller.entries.values()) == 130  # edges that share an entry
    assert told
    await parent.stop()
    await parent.join()


async def test_the_list_is_bounded(family):
    parent, child = family
    teller = Teller(parent)
    teller.look(full=True)
    for n in range(KEPT + 50):
        child.heard.clear()
        await parent.sigFromParentToChild__(MessageSignal("parent", n), child)
        await until(lambda: child.heard)
        teller.look()
        teller.frames._marks.clear()  # as if seconds went by
    facts = teller.look(full=True)
    assert len(facts["signals"]) == KEPT
    assert facts["signals"][-1][5] == str(KEPT + 49)


async def test_nothing_is_recorded_unless_somebody_looks(family):
    parent, child = family
    teller = Teller(parent)
    assert parent._life.dispatcher.trace is None
    teller.look(full=True)
    assert parent._life.dispatcher.trace is not None
    teller.frames.rest()
    assert parent._life.dispatcher.trace is None
    await parent.sigFromParentToChild__(MessageSignal("parent", 1), child)
    await until(lambda: child.heard)
    teller.look(full=True)
    assert teller.entries == {}


async def test_what_others_recorded_meanwhile_is_caught_up_with(family):
    parent, child = family
    first, second = Teller(parent), Teller(parent)
    first.look(full=True)
    await parent.sigFromParentToChild__(MessageSignal("parent", "before"), child)
    await until(lambda: child.heard)
    second.look(full=True)
    assert [entry[4] for entry in second.entries.values()] == ["before"]
    second.frames.rest()
    second.look(full=True)
    assert [entry[4] for entry in second.entries.values()] == ["before"], "once is enough"


async def test_a_thread_that_is_run_again_is_watched_anew():
    thread = Quiet()
    teller = Teller(thread)
    assert teller.look(full=True)["threads"][0][3] == "created"
    for run in ("first", "second"):
        thread.start()
        await until(lambda: thread.running)
        teller.look()
        await thread.insertSignal(MessageSignal("cell", run))
        await until(lambda: thread.heard)
        teller.look()
        await thread.stop()
        await thread.join()
        teller.look()
    assert [entry[4] for entry in teller.entries.values()] == ["first", "second"]
    teller.frames.close()
    assert thread._life.dispatcher.trace is None


class Ending(Quiet):
    """Is ended by what it is told."""

    async def signalHandler__(self, signal):
        if signal.getMessage() == "quit":
            return False
        raise ValueError("boom")


@pytest.mark.parametrize("of_all", [True, False])
@pytest.mark.parametrize("text", ["quit", "boom"])
async def test_the_signal_that_ends_a_root_is_told(text, of_all):
    thread = Ending()
    thread.start()
    await until(lambda: thread.running)
    teller = Teller(None if of_all else thread)
    teller.look(full=True)
    await thread.control.send(MessageSignal("the page", text))
    await until(lambda: not thread.state.live)
    teller.look()
    (entry,) = teller.entries.values()
    assert entry[:2] == [OUTSIDE, serial(thread)]
    assert entry[4] == text
    for _ in range(20):
        teller.look()
    assert teller.counts[OUTSIDE, serial(thread)][0] == 1
    assert len(teller.entries) == 1, "told once"


async def test_what_was_told_last_before_a_new_run_is_not_lost():
    thread = Ending()
    thread.start()
    await until(lambda: thread.running)
    teller = Teller(thread)
    teller.look(full=True)
    await thread.control.send(MessageSignal("the page", "quit"))
    await until(lambda: not thread.state.live)
    thread.start()  # within one frame
    await until(lambda: thread.running)
    teller.look()
    assert [entry[4] for entry in teller.entries.values()] == ["quit"]
    teller.look()
    await thread.control.send(MessageSignal("the page", "quit"))
    await until(lambda: not thread.state.live)
    teller.look()
    assert [entry[4] for entry in teller.entries.values()] == ["quit", "quit"]


async def test_edges_of_a_child_that_has_gone_stay_for_a_while(family):
    parent, child = family
    teller = Teller(parent)
    teller.look(full=True)
    await child.sigFromChildToParent__(MessageSignal("child", "bye"))
    await until(lambda: parent.heard)
    teller.look()
    await parent.delChild(child)
    await child.join()
    for _ in range(10):
        teller.look()
    edge = (serial(parent), serial(child))
    assert edge in teller.edges.values()
    for _ in range(20):
        teller.look(later=GREYED + 1)
    assert edge not in teller.edges.values()
    assert teller.frames.thread(serial(child)) is child, "the list still names it"


async def test_every_live_root_is_shown_as_it_appears(family):
    parent, _ = family
    teller = Teller()
    teller.look(full=True)
    other = Quiet()
    other.start()
    await until(lambda: other.running)
    for _ in range(11):
        teller.look()
    assert {serial(parent), serial(other)} <= teller.names.keys()
    await other.insertSignal(MessageSignal("cell", "hi"))
    await until(lambda: other.heard)
    teller.look()
    assert [entry[1] for entry in teller.entries.values()] == [serial(other)]
    await other.stop()
    await other.join()
    teller.look()
    teller.frames.close()
    assert parent._life.dispatcher.watchers == 0


async def test_a_panel_of_a_child_leaves_the_rest_of_the_tree_out(family):
    parent, child = family
    second = Quiet(parent)
    await second.run()
    await parent.addChild(second)
    teller = Teller(child)
    teller.look(full=True)
    await parent.sigFromParentToChild__(MessageSignal("parent", "all"))
    await until(lambda: child.heard and second.heard)
    teller.look()
    assert [entry[1] for entry in teller.entries.values()] == [serial(child)]
    # The whole tree was watched, and is let go of even if the child ends first.
    await parent.delChild(child)
    await child.join()
    teller.frames.rest()
    assert parent._life.dispatcher.trace is None


async def test_a_panel_of_a_child_leaves_the_rest_out_at_its_end_too(family):
    parent, child = family
    second = Quiet(parent)
    await second.run()
    await parent.addChild(second)
    teller = Teller(child)
    teller.look(full=True)
    await second.sigFromChildToParent__(MessageSignal("second", "mine"))
    await child.sigFromChildToParent__(MessageSignal("child", "bye"))
    await until(lambda: len(parent.heard) == 2)
    await parent.delChild(child)
    await child.join()
    teller.look()
    assert [entry[4] for entry in teller.entries.values()] == ["bye"]


async def test_nothing_that_ended_is_held():
    teller = Teller()

    async def live():
        thread = Quiet()
        thread.start()
        await until(lambda: thread.running)
        teller.look(full=True)
        signal = MessageSignal("cell", "hi")
        await thread.insertSignal(signal)
        await until(lambda: thread.heard)
        teller.look()
        await thread.stop()
        await thread.join()
        teller.look()
        return weakref.ref(thread), weakref.ref(signal)

    gone = await live()
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


class NoName(type):
    @property
    def __name__(cls):
        raise SystemExit


def test_texts_are_cut_and_never_raise():
    class Own(Signal):
        def __init__(self):
            self.where, self.count = "left", 3

    class Broken(Signal):
        def __str__(self):
            raise ValueError("on purpose")

    class Loud(Signal):
        def __str__(self):
            return "x" * 10_000

    class Sly(Signal):
        @property
        def __class__(self):
            raise LookupError

        def __str__(self):
            raise Nameless

    class Nameless(Exception, metaclass=NoName):
        pass

    assert text_of(Sly()) == "its text could not be asked for: Nameless"
    assert text_of(MessageSignal(None, "<b>")) == "<b>"
    assert text_of(MessageSignal(None, {"a": 1})) == "{'a': 1}"
    assert len(text_of(MessageSignal(None, "x" * 10_000))) == 200
    assert len(text_of(MessageSignal(None, list(range(10**6))))) < 200
    assert text_of(Signal()) == ""
    assert text_of(Own()) == "where='left', count=3"
    assert len(text_of(Loud())) == 200
    assert text_of(Broken()) == "its text could not be asked for: ValueError"
