"""Programs as students write them: text with a file name, so that the lines are known."""

from __future__ import annotations

import linecache
import logging
import re
import textwrap
from typing import Any

import task_thread
from task_thread import TaskThread

FILE = "program.py"


def student(text: str, file: str = FILE) -> dict[str, Any]:
    """Run a student's program; its first line has the number 1.

    Returns:
        Its names.
    """
    text = textwrap.dedent(text).lstrip("\n")
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "program", "asyncio": __import__("asyncio")}
    for name in task_thread.__all__:
        names[name] = getattr(task_thread, name)
    exec(compile(text, file, "exec"), names)
    return names


def only(thread: TaskThread, *, number: str | None = None) -> str:
    """Return the one sentence of advice that a thread has.

    Args:
        thread: the thread.
        number: a pattern of what is left out of it, as it differs from run to run.
    """
    [advice] = thread.advice()
    text = str(advice)
    return text if number is None else re.sub(number, "N", text)


def logged(records: list[logging.LogRecord]) -> list[tuple[str, str]]:
    """Return kind and text of the log's advice."""
    return [
        (record.task_thread_advice, record.getMessage())  # type: ignore[attr-defined]
        for record in records
        if hasattr(record, "task_thread_advice")
    ]
