"""stop() may be called at any time, any number of times, from anywhere."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

from programs import (
    PATIENCE,
    Family,
    Probe,
    Sleeper,
    Turner,
    ended,
    forever,
    gone,
    rounds,
    started,
    until,
)

from task_thread import reCreate, reSchedule


async def test_stop_ten_times_at_once() -> None:
    thread = Sleeper()
    await started(thread)
    await asyncio.gather(*(thread.stop() for _ in range(10)))
    await gone(thread)
    assert thread.exited == 1


async def test_stop_ten_times_at_once_in_a_family() -> None:
    parent = Family()
    await started(parent)
    children = list(parent.children)
    everyone = [parent, *children]
    await asyncio.gather(*(thread.stop() for thread in everyone for _ in range(10)))
    await gone(parent)
    assert [thread.exited for thread in everyone] == [1, 1, 1]


async def test_stop_and_join_after_the_end_return_at_once() -> None:
    thread = Sleeper()
    await started(thread)
    await ended(thread)
    for _ in range(10):
        await thread.stop()
        await asyncio.wait_for(thread.join(), PATIENCE)
    assert thread.exited == 1


async def test_stop_from_a_task_that_goes_on_to_reschedule_as_usual() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            if self.turns == 3:
                await self.stop()
            self.tasks.turn = await reSchedule(self.turn__)

    thread = Program()
    await asyncio.wait_for(thread.run(), PATIENCE)
    await gone(thread)
    assert thread.exited == 1


async def test_stop_from_a_task_that_then_waits_for_ever() -> None:
    class Program(Turner):
        async def turn__(self) -> None:
            await self.stop()
            await forever()

    thread = Program()
    await asyncio.wait_for(thread.run(), PATIENCE)
    await gone(thread)
    assert thread.exited == 1


async def test_stop_in_every_turn_of_many_tasks() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            await super().enter__()
            for number in range(20):
                setattr(self.tasks, f"t{number}", await reCreate(None, self.turn__, number))

        async def turn__(self, number: int) -> None:
            await self.stop()
            setattr(self.tasks, f"t{number}", await reSchedule(self.turn__, number))

    thread = Program()
    await asyncio.wait_for(thread.run(), PATIENCE)
    await gone(thread)
    assert thread.exited == 1


async def test_stop_from_a_task_of_a_child_that_goes_on_to_reschedule() -> None:
    class Child(Turner):
        async def turn__(self) -> None:
            self.turns += 1
            await self.stop()
            self.tasks.turn = await reSchedule(self.turn__)

    class Parent(Family):
        kind = Child

    parent = Parent()
    await started(parent)
    children = list(parent.children)
    await until(lambda: all(child.state == "stopped" for child in children))
    assert parent.running
    assert parent.children == []
    await ended(parent)
    assert [child.exited for child in children] == [1, 1]


async def test_stop_and_join_from_another_loop_in_another_os_thread() -> None:
    thread = Sleeper()
    await started(thread)

    async def end() -> str:
        await thread.stop()
        await thread.join()
        return thread.state

    with concurrent.futures.ThreadPoolExecutor() as pool:
        state = await asyncio.wrap_future(pool.submit(asyncio.run, end()))
    assert state == "stopped"
    await gone(thread)
    assert thread.exited == 1


async def test_stop_from_ten_os_threads_at_once() -> None:
    thread = Sleeper()
    await started(thread)
    barrier = threading.Barrier(10)

    def end() -> None:
        barrier.wait(5)
        asyncio.run(thread.stop())

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, end) for _ in range(10)))
    await gone(thread)
    assert thread.exited == 1


async def test_join_that_is_cancelled_leaves_the_stop_alone() -> None:
    thread = Sleeper()
    await started(thread)
    joining = asyncio.create_task(thread.join())
    await rounds()
    joining.cancel()
    await rounds()
    assert joining.cancelled()
    assert thread.running
    await ended(thread)
    assert thread.exited == 1


async def test_a_stop_at_each_moment_of_the_start_and_of_the_run() -> None:
    """The stop comes after 0, 1, 2 ... rounds of the loop."""

    class Parent(Family):
        kind = Turner

        async def enter__(self) -> None:
            await asyncio.sleep(0)
            await super().enter__()
            await asyncio.sleep(0)

        async def exit__(self) -> None:
            await asyncio.sleep(0)
            await super().exit__()

    for patience in range(20):
        parent = Parent()
        parent.start()
        await rounds(patience)
        await ended(parent)
        assert parent.exited <= 1
        assert parent.exited or not parent.entered
