"""Advice on tasks, with the student's code and the whole sentence."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from programs import forever, rounds, running, started, until
from students import logged, only, student

from task_thread import TaskThread


async def ended(thread: TaskThread) -> None:
    await thread.stop()
    await thread.join()


async def test_a_task_that_reschedules_too_often_is_named_with_its_line() -> None:
    names = student(
        """
        class Robot(TaskThread):
            max_reschedule_rate = 50

            async def enter__(self):
                self.tasks.look = await reCreate(None, self.look__)

            async def look__(self):
                self.tasks.look = await reSchedule(self.look__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(robot.advice)
        assert only(robot, number=r"\d{3,} times") == (
            "look reschedules N per second, more than 50: "
            "`self.tasks.look = await reSchedule(self.look__)` (program.py, line 8). Let each turn "
            "await something, do more in one turn, or set its pace with "
            "thread.control.setPace('look', 50)."
        )


async def test_each_of_several_tasks_that_reschedule_too_often_is_named_up_to_a_few(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = student(
        """
        class Robot(TaskThread):
            max_reschedule_rate = 50

            async def enter__(self):
                for slot in ["a", "b", "c", "d", "e", "f", "g", "h"]:
                    setattr(self.tasks, slot, await reCreate(None, self.look__, slot))

            async def look__(self, slot):
                setattr(self.tasks, slot, await reSchedule(self.look__, slot))

        class Swarm(TaskThread):
            async def enter__(self):
                robot = Robot(parent=self)
                await robot.run()
                await self.addChild(robot)
        """
    )
    swarm = names["Swarm"]()
    async with running(swarm):
        await until(lambda: all(task.too_fast for task in swarm.snapshot().children[0].tasks))
        robot = swarm.snapshot().children[0].id
    sentences = [sentence for kind, sentence in logged(caplog.records) if kind == "rate"]
    assert [one[:1] for one in sentences[:5]] == ["a", "b", "c", "d", "e"]
    assert all(f" of {robot} reschedules " in one for one in sentences[:5])
    assert len(sentences) == 6
    assert sentences[5].startswith(
        "further tasks reschedule more than 50 times per second: `setattr"
    )
    assert sentences[5].endswith(f"f of {robot} among them: snapshot() tells which (too_fast).")


# An error in a turn


async def test_an_error_that_escapes_is_told_with_the_line_and_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                self.step()
                self.tasks.walk = await reSchedule(self.walk__)

            def step(self):
                return 1 / 0
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(robot.advice)
    sentence = (
        "walk turns no more: `return 1 / 0` (program.py, line 10) raised ZeroDivisionError and nothing "
        "caught it. Catch ZeroDivisionError in the turn, and let `await reSchedule(...)` come after."
    )
    assert only(robot) == sentence
    assert logged(caplog.records) == [("escaped", sentence)]
    [advice] = robot.advice()
    assert advice.kind == "escaped"
    assert (advice.filename, advice.line) == ("program.py", 10)
    assert (advice.source, advice.slot) == ("return 1 / 0", "walk")
    assert advice.thread == robot.getId()


async def test_a_slip_of_whoever_wrote_the_line_is_not_to_be_caught() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                self.stpe()
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(robot.advice)
    assert only(robot) == (
        "walk turns no more: `self.stpe()` (program.py, line 6) raised AttributeError and nothing "
        "caught it. Repair that line."
    )


async def test_a_thread_that_sees_to_its_failures_is_not_told_of_them() -> None:
    names = student(
        """
        class Robot(TaskThread):
            failed = None

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                return 1 / 0

            async def taskFailed__(self, slot, error):
                self.failed = slot
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.failed == "walk")
    assert robot.advice() == ()


async def test_an_error_of_child_failed_is_no_task_that_turns_no_more() -> None:
    names = student(
        """
        class Child(TaskThread):
            async def enter__(self):
                raise ValueError

        class Robot(TaskThread):
            heard = False

            async def enter__(self):
                Child(parent=self).start()

            async def childFailed__(self, child, error):
                self.heard = True
                1 / 0
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.heard)
        await asyncio.sleep(0)
    assert robot.advice() == ()


SWALLOWED_ERROR = """
    class Robot(TaskThread):
        broken = False

        async def enter__(self):
            self.tasks.look = await reCreate(None, self.look__)
            self.tasks.walk = await reCreate(None, self.walk__)

        async def look__(self):
            await asyncio.sleep(0)
            self.tasks.look = await reSchedule(self.look__)

        async def walk__(self):
            try:
                await asyncio.sleep(0)
                if self.broken:
                    int("one")
                self.tasks.walk = await reSchedule(self.walk__)
            except Exception as error:
                print("oh no:", error)
"""


async def walked_until_broken(text: str) -> Any:
    robot = student(text)["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("walk").turns > 3)
        robot.broken = True
        await until(lambda: robot.snapshot().task("walk").state == "done")
        return robot


async def test_a_task_whose_error_was_swallowed_ends_while_the_others_turn() -> None:
    robot = await walked_until_broken(SWALLOWED_ERROR)
    assert only(robot) == (
        f"walk turns no more, while other tasks of {robot.getId()} do: an error led its last turn into "
        "an `except` branch, so `self.tasks.walk = await reSchedule(self.walk__)` (program.py, line 17) "
        "was not reached. If the task should go on, call reSchedule after the `try`, or in that "
        "branch too."
    )


ON_PURPOSE = {
    "it returns in the branch": ('print("oh no:", error)', "return"),
    "it ends another task in the branch": (
        'print("oh no:", error)',
        "self.tasks.look.cancel()",
    ),
    "it takes note in the branch": ('print("oh no:", error)', "print(error); self.finished = True"),
    "a turn may return before": ('int("one")', "return"),
    "the error is a special one": ("except Exception", "except ValueError"),
    "an error of a special kind may end it": (
        "except Exception as error",
        "except ValueError: pass\n            except Exception as error",
    ),
    "the turn asks for another only if": (
        "self.tasks.walk = await reSchedule",
        "if not self.broken: self.tasks.walk = await reSchedule",
    ),
}


@pytest.mark.parametrize("how", ON_PURPOSE)
async def test_a_task_that_ends_on_purpose_is_not_told_of(how: str) -> None:
    old, new = ON_PURPOSE[how]
    assert SWALLOWED_ERROR.count(old) == 1
    robot = await walked_until_broken(SWALLOWED_ERROR.replace(old, new))
    assert robot.advice() == ()


async def test_a_branch_for_the_cancellation_beside_it_makes_no_difference() -> None:
    new = "except asyncio.CancelledError: pass\n            except Exception as error"
    robot = await walked_until_broken(SWALLOWED_ERROR.replace("except Exception as error", new))
    assert [advice.kind for advice in robot.advice()] == ["ended"]


@pytest.mark.parametrize(
    "told", ["pass", "self.logger.error('%s', error)", "t = f'{error}'; print(t)"]
)
async def test_to_tell_of_the_error_is_no_end_on_purpose(told: str) -> None:
    robot = await walked_until_broken(SWALLOWED_ERROR.replace('print("oh no:", error)', told))
    assert [advice.kind for advice in robot.advice()] == ["ended"]


async def test_a_loop_in_virtual_time_has_no_beats_and_the_same_advice() -> None:
    """What is told of when it happens needs no clock, and no OS thread."""
    import async_solipsism

    def run() -> list[str]:
        loop = async_solipsism.EventLoop()
        try:
            robot = student(SWALLOWED_ERROR)["Robot"]()

            async def main() -> None:
                robot.max_reschedule_rate = None
                robot.start()
                await asyncio.sleep(0)
                robot.broken = True
                await until(lambda: robot.snapshot().task("walk").state == "done")
                await ended(robot)

            loop.run_until_complete(main())
            return [advice.kind for advice in robot.advice()]
        finally:
            loop.close()

    assert await asyncio.to_thread(run) == ["ended"]


async def test_the_only_task_of_a_thread_may_end_by_its_error_branch() -> None:
    """The shape of the tutorial: there is no sibling by which to see that it is missed."""
    text = SWALLOWED_ERROR.replace("self.tasks.look = await reCreate(None, self.look__)", "pass")
    assert (await walked_until_broken(text)).advice() == ()


# Cancellation


async def test_a_cancellation_that_is_swallowed_and_followed_by_another_turn() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    print("not yet!")
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    await started(robot)
    await until(lambda: robot.snapshot().task("walk").line == 7)
    await ended(robot)
    assert only(robot) == (
        "walk was cancelled, but `except asyncio.CancelledError:` (program.py, line 8) swallowed that "
        "and the turn asked for another one. A cancelled task takes no further turn: end the `except` "
        "branch with `raise`."
    )


async def test_a_cancellation_that_is_suppressed_is_told_with_what_suppresses_it() -> None:
    names = student(
        """
        import contextlib

        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    await started(robot)
    await until(lambda: robot.snapshot().task("walk").line == 9)
    await ended(robot)
    assert only(robot) == (
        "walk was cancelled, but `with contextlib.suppress(asyncio.CancelledError):` (program.py, line "
        "8) swallowed that and the turn asked for another one. A cancelled task takes no further turn: "
        "do not suppress CancelledError."
    )


async def test_a_cancellation_that_a_method_swallows_is_told_with_its_line() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def rest(self):
                try:
                    await asyncio.sleep(60)
                except:
                    print("not yet!")

            async def walk__(self):
                await self.rest()
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    await started(robot)
    await until(lambda: robot.snapshot().task("walk").line == 7)
    await ended(robot)
    assert only(robot) == (
        "walk was cancelled, but `except:` (program.py, line 8) swallowed that and the turn asked for "
        "another one. A cancelled task takes no further turn: end the `except` branch with `raise`."
    )


async def test_a_cancellation_that_a_library_swallows_is_not_told() -> None:
    """As `asyncio.wait_for` does before Python 3.12, if what it waits for ends in the same moment."""
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                try:
                    await rest()
                except asyncio.TimeoutError:
                    pass
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )

    async def rest() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            pass

    names["rest"] = rest
    robot = names["Robot"]()
    await started(robot)
    await until(lambda: robot.snapshot().task("walk").state == "waiting")
    await rounds()
    await ended(robot)
    assert robot.advice() == ()


async def test_a_timeout_in_a_turn_is_no_swallowed_cancellation() -> None:
    names = student(
        """
        class Robot(TaskThread):
            turns = 0

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                try:
                    await asyncio.wait_for(asyncio.sleep(60), 0.001)
                except asyncio.TimeoutError:
                    self.turns += 1
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.turns > 2)
    assert robot.advice() == ()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
async def test_an_asyncio_timeout_in_a_turn_is_no_swallowed_cancellation() -> None:
    names = student(
        """
        class Robot(TaskThread):
            turns = 0

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                try:
                    async with asyncio.timeout(0.001):
                        await asyncio.sleep(60)
                except TimeoutError:
                    self.turns += 1
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.turns > 2)
    assert robot.advice() == ()


# reCreate where reSchedule is meant, and the reverse


async def test_a_task_that_makes_itself_anew_in_each_turn_is_told_of_reschedule() -> None:
    names = student(
        """
        class Robot(TaskThread):
            turns = 0

            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                self.turns += 1
                await asyncio.sleep(0)
                self.tasks.walk = await reCreate(None, self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.turns > 5)
    assert only(robot) == (
        "walk makes a new task in each turn, with reCreate: `self.tasks.walk = await reCreate(None, "
        "self.walk__)` (program.py, line 10). A task takes its next turn with `await "
        "reSchedule(self.walk__)`."
    )


async def test_a_task_that_would_replace_itself_is_told_of_reschedule(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                await asyncio.sleep(0)
                self.tasks.walk = await reCreate(self.tasks.walk, self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(robot.advice)
    assert only(robot) == (
        "walk turns no more: `self.tasks.walk = await reCreate(self.tasks.walk, self.walk__)` "
        "(program.py, line 7) asked reCreate to replace the very task that called it. A task takes its "
        "next turn with `await reSchedule(self.walk__)`."
    )


async def test_a_one_shot_task_that_a_handler_starts_again_is_not_told_of() -> None:
    names = student(
        """
        class Robot(TaskThread):
            done = 0

            async def signalHandler__(self, signal):
                self.tasks.job = await reCreate(None, self.job__)

            async def job__(self):
                await asyncio.sleep(0)
                self.done += 1
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        for _ in range(3):
            await robot.insertSignal(names["MessageSignal"]("test", "go"))
        await until(lambda: robot.done == 3)
    assert robot.advice() == ()


async def test_reschedule_in_enter_is_told_of_recreate() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reSchedule(self.walk__)

            async def walk__(self):
                await asyncio.sleep(0)
                self.tasks.walk = await reSchedule(self.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().turns > 3)
    assert only(robot) == (
        "`self.tasks.walk = await reSchedule(self.walk__)` (program.py, line 3) begins a task with "
        "reSchedule, which asks for the next turn of a task. Begin it with `await reCreate(None, "
        "self.walk__)`."
    )


async def test_reschedule_outside_of_a_turn_makes_a_second_task() -> None:
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.walk = await reCreate(None, self.walk__)

            async def walk__(self):
                await asyncio.sleep(0)
                self.tasks.walk = await reSchedule(self.walk__)

        async def cell(robot):
            robot.tasks.walk = await reSchedule(robot.walk__)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await names["cell"](robot)
    assert only(robot) == (
        "`robot.tasks.walk = await reSchedule(robot.walk__)` (program.py, line 10) is not in a turn of "
        "walk, so it made a second task beside it, and both turn. To begin anew write "
        "`thread.tasks.walk = await reCreate(thread.tasks.walk, thread.walk__)`."
    )


async def test_a_handler_that_begins_a_task_with_reschedule_is_not_told_of() -> None:
    names = student(
        """
        class Robot(TaskThread):
            done = 0

            async def signalHandler__(self, signal):
                self.tasks.job = await reSchedule(self.job__, signal)

            async def job__(self, signal):
                self.done += 1
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await robot.insertSignal(names["MessageSignal"]("test", "go"))
        await until(lambda: robot.done)
    assert robot.advice() == ()


BEGINS_WITH_RESCHEDULE = """
class Robot(TaskThread):
    walked = 0

    async def enter__(self):
        self.tasks.walk = await reCreate(None, self.walk__)

    async def walk__(self):
        await asyncio.sleep(0)
        self.walked += 1
        self.tasks.look = await reSchedule(self.look__)
        self.tasks.walk = await reSchedule(self.walk__)

    async def look__(self):
        await asyncio.sleep(0)
        self.tasks.look = await reSchedule(self.look__)
"""
EACH_TIME = (
    "`self.tasks.look = await reSchedule(self.look__)` (program.py, line {}) makes a further task each "
    "time, since a turn calls reSchedule twice: 4 or more of them turn now, and the slot knows the last one "
    "only. Begin another task with `self.tasks.look = await reCreate(self.tasks.look, self.look__)`."
)
LOOK = "        self.tasks.look = await reSchedule(self.look__)\n"
WALK = "        self.tasks.walk = await reSchedule(self.walk__)\n"


async def told_after_five(program: str) -> TaskThread:
    """Return the student's robot, after five turns of its walk__."""
    robot = student(program)["Robot"]()
    async with running(robot):
        await until(lambda: robot.walked >= 5)
    assert isinstance(robot, TaskThread)
    return robot


@pytest.mark.parametrize("first", ["look", "walk"])
async def test_a_second_reschedule_that_leaves_a_task_behind_in_each_turn_is_told(
    first: str,
) -> None:
    program = BEGINS_WITH_RESCHEDULE
    if first == "walk":
        program = program.replace(LOOK + WALK, WALK + LOOK)
    robot = await told_after_five(program)
    assert only(robot) == EACH_TIME.format(10 if first == "look" else 11)


async def test_two_reschedules_of_one_task_in_a_turn_are_told() -> None:
    robot = await told_after_five(BEGINS_WITH_RESCHEDULE.replace(LOOK + WALK, WALK + WALK))
    assert only(robot) == (
        "`self.tasks.walk = await reSchedule(self.walk__)` (program.py, line 11) makes a further task "
        "each time, since a turn calls reSchedule twice: 4 or more of them turn now, and the slot knows the "
        "last one only. Call reSchedule once in a turn, at its end."
    )


@pytest.mark.parametrize(
    "turn",
    [
        # One-shot tasks, of which several may be at work.
        WALK + LOOK.replace("look", "job"),
        # A pool, each with work of its own.
        LOOK.replace("look__", "look__, object()") + WALK,
        # Once, so that nothing becomes more.
        "        if self.walked == 1:\n    " + LOOK + WALK,
    ],
)
async def test_a_second_reschedule_that_leaves_nothing_behind_is_not_told(turn: str) -> None:
    program = BEGINS_WITH_RESCHEDULE.replace(LOOK + WALK, turn, 1)
    program = program.replace("def look__(self)", "def look__(self, *work)")
    program += "\n    async def job__(self):\n        await asyncio.sleep(0.01)\n"
    robot = await told_after_five(program)
    assert robot.advice() == ()


async def test_a_task_that_makes_itself_anew_without_a_slot_is_told() -> None:
    program = BEGINS_WITH_RESCHEDULE.replace(
        LOOK + WALK, "        await reCreate(None, self.walk__)\n"
    )
    assert only(await told_after_five(program)) == (
        "walk__ makes a new task in each turn, with reCreate: `await reCreate(None, self.walk__)` "
        "(program.py, line 10). A task takes its next turn with `await reSchedule(self.walk__)`."
    )


# exit__


EXIT = """
    class Robot(TaskThread):
        async def enter__(self):
            self.tasks.look = await reCreate(None, self.look__)
            self.tasks.walk = await reCreate(None, self.walk__)

        async def exit__(self):
            self.tasks.look = await delete(self.tasks.look)

        async def look__(self):
            await asyncio.sleep(0)
            self.tasks.look = await reSchedule(self.look__)

        async def walk__(self):
            await asyncio.sleep(0)
            self.tasks.walk = await reSchedule(self.walk__)
"""


async def turned_and_ended(text: str) -> Any:
    robot = student(text)["Robot"]()
    await started(robot)
    await until(lambda: robot.snapshot().turns > 5)
    await ended(robot)
    return robot


async def test_an_exit_that_forgets_a_task_is_told_which() -> None:
    robot = await turned_and_ended(EXIT)
    assert only(robot) == (
        f"`async def exit__(self):` (program.py, line 6) deletes tasks of {robot.getId()}, but left "
        "running: walk. Write `self.tasks.walk = await delete(self.tasks.walk)` there, too."
    )


async def test_an_exit_that_leaves_all_tasks_to_the_library_is_not_told_of() -> None:
    text = EXIT.replace("self.tasks.look = await delete(self.tasks.look)", "print('bye')")
    assert (await turned_and_ended(text)).advice() == ()


async def test_an_exit_that_deletes_all_is_not_told_of() -> None:
    line = "self.tasks.look = await delete(self.tasks.look)"
    text = EXIT.replace(line, line + "; " + line.replace("look", "walk"))
    assert (await turned_and_ended(text)).advice() == ()


async def test_what_is_over_before_the_stop_is_not_told_of() -> None:
    """A one-shot task, a deleted one and a cancelled one."""
    names = student(
        """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.once = await reCreate(None, self.once__)
                self.tasks.twice = await reCreate(None, self.twice__)
                self.tasks.turn = await reCreate(None, self.turn__)

            async def once__(self):
                await asyncio.sleep(0)

            async def twice__(self, number=0):
                if number == 2:
                    return
                self.tasks.twice = await reSchedule(self.twice__, number + 1)

            async def turn__(self):
                await asyncio.sleep(0)
                self.tasks.turn = await reSchedule(self.turn__)

        async def cell(robot):
            robot.tasks.turn = await delete(robot.tasks.turn)
        """
    )
    robot = names["Robot"]()
    async with running(robot):
        await until(lambda: robot.snapshot().task("twice").state == "done")
        await until(lambda: robot.snapshot().task("turn").turns > 3)
        robot.tasks.more = await names["reCreate"](None, robot.turn__)
        robot.tasks.more.cancel()
        await names["cell"](robot)
    assert robot.advice() == ()


@pytest.mark.parametrize("in_hook", [True, False])
async def test_an_await_before_findChild_is_told(in_hook: bool) -> None:
    program = """
        class Robot(TaskThread):
            async def enter__(self):
                self.tasks.look = await reCreate(None, self.look__)

            async def look__(self):
                child = await self.findChild("arm")
        """
    if in_hook:
        there = "self.tasks.look = await reCreate(None, self.look__)"
        program = program.replace(there, "await self.look__()")
    robot = student(program)["Robot"]()
    if in_hook:
        with pytest.raises(TypeError):
            await robot.run()
    else:
        async with running(robot):
            await until(robot.advice)
    assert only(robot) == (
        '`child = await self.findChild("arm")` (program.py, line 6) failed of its `await`: findChild is '
        "a plain method, which returns the child, or None if there is none. Write it without `await`."
    )
