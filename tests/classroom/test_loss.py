"""A connection may be lost: nothing that was said is, and the student takes the same place again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from programs import rounds, until

pytest.importorskip("websockets", reason="websockets is not installed")

from pupils import Pupil, Room, Stranger, deaf

from task_thread.classroom import ClassroomError, join_class
from task_thread.classroom import room as room_module


def cut(room: Room, name: str) -> None:
    """Let the network fail between the class and one student."""
    socket: Any = room.seat_of(name).__task_thread_line__.socket
    if socket is not None:
        socket.transport.abort()


async def test_after_a_loss_both_sides_go_on_with_nothing_lost_or_doubled(
    room: Room, join: Any
) -> None:
    ann, bob = await join("ann"), await join("bob")
    seat = room.seat_of("ann")
    seat.control.setPace("moves", 0)
    for round_ in range(4):
        for number in range(40):
            await ann.send([round_, number])
            seat.tell([round_, number])
            if number == 10 * round_:
                cut(room, "ann")
        await bob.send(round_)
        await until(lambda: ann.here and seat.here)
    all_ = [[round_, number] for round_ in range(4) for number in range(40)]
    await until(lambda: len(room.of("ann")) == len(ann.heard) == 160)
    assert room.of("ann") == ann.heard == all_
    assert room.seat_of("ann") is seat
    assert room.of("bob") == [0, 1, 2, 3]


async def test_while_it_is_away_a_student_can_send_and_be_told(room: Room, join: Any) -> None:
    ann = await join("ann")
    seat = room.seat_of("ann")
    cut(room, "ann")
    await until(lambda: not ann.here and not seat.here)
    assert (seat.getInfo(), ann.getInfo()) == ("away", "away")
    await ann.send("from afar")
    seat.tell("come back")
    await until(lambda: room.of("ann") == ["from afar"] and ann.heard == ["come back"])


async def test_the_place_of_a_student_who_does_not_come_back_is_free_in_time(
    room: Room, caplog: Any
) -> None:
    room.patience = 0.05
    async with Stranger(room) as eve:
        await eve.enters("eve")
        eve.is_gone()
    await until(lambda: room.children == [])
    assert "not there again within 0.05 seconds" in caplog.text


async def test_who_comes_back_in_time_keeps_the_place(room: Room) -> None:
    async with Stranger(room) as eve:
        await eve.enters("eve")
        seat = room.seat_of("eve")
        for _ in range(3):
            eve.is_gone()
            await until(lambda: list(room._Classroom__away) == [seat])  # type: ignore[attr-defined]
            await eve.__aenter__()
            await eve.say(eve.hello("eve"))
            assert "welcome" in await eve.hears()
            assert room._Classroom__away == {}  # type: ignore[attr-defined]
        assert room.children == [seat]


async def test_a_kernel_that_was_restarted_takes_its_place_again(room: Room) -> None:
    """Same name, same key, another program: it begins to count anew, and hears what waits for it."""
    async with Stranger(room, "before") as eve:
        await eve.enters("eve")
        seat = room.seat_of("eve")
        for number in range(1, 6):
            await eve.say({"say": number, "n": number})
        await until(lambda: len(room.moves) == 5)
        eve.is_gone()
        await until(lambda: not seat.here)
    seat.tell("your turn")
    eve = await join_class(room.address, "eve", key=room.key, student=Pupil)
    assert room.children == [seat]
    await eve.send("again")
    await until(lambda: room.of("eve")[5:] == ["again"] and eve.heard == ["your turn"])  # type: ignore[attr-defined]
    await eve.stop()
    await eve.join()


async def test_a_connection_that_is_dead_and_was_not_closed_gives_way(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a laptop was closed: the other end would notice only after minutes."""
    monkeypatch.setattr(room_module, "_ANSWER_SECONDS", 0.1)
    plain = await deaf(room, "ann")
    seat = room.seat_of("ann")
    assert seat.here
    ann = await join_class(room.address, "ann", key=room.key, student=Pupil)
    assert room.children == [seat]
    await ann.send("here again")
    await until(lambda: room.of("ann") == ["here again"])
    plain.close()
    await ann.stop()
    await ann.join()


async def test_of_two_who_want_a_dead_ones_place_one_gets_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "_ANSWER_SECONDS", 3.0)
    plain = await deaf(room, "ann")
    results = await asyncio.gather(
        *(join_class(room.address, "ann", key=room.key) for _ in range(4)), return_exceptions=True
    )
    [winner] = [one for one in results if not isinstance(one, BaseException)]
    losers = [one for one in results if isinstance(one, BaseException)]
    assert all(isinstance(one, ClassroomError) for one in losers)
    await winner.send("mine")
    await until(lambda: room.of("ann") == ["mine"])
    plain.close()
    await winner.stop()
    await winner.join()


async def test_who_took_a_dead_ones_place_is_not_turned_out_by_another_who_wanted_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [asyncio.Event(), asyncio.Event()]
    asked = 0

    async def dead(socket: Any) -> bool:
        nonlocal asked
        asked += 1
        await answers[asked - 1].wait()
        return False

    monkeypatch.setattr(room_module, "_is_alive", dead)
    async with Stranger(room) as eve, Stranger(room, "1") as one, Stranger(room, "2") as two:
        await eve.enters("ann")
        for stranger in (one, two):
            await stranger.say(stranger.hello("ann"))
        await until(lambda: asked == 2)
        answers[0].set()
        first = await asyncio.wait(
            [asyncio.ensure_future(stranger.hears()) for stranger in (one, two)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        answers[1].set()
        await asyncio.wait(first[1])
        said = sorted(next(iter(done.result())) for done in (*first[0], *first[1]))
        assert said == ["bye", "welcome"]


async def test_of_many_with_one_name_at_once_one_gets_in(room: Room) -> None:
    results = await asyncio.gather(
        *(join_class(room.address, "ann", key=room.key) for _ in range(8)), return_exceptions=True
    )
    [winner] = [one for one in results if not isinstance(one, BaseException)]
    assert room.getChildIds() == ["ann"]
    await winner.stop()
    await winner.join()


async def test_the_same_notebook_by_another_way_takes_over_at_once(room: Room) -> None:
    """From the cable to the wireless network: the class has not noticed yet."""
    async with Stranger(room) as eve, Stranger(room) as again:
        await eve.enters("eve")
        await again.say(again.hello("eve"))
        assert "welcome" in await again.hears()
        await again.say({"say": "hello", "n": 1})
        await until(lambda: room.moves == [("eve", "hello")])
        assert len(room.children) == 1


async def test_a_teacher_who_starts_anew_at_the_same_address_gets_the_students_back(
    room: Room, join: Any
) -> None:
    """With the same key and port: the old kernel was killed, so nobody was told."""
    ann = await join("ann")
    for number in range(3):
        await ann.send(number)
    room.tell("old")
    await until(lambda: len(room.moves) == 3 and ann.heard == ["old"])
    # The old class is away from the network all at once.
    server = room._Classroom__server  # type: ignore[attr-defined]
    server.server.close()
    cut(room, "ann")
    await until(lambda: not ann.here)
    await ann.send(3)
    second = Room(room.key, port=room.port)
    await second.control.start()
    await ann.send(4)
    await until(lambda: second.of("ann") == [3, 4])
    second.tell("new")
    await until(lambda: ann.heard == ["old", "new"])
    await ann.stop()
    await ann.join()
    await second.stop()
    await second.join()


async def test_a_student_who_finds_nobody_again_ends_with_a_sentence(
    room: Room, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await join("ann")
    ann.patience = 0.0
    server = room._Classroom__server  # type: ignore[attr-defined]
    server.server.close()
    cut(room, "ann")
    await ann.join()
    assert ann.reason.startswith(f"no class answers at {room.address}")
    with pytest.raises(ClassroomError, match="ann is not in the class: no class answers"):
        await ann.send(1)


async def test_a_stop_does_not_wait_for_a_network_that_is_away(room: Room, join: Any) -> None:
    ann = await join("ann")
    room._Classroom__server.server.close()  # type: ignore[attr-defined]
    cut(room, "ann")
    await until(lambda: not ann.here)
    await ann.send("never")
    await ann.stop()
    await ann.join()
    assert ann.reason == "it was stopped here"


async def test_a_student_whose_place_went_to_another_is_told(room: Room, join: Any) -> None:
    """While it was away, somebody with the key took the name."""
    ann = await join("ann")
    there, ann.address = ann.address, "ws://127.0.0.1:1"  # it does not find back for now
    async with Stranger(room) as eve:
        cut(room, "ann")
        await until(lambda: not room.seat_of("ann").here)
        await eve.say(eve.hello("ann"))
        assert "welcome" in await eve.hears()
        ann.address = there
        await ann.join()
    assert ann.reason == "ann was not let in: there is ann in the class already: take another name"


async def test_a_seat_that_is_slow_to_begin_is_not_made_twice(room: Room) -> None:
    gate = asyncio.Event()

    class Slow(room.seat):  # type: ignore[name-defined,misc]
        async def enter__(self) -> None:
            await gate.wait()
            await super().enter__()

    room.seat = Slow
    async with Stranger(room) as eve, Stranger(room) as again, Stranger(room, "other") as other:
        await eve.say(eve.hello("eve"))
        await until(lambda: room._Classroom__seats)  # type: ignore[attr-defined]
        await other.say(other.hello("eve"))
        assert await other.bye() == "there is eve in the class already: take another name"
        eve.is_gone()
        await again.say(again.hello("eve"))
        await rounds()
        gate.set()
        assert "welcome" in await again.hears()
        await again.say({"say": 1, "n": 1})
        await until(lambda: room.moves == [("eve", 1)])
