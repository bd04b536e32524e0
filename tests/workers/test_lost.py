"""What happens when a worker, or the program that uses it, goes away; nothing is left running."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from far import PATIENCE, Far, Parent, Stuck, order, soon
from programs import environment, python

pytest.importorskip("distributed", reason="dask.distributed is not installed")


def pid_of(parent: Parent, child: Far) -> int:
    """Return the process that runs a child, which says it in its `enter__`."""
    return next(what[1] for what, _, by in parent.said if by is child)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has asked for its end yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def another_worker(workers: Any) -> None:
    """Wait until dask has started a process in the place of the one that was lost."""
    await workers._look()
    while not workers._names:
        await asyncio.sleep(0.05)
        await workers._look()


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    yield parent
    await parent.stop()
    await parent.join()


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process for the time of the block, as if its machine had no time for it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_a_killed_worker_fails_its_children_and_no_others(parent: Parent) -> None:
    from task_thread.distributed import WorkerLost, Workers

    async with await Workers.local(2) as workers:
        child, other = Stuck("child", parent), Far("other", parent)
        for one in (child, other):
            await parent.addChild(one, on=workers)
        await soon(lambda: len(parent.said) == 2)
        for value in range(5):
            await parent.sigFromParentToChild__(order("echo", value), child)
        await soon(child.input_queue.empty)
        name = child.snapshot().worker
        pid = pid_of(parent, child)
        os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(child.join(), PATIENCE)
        await soon(lambda: parent.failures)
        [(failed, error)] = parent.failures
        assert failed is child
        assert isinstance(error, WorkerLost)
        assert (error.worker, error.unacknowledged) == (name, 5)
        assert str(error).startswith(f"{name} is lost: ")
        assert str(error).endswith("; signals sent there and not confirmed: 5")
        assert child.state == "failed"
        assert child.snapshot().undelivered == 5
        assert parent.children == [other]
        await parent.sigFromParentToChild__(order("echo", "still here"), other)
        await soon(lambda: ("echo", "still here") in parent.heard())
        # Nothing is started again in silence; whoever wants it starts it, on a worker that there is.
        await child.control.start()
        await soon(lambda: [by for _, _, by in parent.said].count(child) == 2)
        assert parent.heard()[-1][1] != pid


async def test_a_worker_that_dies_during_a_start_or_a_stop_ends_that(parent: Parent) -> None:
    from far import Endless

    from task_thread.distributed import WorkerLost, Workers

    async with await Workers.local(1) as workers:
        for when in ("start", "stop"):
            child = Endless(when, parent)
            adding = asyncio.ensure_future(parent.addChild(child, on=workers))
            await soon(lambda child=child: any(by is child for _, _, by in parent.said))
            if when == "stop":
                await adding
                await child.stop()
                await soon(lambda: ("exiting",) in parent.heard())
            os.kill(pid_of(parent, child), signal.SIGKILL)
            if when == "start":
                with pytest.raises(WorkerLost):
                    await adding
            await asyncio.wait_for(child.join(), PATIENCE)
            assert isinstance(child._life.error, WorkerLost)
            await another_worker(workers)


async def test_a_worker_is_silent_a_second_after_a_beat_and_lost_after_half_a_minute() -> None:
    from task_thread.distributed.link import BEAT, Link
    from task_thread.distributed.workers import PATIENCE as PATIENT

    home: Any = asyncio.get_running_loop()
    client: Any = SimpleNamespace(loop=SimpleNamespace(asyncio_loop=home))
    link = Link(client, "somewhere", "worker 0", home, PATIENT)
    link._answered = 100.0  # the last answer; no beat is under way
    assert link.judge(100.0 + BEAT) == ("", "")
    link._asked = 101.0  # and the next one
    assert link.judge(101.99) == ("", "")
    assert link.judge(102.01) == ("", "silent for 2 s")
    assert link.judge(129.9) == ("", "silent for 30 s")
    assert link.judge(130.1) == ("it has not answered for 30 s", "")
    link._answered = 110.0  # something else was answered, while this beat is not yet
    assert link.judge(110.9) == ("", "")


async def test_a_frozen_worker_is_silent_then_well_again(parent: Parent) -> None:
    from task_thread.distributed import Workers

    async with await Workers.local(1) as workers:
        child = Far("ann", parent)
        await parent.addChild(child, on=workers)
        await soon(lambda: parent.said)
        with frozen(pid_of(parent, child)):
            await soon(lambda: "silent for" in child.snapshot().worker)
            assert child.running
            assert "on worker 0, silent for" in str(child.snapshot())
        await soon(lambda: child.snapshot().worker == "worker 0")
        await parent.sigFromParentToChild__(order("echo", 1), child)
        await soon(lambda: ("echo", 1) in parent.heard())


async def test_a_worker_that_stays_frozen_is_lost_and_ends_its_children_when_it_thaws(
    parent: Parent, tmp_path: Path
) -> None:
    from far import Noting

    from task_thread.distributed import WorkerLost, Workers

    async with await Workers.local(1, patience=4) as workers:
        child = Noting(str(tmp_path / "note"), parent)
        await parent.addChild(child, on=workers)
        await soon(lambda: parent.said)
        pid = pid_of(parent, child)
        with frozen(pid):
            await asyncio.wait_for(child.join(), PATIENCE)
            assert child.state == "failed"
            assert isinstance(child._life.error, WorkerLost)
            assert "it has not answered for" in str(child._life.error)
        await soon((tmp_path / "note").exists)  # its exit__ was called: nobody called for too long


async def test_TLS_and_its_certificates_are_one_word() -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed")
    from task_thread.distributed import Workers

    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    async with await Workers.local(1, security=True) as workers:
        assert all(address.startswith("tls://") for address in workers._names)
        child = Far("ann", parent)
        await parent.addChild(child, on=workers)
        await parent.sigFromParentToChild__(order("echo", 1), child)
        await soon(lambda: ("echo", 1) in parent.heard())
        assert [link.address[:6] for link in workers._links.values()] == ["tls://"]
        await parent.stop()
        await parent.join()


async def test_how_many_workers_must_make_sense() -> None:
    from task_thread.distributed import Workers

    with pytest.raises(ValueError, match="expected a number of workers, 1 or more, found 0"):
        await Workers.local(0)
    with pytest.raises(TypeError, match=r"expected a dask\.distributed\.Client, found str"):
        await Workers.dask("tcp://somewhere")


# Whole programs

SCRIPT = """
    import asyncio
    import os
    from task_thread import TaskThread
    from task_thread.distributed import Workers
    from task_thread.signals import MessageSignal

    class Child(TaskThread):
        async def enter__(self):
            await self.sigFromChildToParent__(MessageSignal(self, os.getpid()))

        async def exit__(self):
            self.logger.warning("left")

    class Order(MessageSignal):
        pass

    class Root(TaskThread):
        async def enter__(self):
            self.workers = await Workers.local(1)
            await self.addChild(Child(parent=self), on=self.workers)

        async def childsignalHandler__(self, signal, child):
            print(signal.getMessage(), flush=True)
            {then}

        async def exit__(self):
            {last}
"""
GUARDED = """
    if __name__ == "__main__":
        asyncio.run(Root().run())
"""


def script(then: str, last: str, start: str = GUARDED) -> str:
    return textwrap.dedent(SCRIPT.format(then=then, last=last)) + textwrap.dedent(start)


def run(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_script_runs_and_ends_with_its_workers(tmp_path: Path) -> None:
    done = run(tmp_path / "program.py", script("await self.stop()", "await self.workers.close()"))
    assert done.returncode == 0, done.stderr
    assert "Child - WARNING - left\n" in done.stderr
    assert not is_alive(int(done.stdout))


def test_a_script_that_closes_nothing_ends_too(tmp_path: Path) -> None:
    done = run(tmp_path / "program.py", script("await self.stop()", "pass"))
    assert done.returncode == 0, done.stderr
    assert not is_alive(int(done.stdout))


def test_a_script_without_its_guard_is_told_what_to_write(tmp_path: Path) -> None:
    text = script("await self.stop()", "pass", "asyncio.run(Root().run())")
    done = run(tmp_path / "program.py", text)
    assert done.returncode != 0
    assert 'put it below a line `if __name__ == "__main__":`' in done.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_of_a_program_that_was_killed_end(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "program.py").write_text(script("pass", "pass"), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        program.send_signal(how)
        program.wait(PATIENCE)
    asyncio.run(soon(lambda: not is_alive(worker)))


async def test_children_of_a_program_that_was_killed_end_on_a_worker_that_lives_on(
    client: Any, tmp_path: Path
) -> None:
    """The lease: a cluster that belongs to somebody else goes on."""
    text = f"""
        import asyncio
        from distributed import Client
        from far import Noting, Parent, soon
        from task_thread.distributed import Workers

        async def main():
            client = await asyncio.to_thread(Client, {client.scheduler.address!r})
            workers = await Workers.dask(client, patience=2)
            parent = Parent()
            parent.start()
            await soon(lambda: parent.running)
            await parent.addChild(Noting({str(tmp_path / "note")!r}, parent), on=workers)
            await soon(lambda: parent.said)
            print("runs", flush=True)
            await parent.join()

        asyncio.run(main())
    """
    here = str(Path(__file__).parent)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(text)),
        env={**environment(), "PYTHONPATH": os.pathsep.join([here, environment()["PYTHONPATH"]])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdout is not None
    assert await program.stdout.readline() == b"runs\n"
    program.kill()
    await program.wait()
    await soon((tmp_path / "note").exists)


def test_a_program_without_workers_imports_nothing_of_it() -> None:
    done = python(
        """
        import asyncio, sys
        from task_thread import TaskThread

        class Root(TaskThread):
            async def enter__(self):
                child = TaskThread(parent=self)
                await self.addChild(child)
                await child.run()
                await self.stop()

        asyncio.run(Root().run())
        heavy = ("dask", "distributed", "cloudpickle", "task_thread.distributed")
        print([name for name in heavy if name in sys.modules])
        """
    )
    assert done.stdout == "[]\n", done.stderr


def test_without_dask_the_import_says_what_to_install() -> None:
    done = python(
        """
        import sys
        sys.modules["distributed"] = None
        try:
            import task_thread.distributed
        except ImportError as error:
            print(error)
        """
    )
    assert "pip install 'task-thread[distributed]'" in done.stdout, done.stderr
