"""A student is a child of the teacher's program: moves come as signals, and the teacher steers the whole."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from programs import Probe, ended, python, rounds, running, started, until

pytest.importorskip("websockets", reason="websockets is not installed")

from pupils import Pupil, Room, Stranger

from task_thread import TaskThread, reCreate, reSchedule, threads
from task_thread.classroom import Classroom, ClassroomError, Seat, Student, join_class
from task_thread.signals import MessageSignal, Signal


async def test_a_student_is_a_child_and_moves_come_as_its_signals(room: Room, join: Any) -> None:
    ann, bob = await join("ann"), await join("bob")
    assert room.getChildIds() == ["ann", "bob"]
    assert [seat.name for seat in room.seats] == ["ann", "bob"]
    await ann.send("green")
    await bob.send({"speed": [1, 2.5, None, True]})
    await until(lambda: len(room.moves) == 2)
    assert sorted(room.moves) == [("ann", "green"), ("bob", {"speed": [1, 2.5, None, True]})]


async def test_what_the_parent_sends_to_one_child_only_that_student_hears(
    room: Room, join: Any
) -> None:
    ann, bob = await join("ann"), await join("bob")
    await room.sigFromParentToChild__(MessageSignal("teacher", "you"), room.seat_of("ann"))
    await room.sigFromParentToChild__(MessageSignal("teacher", "all"))
    await until(lambda: len(ann.heard) == 2)
    room.seat_of("ann").tell("still you")
    room.tell("the end")
    await until(lambda: len(ann.heard) == 4 and len(bob.heard) == 2)
    assert ann.heard == ["you", "all", "still you", "the end"]
    assert bob.heard == ["all", "the end"]


async def test_a_seat_of_a_class_of_its_own_has_a_part_in_the_program() -> None:
    class Light(Seat):
        """Is what its student says, and ticks."""

        green = False
        ticks = 0

        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.tick = await reCreate(None, self.tick__)

        async def tick__(self) -> None:
            self.ticks += 1
            await asyncio.sleep(0)
            self.tasks.tick = await reSchedule(self.tick__)

        async def signalHandler__(self, signal: Signal) -> Any:
            assert isinstance(signal, MessageSignal)
            self.green = signal.getMessage() == "green"
            self.tell(self.green)

    class Road(Room):
        seat = Light

    async with running(Road()) as road:
        ann = await join_class(road.address, "ann", key=road.key, student=Pupil)
        assert isinstance(ann, Pupil)
        await ann.send("green")
        await until(lambda: ann.heard == [True])
        light = road.seat_of("ann")
        assert isinstance(light, Light)
        assert light.green
        assert road.moves == []
        await road.control.pause()
        ticks = light.ticks
        await rounds()
        assert light.ticks == ticks
        await ended_quietly(ann)


async def test_a_student_has_tasks_that_make_moves(room: Room, join: Any) -> None:
    class Blinks(Pupil):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.blink = await reCreate(None, self.blink__, 0)

        async def blink__(self, number: int) -> None:
            await self.send(number)
            if number < 20:
                self.tasks.blink = await reSchedule(self.blink__, number + 1)

    await join("ann", student=Blinks)
    await until(lambda: len(room.moves) == 21)
    assert room.of("ann") == list(range(21))


async def test_what_a_student_sends_while_it_says_goodbye_is_too_late_and_no_error(
    room: Room, join: Any
) -> None:
    class Blinks(Pupil):
        async def enter__(self) -> None:
            await super().enter__()
            self.tasks.blink = await reCreate(None, self.blink__)

        async def blink__(self) -> None:
            await asyncio.sleep(0)
            await self.send("a move")
            self.tasks.blink = await reSchedule(self.blink__)

        async def taskFailed__(self, slot: str, error: BaseException) -> None:
            self.heard.append(error)

        async def exit__(self) -> None:
            await super().exit__()
            await rounds()  # its tasks turn until exit__ has ended

    ann = await join("ann", student=Blinks)
    await until(lambda: room.moves)
    await ended_quietly(ann)
    assert ann.heard == []
    assert str(ann.state) == "stopped"


async def test_the_teacher_pauses_steps_and_resumes_the_moves_of_all(room: Room, join: Any) -> None:
    ann, bob = await join("ann"), await join("bob")
    await room.control.pause()
    for number in range(3):
        await ann.send(number)
        await bob.send(number)
    await until(lambda: all(seat.__task_thread_line__._came == 3 for seat in room.seats))
    await rounds()
    assert room.moves == []
    await room.seat_of("ann").control.step("moves")
    await until(lambda: room.moves == [("ann", 0)])
    await rounds()
    assert room.moves == [("ann", 0)]
    await room.control.resume()
    await until(lambda: room.of("ann") == room.of("bob") == [0, 1, 2])
    assert ann.snapshot().undelivered == 0


async def test_a_pause_needs_no_move_to_take_effect_and_a_step_without_one_does_nothing(
    room: Room, join: Any
) -> None:
    ann = await join("ann")
    await room.control.pause()
    await ann.control.pause("listen")
    assert "moves [paused]" in str(room.snapshot())
    assert "listen [paused]" in str(ann.snapshot())
    await room.seat_of("ann").control.step("moves")
    assert "moves [paused]" in str(room.snapshot())
    room.tell("later")
    await ann.send("later")
    await rounds()
    assert (room.moves, ann.heard) == ([], [])
    await room.control.resume()
    await ann.control.resume()
    await until(lambda: room.moves and ann.heard)


async def test_a_paused_class_makes_who_sends_much_wait_and_loses_nothing(
    room: Room, join: Any
) -> None:
    ann = await join("ann")
    room.seat_of("ann").control.setPace("moves", 0)
    await room.control.pause()
    sent = 0

    async def many() -> None:
        nonlocal sent
        for number in range(300):
            await ann.send(number)
            sent += 1

    sending = asyncio.create_task(many())
    await until(lambda: sent == 100)
    await rounds(50)
    assert (sent, room.moves) == (100, [])
    await room.control.resume()
    await sending
    await until(lambda: len(room.moves) == 300)
    assert room.of("ann") == list(range(300))


async def test_thirty_students_at_once_and_every_move_arrives_in_order(
    room: Room, join: Any
) -> None:
    names = [f"student {number}" for number in range(30)]
    students = await asyncio.gather(*map(join, names))
    assert sorted(room.getChildIds()) == sorted(names)
    for seat in room.seats:
        seat.control.setPace("moves", 0)

    async def play(student: Any) -> None:
        for number in range(100):
            await student.send([student.name, number])

    await asyncio.gather(*map(play, students))
    await until(lambda: len(room.moves) == 3000)
    for name in names:
        assert room.of(name) == [[name, number] for number in range(100)]
    room.tell("well done")
    await until(lambda: all(student.heard == ["well done"] for student in students))


async def test_all_are_told_that_the_class_is_over_and_hear_what_was_said_before(
    join: Any, room: Room
) -> None:
    students = [await join(name) for name in ("ann", "bob", "cat")]
    room.tell("the last word")
    await room.stop()
    await room.join()
    for student in students:
        await student.join()
        assert student.heard == ["the last word"]
        assert student.reason == "the class is over"
        assert student.state == "stopped"
        with pytest.raises(ClassroomError, match=r"is not in the class: the class is over"):
            await student.send(1)


async def test_a_student_who_leaves_has_made_all_moves_and_the_name_is_free(
    room: Room, join: Any
) -> None:
    ann = await join("ann")
    for number in range(50):
        await ann.send(number)
    await ended_quietly(ann)
    await until(lambda: room.children == [])
    assert room.of("ann") == list(range(50))
    again = await join("ann")
    await again.send("again")
    await until(lambda: room.of("ann")[-1] == "again")


async def test_who_leaves_and_joins_at_once_gets_a_new_seat(room: Room, join: Any) -> None:
    for number in range(5):
        ann = await join("ann")
        await ann.send(number)
        await ended_quietly(ann)
    await until(lambda: room.of("ann") == list(range(5)))


async def test_in_a_notebook_a_student_may_run_the_cell_again_that_joins(
    room: Room, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("task_thread.classroom.student.in_kernel", lambda: True)
    before, bob = await join("ann"), await join("bob")
    seats = room.seats
    again = await join("ann")
    assert room.seats == seats
    assert (before.state, again.state, bob.state) == ("stopped", "running", "running")
    await again.send("here")
    await until(lambda: room.of("ann") == ["here"])


async def test_a_student_may_start_again(room: Room, join: Any) -> None:
    ann = await join("ann")
    await ended_quietly(ann)
    await until(lambda: room.children == [])
    await ann.control.start()
    await ann.send("back")
    await until(lambda: room.of("ann") == ["back"])


async def test_a_seat_that_the_teacher_stops_tells_its_student(room: Room, join: Any) -> None:
    ann, bob = await join("ann"), await join("bob")
    await room.seat_of("ann").stop()
    await ann.join()
    assert ann.reason == "the teacher has ended your part"
    await bob.send("still here")
    await until(lambda: room.of("bob") == ["still here"])


async def test_who_is_dropped_is_told_why_and_may_come_again(room: Room, join: Any) -> None:
    ann = await join("ann")
    room.seat_of("ann").drop("it is break")
    await ann.join()
    assert ann.reason == "it is break"
    await until(lambda: room.children == [])
    await join("ann")
    assert room.getChildIds() == ["ann"]


async def test_a_class_may_be_started_again_at_the_same_address(room: Room, join: Any) -> None:
    await join("ann")
    address = room.address
    await room.stop()
    await room.join()
    with pytest.raises(RuntimeError, match="does not listen"):
        print(room.address)
    await started(room)
    assert room.address == address
    await join("ann")
    assert room.getChildIds() == ["ann"]


async def test_classroom_and_students_may_be_children_of_one_thread() -> None:
    class Home(Probe):
        async def enter__(self) -> None:
            self.room = Room(parent=self)
            await self.room.run()
            await self.addChild(self.room)
            self.ann = await join_class(
                self.room.address, "ann", key=self.room.key, student=Pupil, parent=self
            )

    home = Home()
    await started(home)
    assert threads() == [home]
    await home.ann.send("hello")
    await until(lambda: home.room.moves == [("ann", "hello")])
    await ended(home)


async def test_the_tree_shows_the_program_and_nothing_of_the_network(room: Room, join: Any) -> None:
    ann = await join("ann")
    snapshot = room.snapshot()
    assert [thread.id for thread in snapshot.walk()] == [room.snapshot().id, "ann"]
    assert "websockets" not in str(snapshot)
    assert "keepalive" not in str(snapshot) + str(ann.snapshot())
    assert "handler" not in str(snapshot)
    assert "moves [waiting]" in str(snapshot)
    assert "await student.get()" in str(snapshot)
    assert room.getInfo() == "1 of 1 students here"
    assert (room.seat_of("ann").getInfo(), ann.getInfo()) == ("here", "in the class")


async def test_who_comes_and_goes_is_logged_by_the_seat(
    room: Room, join: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ann = await join("ann")
    await until(lambda: "ann is here" in caplog.messages)
    await ended_quietly(ann)
    await until(lambda: "ann has left" in caplog.messages)


async def test_the_invitation_is_what_a_student_runs(room: Room) -> None:
    import_line, call = room.invitation.splitlines()
    names: dict[str, Any] = {}
    exec(import_line, names)
    me = await eval(call.removeprefix("me = await ").replace("YOUR NAME", "ann"), names)
    assert isinstance(me, Student)
    assert room.getChildIds() == ["ann"]
    await ended_quietly(me)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "localhost"])
async def test_the_address_for_the_room_is_one_that_others_can_write(host: str) -> None:
    async with running(Room(host=host)) as room:
        assert "0.0.0.0" not in room.address
        assert room.address.endswith(f":{room.port}")
        me = await join_class(f"localhost:{room.port}", "ann", key=room.key)
        assert room.getChildIds() == ["ann"]
        await ended_quietly(me)


async def test_an_address_that_is_taken_is_told(room: Room) -> None:
    second = Classroom(port=room.port)
    with pytest.raises(OSError, match=rf"can't listen at 127.0.0.1, port {room.port}: .*port=0"):
        await second.run()


@pytest.mark.parametrize("key", ["", "abc", 1234, b"secret"])
def test_a_key_that_is_none_is_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="expected a key of 4 to 200 characters"):
        Classroom(key)


def test_keys_are_made_at_random() -> None:
    assert len({Classroom().key for _ in range(20)}) == 20


async def test_what_is_no_json_is_an_error_where_it_is_sent(room: Room, join: Any) -> None:
    ann = await join("ann")
    for value in ({1, 2}, object(), float("nan"), b"bytes"):
        with pytest.raises(TypeError, match="can't be sent as JSON"):
            await ann.send(value)
        with pytest.raises(TypeError, match="can't be sent as JSON"):
            room.seat_of("ann").tell(value)
    with pytest.raises(ValueError, match=r"expected at most 16,384 characters as JSON"):
        await ann.send("x" * 20_000)
    await ann.send("x" * 16_000)
    await until(lambda: room.of("ann") == ["x" * 16_000])


async def test_a_seat_whose_program_fails_at_the_start_is_told_to_its_student() -> None:
    class Broken(Seat):
        async def enter__(self) -> None:
            raise ValueError("no chair")

    class Broke(Room):
        seat = Broken

    async with running(Broke()) as room:
        with pytest.raises(ClassroomError, match="your part could not begin: ValueError: no chair"):
            await join_class(room.address, "ann", key=room.key)
        room.seat = Seat
        me = await join_class(room.address, "ann", key=room.key, student=Pupil)
        assert room.getChildIds() == ["ann"]
        await ended_quietly(me)


async def test_a_seat_of_another_class_is_refused_at_the_start() -> None:
    class Broke(Room):
        seat = Probe  # type: ignore[assignment]

    with pytest.raises(TypeError, match=r"expected a subclass of Seat as Broke.seat, found"):
        await Broke().run()


async def test_a_seat_that_cant_be_made_is_told_to_its_student() -> None:
    class Broken(Seat):
        def __init__(self, name: str, parent: TaskThread | None = None) -> None:
            raise KeyError(name)

    class Broke(Room):
        seat = Broken

    async with running(Broke()) as room:
        with pytest.raises(ClassroomError, match="has no seat for you: KeyError: 'ann'"):
            await join_class(room.address, "ann", key=room.key)


async def test_a_student_can_name_nobody_but_itself(room: Room) -> None:
    """Whatever a message holds, it is a move of the one who sent it."""
    async with Stranger(room) as eve, Stranger(room, "b") as bob:
        await eve.enters("eve")
        await bob.enters("bob")
        await eve.say({"say": {"name": "bob", "origin": "bob"}, "n": 1})
        await until(lambda: len(room.moves) == 1)
        assert room.moves == [("eve", {"name": "bob", "origin": "bob"})]


def test_the_library_imports_neither_this_nor_websockets() -> None:
    done = python(
        """
        import sys, task_thread, task_thread.console, task_thread.kernel
        print([m for m in sys.modules if "websockets" in m or "classroom" in m])
        """
    )
    assert done.stdout == "[]\n", done.stderr


def test_without_websockets_the_import_says_what_to_install() -> None:
    done = python(
        """
        import sys
        sys.modules["websockets"] = None
        try:
            import task_thread.classroom
        except ImportError as error:
            print(error)
        """
    )
    assert "pip install 'task-thread[classroom]'" in done.stdout, done.stderr


async def ended_quietly(thread: TaskThread) -> None:
    """Stop a thread while others live."""
    await thread.stop()
    await thread.join()
