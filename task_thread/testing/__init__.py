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
"""

from __future__ import annotations

from .check import check, virtual_time
from .events import Events
from .report import CheckFailed, CheckWarning, Report

# As the reference has them.
__all__ = ["check", "virtual_time", "Events", "Report", "CheckFailed", "CheckWarning"]  # noqa: RUF022
