"""The rows of the tree and what changes in them, frame by frame."""

import asyncio
import gc
import logging
import weakref

import pytest
from programs import rounds, running
from students import student
from waiting import TWO_LOCKS

import task_thread.frames.tree_rows
from task_thread import Signal, TaskThread, delete, reCreate, reSchedule
from task_thread.frames.roster import GREYED
from task_thread.frames.tree_rows import TreeRows


class Model:
    """What a page would know, told by frames."""

    def __init__(self, rows):
        self.source = rows
        self.now = 0.0
        self.rows = {}
        self.places = {}
        self.facts = {}

    def read(self, full=False, seen=(), selected=""):
        """Take a frame; returns the facts that it told."""
        self.now += 0.1
        frame = self.source.frame(self.now, full, seen, selected=selected)
        if frame is None:
            return None
        assert frame.full == full
        self.facts = facts = frame.facts
        if full:
            self.rows, self.places = {}, {}
        for row in facts.get("add", ()):
            assert row["row"] not in self.rows, "added twice"
            assert not row["of"] or row["of"] in self.rows, "a row before the one above it"
            self.rows[row["row"]] = {"turns": 0, **row}
        for number, changed in facts.get("set", ()):
            self.rows[number].update(changed)
        for number in facts.get("gone", ()):
            self._remove(number)
        for place, *what in facts.get("places", ()):
            self.places[place] = what
        self.columns = frame.columns
        tasks = [number for number, row in self.rows.items() if "serial" not in row]
        if "turned" in frame.columns:
            of = frame.columns.get("of", tasks)
            for number, turned in zip(of, frame.columns["turned"], strict=True):
                self.rows[number]["turns"] += turned
        return facts

    def _remove(self, number):
        del self.rows[number]
        for below in [n for n, row in self.rows.items() if row["of"] == number]:
            if below in self.rows:
                self._remove(below)

    def row(self, name):
        (row,) = [row for row in self.rows.values() if row.get("name") == name]
        return row

    def names(self):
        return [row.get("name") for row in self.rows.values()]


class Gated(TaskThread):
    """Each of its tasks turns when its gate is opened."""

    slots = ("tick",)
    name = None

    def initVars__(self):
        self.gates = {slot: asyncio.Semaphore(0) for slot in self.slots}

    def getId(self):
        return self.name or super().getId()

    async def enter__(self):
        for slot in self.slots:
            setattr(self.tasks, slot, await reCreate(None, self.turn__, slot))

    async def turn__(self, slot):
        await self.gates[slot].acquire()
        setattr(self.tasks, slot, await reSchedule(self.turn__, slot))

    async def turn(self, slot="tick", times=1):
        wanted = self.snapshot().task(slot).turns + times
        for _ in range(times):
            self.gates[slot].release()
        while self.snapshot().task(slot).turns < wanted:
            await asyncio.sleep(0)


async def reach(effect):
    await asyncio.wrap_future(effect)


async def started(thread):
    await reach(thread.control.start())
    return thread


async def end(*threads):
    for thread in threads:
        await thread.stop()
        await thread.join()


async def test_the_first_frame_tells_everything_and_the_next_only_what_changed():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    facts = model.read(full=True)
    assert [row["of"] for row in facts["add"]] == [0, 1]
    top, tick = model.rows.values()
    assert (top["serial"], top["state"]) == (thread._life.serial, "running")
    assert (tick["name"], tick["state"], tick["turns"]) == ("tick", "waiting", 0)
    assert model.read() is None

    await thread.turn(times=3)
    assert model.read() == {}
    assert tick["turns"] == 3
    assert model.read() is None
    await end(thread)


async def test_newer_code_of_a_class_is_told_in_the_rows_that_are_seen():
    class Live(Gated):
        __task_thread_code__ = 0

    thread, other = await started(Live()), await started(Gated())
    model, unseen = Model(TreeRows(thread)), Model(TreeRows(other))
    model.read(full=True)
    assert "code" not in model.row(thread._life.id), "the code that it began with is no news"
    number = model.row(thread._life.id)["row"]
    Live.__task_thread_code__ = 1  # what re-running the cell of the class does
    for _ in range(10):  # within a second
        model.read(seen=[number])
    assert model.rows[number]["code"] == 1
    model.read(full=True)
    assert model.rows[number]["code"] == 1
    unseen.read(full=True)
    assert "code" not in unseen.row(other._life.id)
    await end(thread, other)


async def test_turns_of_few_tasks_are_told_by_name_and_those_of_many_in_order():
    class Many(Gated):
        slots = ("a", "b", "c", "d")

    thread = await started(Many())
    model = Model(TreeRows(thread))
    model.read(full=True)
    await thread.turn("c", 2)
    model.read()
    assert model.columns["of"].tolist() == [model.row("c")["row"]]
    for slot in ("a", "b", "d"):
        await thread.turn(slot)
    model.read()
    assert "of" not in model.columns
    assert model.columns["turned"].tolist() == [1, 1, 0, 1]
    assert [model.row(slot)["turns"] for slot in "abcd"] == [1, 1, 2, 1]
    await end(thread)


async def test_more_turns_than_fit_into_a_frame_come_with_the_next_ones():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    (driver,) = thread._life.drivers
    driver.turns += 150_000
    told = []
    while model.read() is not None:
        told.append(model.columns["turned"].tolist()[0])
    assert told == [65535, 65535, 150_000 - 2 * 65535]
    await end(thread)


async def test_a_full_frame_later_tells_the_turns_so_far():
    thread = await started(Gated())
    rows = TreeRows(thread)
    first, second = Model(rows), Model(rows)
    first.read(full=True)
    await thread.turn(times=5)
    first.read()
    await thread.turn(times=2)
    second.read(full=True)
    assert second.row("tick")["turns"] == 7
    assert second.rows.keys() == first.rows.keys()
    await end(thread)


async def test_a_stopped_thread_keeps_its_rows_and_a_new_run_uses_them_again():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    await thread.turn(times=4)
    model.read()
    numbers = list(model.rows)

    await end(thread)
    model.read()
    assert [row["state"] for row in model.rows.values()] == ["stopped", "done"]
    assert model.row("tick")["turns"] == 4
    assert model.read() is None

    thread.start()
    model.read()
    assert [row["state"] for row in model.rows.values()] == ["starting", "done"]
    await started(thread)
    model.read()
    assert list(model.rows) == numbers
    assert model.row("tick")["state"] == "waiting"
    assert model.row("tick")["turns"] == 0
    await thread.turn()
    model.read()
    assert model.row("tick")["turns"] == 1
    await end(thread)


async def test_turns_of_a_new_run_are_told_even_where_the_old_one_began_alike():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    for run in range(3):
        await thread.turn(times=2 + run)
        model.read()
        assert model.row("tick")["turns"] == 2 + run
        await end(thread)
        await started(thread)
        model.read()
        assert model.row("tick")["turns"] == 0
    await end(thread)


async def test_tasks_come_and_go():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    thread.gates["extra"] = asyncio.Semaphore(0)
    thread.tasks.extra = await reCreate(None, thread.turn__, "extra")
    assert [row["name"] for row in model.read()["add"]] == ["extra"]
    number = model.row("extra")["row"]

    from task_thread import delete

    thread.tasks.extra = await delete(thread.tasks.extra)
    assert model.read()["gone"] == [number]
    assert "extra" not in model.names()
    await end(thread)


async def test_a_task_that_is_made_again_in_its_slot_keeps_its_row():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    number = model.row("tick")["row"]
    await thread.turn(times=3)
    model.read()
    thread.tasks.tick = await reCreate(thread.tasks.tick, thread.turn__, "tick")
    model.read()
    assert model.row("tick")["row"] == number
    assert model.row("tick")["turns"] == 0
    await end(thread)


async def test_failures_pauses_and_paces_are_told():
    class Failing(Gated):
        async def turn__(self, slot):
            await super().turn__(slot)
            raise ValueError("the sensor <b>fell</b> off")

    thread, failing = await started(Gated()), await started(Failing())
    model, failed = Model(TreeRows(thread)), Model(TreeRows(failing))
    model.read(full=True)
    failed.read(full=True)
    await reach(thread.control.setPace("tick", 5))
    effect = thread.control.pause("tick")
    thread.gates["tick"].release()
    await reach(effect)
    model.read()
    assert (model.row("tick")["state"], model.row("tick")["held"]) == ("paused", True)
    assert model.row("tick")["pace"] == 5
    await reach(thread.control.resume())
    model.read()
    assert model.row("tick")["held"] is False

    failing.gates["tick"].release()
    while failing.snapshot().task("tick").state != "failed":
        await asyncio.sleep(0)
    failed.read()
    assert failed.row("tick")["state"] == "failed"
    assert failed.row("tick")["error"] == "ValueError: the sensor <b>fell</b> off"
    await end(thread, failing)


async def test_waiting_places_and_queues_are_read_only_for_rows_that_are_seen():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    facts = model.read(full=True)
    assert "places" not in facts
    top, tick = model.rows
    facts = model.read(seen=[tick])
    (place,) = facts["places"]
    assert place[2] == "await self.gates[slot].acquire()"
    assert place[3].endswith("turn__")
    assert model.rows[tick]["at"] == place[0]
    assert model.read(seen=[tick]) is None, "the same place is not told again"
    assert model.read(seen=[top])["set"] == [[top, {"queues": [0, 0, 0, 0, 0]}]]
    assert model.read(seen=[999]) is None

    other = Model(model.source)
    other.read(full=True, seen=[tick])
    assert other.places[other.rows[tick]["at"]] == model.places[model.rows[tick]["at"]]
    await end(thread)


async def family():
    class Parent(Gated):
        name = "parent"

        async def enter__(self):
            child = Gated(self)
            child.name = "child"
            await child.run()
            await self.addChild(child)
            self.kids = getattr(self, "kids", 0) + 1
            child.name = f"child {self.kids}"

    return await started(Parent())


async def test_a_stopped_child_stays_for_a_while_and_can_be_started_again():
    parent = await family()
    rows = TreeRows(parent)
    model = Model(rows)
    model.read(full=True)
    serial = model.row("child 1")["serial"]
    await end(rows.thread(serial))
    gc.collect()
    model.read()
    assert model.row("child 1")["state"] == "stopped"
    assert parent.children == []

    model.now += GREYED - 1
    assert model.read() is None
    await reach(rows.thread(serial).control.start())
    model.read()
    assert model.row("child 1")["state"] == "running"
    assert [child.name for child in parent.children] == ["child 1"]

    await end(rows.thread(serial))
    model.read()
    model.now += GREYED + 1
    model.read()
    assert model.names() == ["parent"]
    assert rows.thread(serial) is None
    await end(parent)


async def test_a_new_run_of_the_parent_takes_the_place_of_its_old_children():
    parent = await family()
    model = Model(TreeRows(parent))
    model.read(full=True)
    await end(parent)
    model.read()
    assert [row["state"] for row in model.rows.values()] == ["stopped", "stopped", "done"]
    await started(parent)
    model.read()
    assert model.names() == ["parent", "child 2", "tick"]
    await end(parent)


async def test_a_child_that_runs_under_a_stopped_parent_stands_for_itself_in_the_text():
    parent = await family()
    rows = TreeRows()
    model = Model(rows)
    model.read(full=True)
    child = rows.thread(model.row("child 1")["serial"])
    assert rows.roots() == [parent], "its parent's tree has it"
    await end(parent)
    model.read()
    await started(child)
    model.read()
    assert rows.roots() == [parent, child]
    assert model.row("child 1")["of"] == model.row("parent")["row"], "its row stays where it is"
    await end(child)


async def test_a_grandchild_goes_with_its_parent():
    parent = await family()
    child = parent.findChild("child 1")
    grandchild = Gated(child)
    grandchild.name = "grandchild"
    await grandchild.run()
    await child.addChild(grandchild)
    rows = TreeRows(parent)
    model = Model(rows)
    model.read(full=True)
    assert "grandchild" in model.names()
    await end(child)
    model.read()
    model.now += GREYED + 1
    model.read()
    assert model.names() == ["parent"]
    await end(parent)


async def test_all_live_roots_are_shown_as_they_come_and_stay_when_they_stop():
    rows = TreeRows()
    model = Model(rows)
    model.read(full=True)
    assert model.rows == {}
    first = await started(Gated())
    second = await started(Gated())
    model.read()
    assert len(model.rows) == 4
    await end(first)
    model.read()
    assert [r["state"] for r in model.rows.values() if "serial" in r] == ["stopped", "running"]
    assert rows.roots() == [first, second]
    await end(second)


async def test_a_stopped_root_that_nobody_holds_goes():
    rows = TreeRows()
    model = Model(rows)
    thread = await started(Gated())
    model.read(full=True)
    await end(thread)
    model.read()
    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None
    model.read()
    assert model.rows == {}


class Failing(TaskThread):
    async def enter__(self):
        raise ValueError("no <b>sensor</b>")


async def test_a_root_that_fails_at_once_is_shown_though_no_frame_met_it_alive(caplog):
    caplog.set_level(logging.CRITICAL, "Failing")  # a record holds the error, and it the thread
    earlier = Failing()
    with pytest.raises(ValueError, match="sensor"):
        await earlier.run()
    rows = TreeRows()
    model = Model(rows)
    model.read(full=True)
    assert model.rows == {}, "what failed before anybody looked is no news"
    thread = Failing()
    with pytest.raises(ValueError, match="sensor"):
        await thread.run()
    model.read()
    (row,) = model.rows.values()
    assert row["serial"] == thread._life.serial
    assert (row["state"], row["error"]) == ("failed", "ValueError: no <b>sensor</b>")
    assert rows.thread(row["serial"]) is thread, "it can be started from the page"
    assert rows.roots() == [thread]
    assert model.read() is None

    # One that stopped well, and one that nobody holds, would only be in the way.
    await end(await started(Gated()))
    with pytest.raises(ValueError, match="sensor"):
        await Failing().run()
    gc.collect()
    assert model.read() is None

    gone = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone() is None
    model.read()
    assert model.rows == {}


async def test_what_failed_while_nobody_looked_is_no_news():
    rows = TreeRows()
    model = Model(rows)
    model.read(full=True)
    rows.rest()
    thread = Failing()
    with pytest.raises(ValueError, match="sensor"):
        await thread.run()
    model.read(full=True)
    assert model.rows == {}


async def test_a_view_of_one_thread_leaves_out_what_fails_elsewhere():
    thread = await started(Gated())
    model = Model(TreeRows(thread))
    model.read(full=True)
    failing = Failing()
    with pytest.raises(ValueError, match="sensor"):
        await failing.run()
    assert model.read() is None
    await end(thread)


async def test_nothing_that_lives_is_held_while_nobody_looks():
    thread = await started(Gated())
    rows = TreeRows()
    model = Model(rows)
    model.read(full=True)
    rows.rest()
    numbers = list(model.rows)
    gone = weakref.ref(thread)
    await end(thread)
    model.read(full=True)
    assert list(model.rows) == numbers, "the numbers are kept over a rest"
    rows.rest()
    del thread
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "error", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError, RecursionError]
)
async def test_ids_that_fail_are_replaced_and_long_ones_are_cut(error):
    class Odd(TaskThread):
        id = "x" * 10_000

        def getId(self):
            if self.id is None:
                raise error("no id")
            return self.id

        def getInfo(self):
            raise error("no info")

    thread = await started(Odd())
    model = Model(TreeRows(thread))
    model.read(full=True)
    (row,) = model.rows.values()
    assert row["name"] == "x" * 299 + "…"
    assert row["info"] == thread._life.name
    thread.id = None
    for _ in range(10):
        model.read(seen=[row["row"]])
    assert row["name"] == thread._life.name
    await end(thread)


async def test_rows_beyond_the_limit_are_counted(monkeypatch):
    monkeypatch.setattr(task_thread.frames.tree_rows, "MOST_ROWS", 3)

    class Many(Gated):
        slots = ("a", "b", "c", "d", "e")

    thread = await started(Many())
    model = Model(TreeRows(thread))
    assert model.read(full=True)["more"] == 3
    assert model.names()[1:] == ["a", "b"]
    assert model.read() is None
    await end(thread)
    await started(thread)
    model.read()
    assert len(model.rows) == 3
    await end(thread)


async def test_a_closed_view_knows_no_thread():
    thread = await started(Gated())
    rows = TreeRows(thread)
    Model(rows).read(full=True)
    rows.close()
    assert rows.thread(thread._life.serial) is None
    assert rows.roots() == []
    await end(thread)


@pytest.mark.parametrize("moment", ["enter", "exit"])
async def test_children_made_while_starting_and_stopping_are_shown(moment):
    model = None

    class Parent(TaskThread):
        async def enter__(self):
            if moment == "enter":
                child = Gated(self)
                await child.run()
                model.read(full=True)

        async def exit__(self):
            if moment == "exit":
                model.read(full=True)

    parent = Parent()
    model = Model(TreeRows(parent))
    await started(parent)
    if moment == "enter":
        assert [row["state"] for row in model.rows.values()] == ["starting", "running", "waiting"]
    await end(parent)
    if moment == "exit":
        assert [row["state"] for row in model.rows.values()] == ["stopping"]


def look(model, seen):
    """Take a frame that looks at the waits, however long the look before it took."""
    model.now += 1000.0
    model.read(seen=seen)


async def test_a_row_in_sight_says_what_its_task_waits_for_and_who_holds_it():
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        model = Model(TreeRows(desk))
        model.read(full=True)
        write = model.row("write")["row"]
        assert "waits" not in model.rows[write]
        look(model, [write])
        assert model.rows[write]["waits"] == "waits for self.paper, held by desk.draw"
        assert "waits" not in model.row("draw"), "nobody sees it"


async def test_a_recording_s_rows_do_not_say_what_they_wait_for():
    async with running(student(TWO_LOCKS)["Desk"]()) as desk:
        await rounds(20)
        model = Model(TreeRows(desk, waits=False))
        model.read(full=True)
        write = model.row("write")["row"]
        look(model, [write])
        assert "waits" not in model.rows[write]


GATHERS = """
class Crew(TaskThread):
    def getId(self):
        return "crew"

    async def enter__(self):
        self.gates = [asyncio.Event() for _ in range(100)]
        self.lock = asyncio.Lock()
        self.tasks.work = await reCreate(None, self.work__)
        self.tasks.idle = await reCreate(None, self.idle__)

    async def work__(self):
        async with self.lock:
            await asyncio.gather(*(self.fetch(gate) for gate in self.gates))
        await asyncio.Event().wait()

    async def fetch(self, gate):
        await gate.wait()

    async def idle__(self):
        mine = asyncio.create_task(self.hold())
        await asyncio.Event().wait()

    async def hold(self):
        async with self.lock:
            pass
"""


async def test_the_first_plain_tasks_of_a_task_in_sight_are_told_and_the_others_counted():
    async with running(student(GATHERS)["Crew"]()) as crew:
        await rounds(20)
        rows = TreeRows(crew)
        rows.most_plain = 5
        model = Model(rows)
        model.read(full=True)
        work, idle = model.row("work")["row"], model.row("idle")["row"]
        look(model, [work])
        told, more = model.rows[work]["plain"]
        assert (len(told), more) == (5, 95)
        assert [[*one[1:4], one[4][:15]] for one in told[:1]] == [
            ["fetch", 17, "await gate.wait()", "waits for gate"]
        ]
        assert len({number for number, *_ in told}) == 5
        assert "plain" not in model.rows[idle], "nobody sees it"

        # Only made, and not awaited; it waits for what the other one holds.
        look(model, [work, idle])
        [[_, *hold]], more = model.rows[idle]["plain"]
        assert (hold, more) == (
            ["hold", 24, "async with self.lock:", "waits for self.lock, held by crew.work"],
            0,
        )

        # One that has ended makes room for the next; the others keep their numbers.
        crew.gates[0].set()
        await rounds(20)
        look(model, [work])
        later, more = model.rows[work]["plain"]
        assert (len(later), more) == (5, 94)
        assert [one[0] for one in later[:4]] == [one[0] for one in told[1:]]
        for gate in crew.gates:
            gate.set()
        await rounds(20)
        look(model, [work])
        assert model.rows[work]["plain"] is None


async def test_plain_tasks_are_only_told_to_who_asks_for_them():
    async with running(student(GATHERS)["Crew"]()) as crew:
        await rounds(20)
        model = Model(TreeRows(crew))
        model.read(full=True)
        work = model.row("work")["row"]
        look(model, [work])
        assert "plain" not in model.rows[work]


async def test_a_task_that_is_deleted_tells_of_its_plain_tasks_no_more():
    async with running(student(GATHERS)["Crew"]()) as crew:
        await rounds(20)
        rows = TreeRows(crew)
        rows.most_plain = 5
        model = Model(rows)
        model.read(full=True)
        work = model.row("work")["row"]
        look(model, [work])
        assert model.rows[work]["plain"]
        crew.tasks.work = await delete(crew.tasks.work)
        model.read(seen=[work])
        assert not model.rows.get(work, {}).get("plain")


async def test_where_the_time_of_the_selected_task_goes_is_told_twice_a_second():
    class Pair(TaskThread):
        async def enter__(self):
            self.tasks.one = await reCreate(None, self.turn)
            self.tasks.two = await reCreate(None, self.wait)

        async def turn(self):
            await asyncio.sleep(0)
            self.tasks.one = await reSchedule(self.turn)

        async def wait(self):
            await asyncio.Event().wait()

    async with running(Pair()) as thread:
        model = Model(TreeRows(thread))
        model.read(full=True)
        life = thread._life
        assert life.dispatcher.trace is None, "nothing is measured while nothing is selected"
        one = f"{life.serial}/one"
        told = []
        for _ in range(11):
            await rounds()
            facts = model.read(selected=one) or {}
            told += [changed["about"] for _, changed in facts.get("set", ()) if "about" in changed]
        assert len(told) == 3
        row = next(row for row in model.rows.values() if row["name"] == "one")
        seconds, busy, ready, waiting, holds, late = row["about"]["shares"]
        assert seconds == pytest.approx(busy + ready + waiting, rel=0.02)
        assert busy > 0 < ready
        assert holds[0] == pytest.approx(late[0], abs=1)
        assert sum(holds[4]) == holds[0] > 40
        assert len(holds[4]) == 16
        # Another one is selected: what was told of this one is taken back.
        model.read(selected=f"{life.serial}/two")
        assert row["about"] is None
        model.now += 1
        model.read(selected=f"{life.serial}/two")
        two = next(row for row in model.rows.values() if row["name"] == "two")
        assert two["about"]["shares"][4][0] == 0, "it has not run"
        serials = {driver.serial for driver in life.rows() if driver.slot == "two"}
        assert life.dispatcher.trace.profiles.keys() == serials
        model.read(full=True, selected=f"{life.serial}/two")
        two = next(row for row in model.rows.values() if row["name"] == "two")
        assert two["about"]["shares"], "a full frame tells it, too"
        model.read()
        assert two["about"] is None
        assert life.dispatcher.trace is None, "nothing is selected, and nothing measured"


@pytest.mark.parametrize(
    "selected", ["", "7", "/", "x/y", "-1/one", "9" * 200 + "/one", "\N{ARABIC-INDIC DIGIT ONE}/a"]
)
async def test_whatever_is_selected_that_is_no_task(selected):
    async with running(TaskThread()) as thread:
        model = Model(TreeRows(thread))
        model.read(full=True, selected=selected)
        assert thread._life.dispatcher.trace is None


async def test_a_page_that_looks_no_more_measures_nothing():
    async with running(TaskThread()) as thread:

        async def wait():
            await asyncio.Event().wait()

        thread.tasks.one = await reCreate(None, wait)
        await rounds()
        rows = TreeRows(thread)
        model = Model(rows)
        selected = f"{thread._life.serial}/one"
        model.read(full=True, selected=selected)
        assert thread._life.dispatcher.trace is not None
        rows.rest()
        assert thread._life.dispatcher.trace is None
        model.read(full=True, selected=selected)
        assert thread._life.dispatcher.trace is not None
        rows.close()
        assert thread._life.dispatcher.trace is None


async def test_plain_tasks_of_hooks_and_handlers_are_told_of_their_thread():
    class Program(TaskThread):
        async def enter__(self):
            self.kept = [asyncio.ensure_future(self.wait())]
            self.tasks.once = await reCreate(None, self.once)
            self.let = asyncio.Event()
            await asyncio.gather(self.let.wait())

        async def signalHandler__(self, signal):
            self.kept.append(asyncio.create_task(self.handled()))

        async def exit__(self):
            for task in self.kept:
                task.cancel()

        async def once(self):
            self.kept.append(asyncio.create_task(self.left()))

        async def wait(self):
            await asyncio.Event().wait()

        async def handled(self):
            await asyncio.sleep(1000)

        async def left(self):
            await asyncio.sleep(1000)

    thread = Program()
    outside = asyncio.create_task(asyncio.sleep(1000))  # a cell's, say
    thread.start()
    await rounds()
    rows = TreeRows(thread)
    rows.most_plain = 2
    model = Model(rows)
    model.read(full=True)
    top = next(number for number, row in model.rows.items() if "serial" in row)

    def plain():
        model.now += 100
        model.read(seen=[*model.rows])
        told, more = model.rows[top].get("plain") or ([], 0)
        return [(name, words) for _, name, _, _, words in told], more

    # In `enter__` it waits for what it gathers; a task that has ended left one behind.
    names = [("wait", "waits for Event 1"), ("wait", "waits for self.let")]
    found, more = plain()
    assert [name for name, _ in found] == [name for name, _ in names]
    assert found[1] == ("wait", "waits for self.let")
    assert more == 1
    thread.let.set()
    await rounds()
    await thread.insertSignal(Signal())
    await rounds()
    rows.most_plain = 5
    found, more = plain()
    assert [name for name, _ in found] == ["wait", "left", "handled"]
    assert more == 0
    await thread.stop()
    await thread.join()
    assert plain() == ([], 0)
    outside.cancel()
