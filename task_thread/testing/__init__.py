"""Check what a TaskThread does: in virtual time, to its end, whatever its code does wrong.

    from task_thread.testing import Events, check

    async def program():
        events = Events()
        counter = Counter(events)
        counter.start()
        await events.wait_for("tick", times=3)
        await counter.stop()
        await counter.join()
        events.expect_order("enter", "tick", "tick", "tick", "exit")

    check(program)                # returns a Report, or raises CheckFailed with a sentence

`check` is an ordinary function: it works in a notebook cell, in nbgrader, in otter-grader and in pytest.
`virtual_time` makes a pytest test of an `async def` function.

    check               starts the OS thread of a run, watches it, and tells the verdict
    run                 one run: the program, then the cleaning; what is blamed
    loops               virtual time and real time
    guards belongings left      what a program may not do, and what it prints; replaces; leaves behind
    interrupt freeze    end code that never ends
    events              what happened, in its order
    report asserts waits        the verdict, and what explains it
"""

from __future__ import annotations

from .check import check, virtual_time
from .events import Events
from .report import CheckFailed, CheckWarning, Report

# As the reference has them.
__all__ = ["check", "virtual_time", "Events", "Report", "CheckFailed", "CheckWarning"]  # noqa: RUF022
