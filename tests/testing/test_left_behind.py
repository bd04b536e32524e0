"""Processes and OS threads that a program leaves: told by name, and ended where that is possible."""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from task_thread import TaskThread
from task_thread.testing import check

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system tells it on Linux only")

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


def told(program: Any, **options: Any) -> str:
    return "\n".join(check(program, **options).notes)


def spin() -> None:
    while True:
        pass


def test_a_spinning_os_thread_is_ended_and_told_by_its_name() -> None:
    threads = []

    async def program() -> None:
        threads.append(threading.Thread(target=spin, name="spins"))
        threads[0].start()
        await asyncio.sleep(1)

    assert told(program) == "the program left behind the OS thread 'spins', which was ended"
    assert not threads[0].is_alive()


def test_one_that_was_started_without_an_object_is_as_well() -> None:
    async def program() -> int:
        return _thread.start_new_thread(spin, ())

    report = check(program)
    assert "which was ended" in report.notes[0]
    assert report.result not in sys._current_frames()


def test_one_that_waits_is_told_and_does_not_hold_up_the_end_of_the_process() -> None:
    gate = threading.Event()
    threads = []

    async def program() -> None:
        threads.append(threading.Thread(target=gate.wait, name="waits"))
        threads[0].start()

    assert "OS thread 'waits', which waits for something" in told(program)
    assert threads[0].daemon
    gate.set()
    threads[0].join()


def test_an_executor_that_is_left_does_not_hold_up_the_end_of_the_process() -> None:
    code = """if True:
        import threading, concurrent.futures
        from task_thread.testing import check
        kept, gate = concurrent.futures.ThreadPoolExecutor(1), threading.Event()
        async def program():
            kept.submit(gate.wait)
        print(check(program))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "the OS thread 'ThreadPoolExecutor-0_0'" in done.stdout
    assert done.stderr == ""


def test_what_ends_in_time_is_not_told() -> None:
    async def program() -> int:
        thread = threading.Thread(target=print, args=("from another OS thread",))
        thread.start()
        thread.join()
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            executor.submit(len, "").result()
        subprocess.run(["true"], check=True)  # noqa: ASYNC221
        return await asyncio.to_thread(len, "four")

    report = check(program, real=True)
    assert report.notes == ()
    assert report.lines == ["from another OS thread"]
    assert report.result == 4


def test_a_process_is_ended_and_told_by_its_command() -> None:
    kept = []

    async def program() -> None:
        kept.append(subprocess.Popen(SLEEPS))  # noqa: ASYNC220

    assert "left behind the process `" in told(program)
    assert kept[0].poll() is not None


def test_a_process_of_the_loop_is_ended_without_a_complaint(
    capfd: pytest.CaptureFixture[str],
) -> None:
    kept = []

    async def program() -> None:
        kept.append(await asyncio.create_subprocess_exec(*SLEEPS))

    assert "which was ended" in told(program, real=True, within=60)
    with pytest.raises(ProcessLookupError):
        os.kill(kept[0].pid, 0)
    assert capfd.readouterr().err == ""


def test_a_program_may_end_its_own_processes() -> None:
    async def program() -> list[Any]:
        plain = subprocess.Popen(SLEEPS)  # noqa: ASYNC220
        plain.terminate()
        plain.wait(timeout=60)
        of_loop = await asyncio.create_subprocess_exec(*SLEEPS)
        of_loop.kill()
        group = subprocess.Popen(SLEEPS, start_new_session=True)  # noqa: ASYNC220
        os.killpg(group.pid, 9)
        os.kill(os.getpid(), 0)  # only asks
        return [plain.wait(), await of_loop.wait(), group.wait()]

    report = check(program, real=True, within=60)
    assert report.result == [-15, -9, -9]
    assert report.notes == ()


def test_a_thread_may_end_its_process_in_its_exit() -> None:
    class Owns(TaskThread):
        async def enter__(self) -> None:
            self.process = await asyncio.create_subprocess_exec(*SLEEPS)

        async def exit__(self) -> None:
            self.process.kill()
            self.code = await self.process.wait()

    async def program() -> int | None:
        thread = Owns()
        thread.start()
        while thread.state != "running":
            await asyncio.sleep(0)
        await thread.stop()
        await thread.join()
        return thread.code

    report = check(program, real=True, within=60)
    assert report.result == -9
    assert report.notes == ()


@linux
@pytest.mark.parametrize("shell", ["sleep 61 & true", "setsid sleep 61 & true"])
def test_what_a_process_leaves_behind_is_ended_as_well(shell: str) -> None:
    async def program() -> None:
        subprocess.run(shell, shell=True, check=True)  # noqa: ASYNC221

    assert "left behind the process `" in told(program)


@linux
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_is_its_own_to_end_and_one_that_is_left_is_ended() -> None:
    async def ends() -> int:
        pid = os.fork()
        if not pid:
            os._exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])  # noqa: ASYNC222

    async def stays() -> None:
        context = multiprocessing.get_context("fork")
        context.Process(target=threading.Event().wait, args=(60,)).start()

    assert check(ends).result == 7
    assert "which was ended" in told(stays)
    assert not multiprocessing.active_children()


@linux
def test_a_process_from_before_is_left_alone() -> None:
    async def program() -> None:
        pass

    with subprocess.Popen(SLEEPS) as mine:
        assert told(program) == ""
        assert mine.poll() is None
        mine.kill()
