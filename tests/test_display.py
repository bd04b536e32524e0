"""How a thread shows itself: text and HTML that are true and escaped, and no widgets unasked."""

from __future__ import annotations

import dataclasses

from programs import Family, Probe, Turner, forever, python, rounds, running, text, until

from task_thread import TaskThread, reCreate
from task_thread.snapshot import TaskSnapshot, html_tree, text_tree
from task_thread.states import TaskState

EVIL = "<img src=x onerror=alert(1)>"


class Evil(Probe):
    async def enter__(self) -> None:
        setattr(self.tasks, EVIL, await reCreate(None, forever))

    def getId(self) -> str:
        return EVIL


async def test_the_bundle_has_text_and_html_of_the_same_tree() -> None:
    thread = Turner()
    async with running(thread):
        await until(lambda: thread.turns > 2)
        bundle = thread._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    for part in bundle.values():
        assert thread.getId() in part
        assert "turn" in part
        assert "running" in part


async def test_the_text_is_indented_lines() -> None:
    family = Family()
    async with running(family):
        await rounds()
        lines = text_tree([family.snapshot()]).splitlines()
    assert lines[0] == f"{family.getId()} [running]"
    assert lines[1].startswith("    Sleeper-")
    assert lines[2].startswith("        sleep [waiting] 0 turns, 0.0/s waits at line ")
    assert lines[2].endswith("create_future()")
    assert len(lines) == 5


async def test_names_are_escaped_in_html_and_left_alone_in_text() -> None:
    thread = Evil()
    async with running(thread):
        await rounds()
        page = html_tree([thread.snapshot()])
        assert EVIL not in page
        assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2  # the thread and its task
        assert text_tree([thread.snapshot()]).count(EVIL) == 2


async def test_errors_are_escaped_too() -> None:
    class Program(Probe):
        async def enter__(self) -> None:
            self.tasks.bad = await reCreate(None, self.bad__)

        async def bad__(self) -> None:
            raise ValueError(EVIL)

    thread = Program()
    async with running(thread):
        await until(lambda: thread.failures)
        page = html_tree([thread.snapshot()])
    assert EVIL not in page
    assert "ValueError: &lt;img" in page
    assert "ValueError: " + EVIL in text_tree([thread.snapshot()])


def test_the_source_of_a_line_is_escaped() -> None:
    task = TaskSnapshot("s", (), "c", TaskState.WAITING, 0, 0.0, "f", 3, "a < b", "", False, 0.0)
    record = TaskThread().snapshot()
    page = html_tree([dataclasses.replace(record, tasks=(task,))])
    assert "line 3: <code>a &lt; b</code>" in page


def test_no_thread_at_all_is_said() -> None:
    assert "no thread is running" in html_tree([])


def test_a_thread_that_never_ran_shows_itself() -> None:
    thread = TaskThread()
    assert thread._repr_mimebundle_()["text/plain"] == (f"{thread.getId()} [created]")


def test_showing_a_thread_outside_a_kernel_imports_no_widgets() -> None:
    done = python(
        """
        import sys
        from task_thread import TaskThread
        TaskThread()._repr_mimebundle_()
        repr(TaskThread())
        heavy = ("task_thread_widgets", "ipywidgets", "anywidget", "IPython", "rich")
        print([m for m in heavy if m in sys.modules])
        """
    )
    assert done.stdout == "[]\n"


async def test_signals_are_counted_in_the_text_once_there_are_some() -> None:
    thread = Probe()
    async with running(thread):
        await thread.insertSignal(text(1))
        await until(lambda: thread.heard)
        assert str(thread.snapshot()) == f"{thread.getId()} [running] 1 signals in, 0 out"
