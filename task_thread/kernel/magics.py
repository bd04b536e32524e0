"""%taskthreads: the live threads of the kernel, and the way to stop them from any cell.

It stops what is ours only: cancelling every task of a kernel's loop hangs the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from .._core import registry
from .._core.context import life_of
from .._core.texts import count
from ..control import Control
from ..recording import history
from ..snapshot import NOTHING, html_tree, take, text_tree
from . import live

if TYPE_CHECKING:
    from .._core.lifecycle import Life
    from ..thread import TaskThread
    from .cells import Cells

USAGE = """%taskthreads             the live threads, as a table
%taskthreads stop        stop them all
%taskthreads stop ID     stop those whose id is ID
%taskthreads live on|off let running threads take the new code of a class whose cell is run again
%taskthreads record on|off    keep all of the last seconds for thread.history(), or what costs little"""


class Table:
    """The live roots as text and as HTML; what `%taskthreads` shows."""

    def __init__(self, threads: list[TaskThread]) -> None:
        self._records = [take(life_of(thread)) for thread in threads]

    def __repr__(self) -> str:
        return text_tree(self._records)

    def _repr_html_(self) -> str:
        return html_tree(self._records)


def taskthreads(line: str, cells: Cells) -> Table | None:
    """Do what the magic's line says.

    Raises:
        UsageError: it says what can be written instead.
    """
    verb, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if not verb:
        return Table(registry.threads())
    if verb == "stop":
        _stop(rest, cells)
    elif verb == "live" and rest in ("on", "off"):
        live.enabled = rest == "on"
        print(f"live code is {rest}")
    elif verb == "record" and rest in ("on", "off"):
        found = count(history.record_all(rest == "on"), "live thread")
        kept = "all is recorded" if rest == "on" else "only what costs little is recorded"
        print(f"of {found}, and of those to come, {kept}")
    else:
        raise UsageError(f"expected one of these, found `%taskthreads {line.strip()}`:\n{USAGE}")
    return None


def _stop(wanted: str, cells: Cells) -> None:
    roots = registry.threads()
    if not wanted:
        told = [_ask(life_of(thread)) for thread in roots]
        tasks = cells.end_tasks()
        if tasks:
            told.append(f"{count(tasks, 'task')} without a thread")
        print(f"stopping {', '.join(told)}" if told else NOTHING)
        return
    everybody = registry.lives()
    chosen = [life for life in everybody if life.id == wanted]
    if not chosen:
        known = ", ".join(life.id for life in everybody) or "none"
        raise UsageError(f"no live thread has the id {wanted!r}; those that live: {known}")
    print(f"stopping {', '.join(map(_ask, chosen))}")


def _ask(life: Life) -> str:
    Control(life).stop()
    return life.id


def register(ipython: Any, cells: Cells) -> None:
    """Give a shell the magic."""

    def magic(line: str) -> Table | None:
        return taskthreads(line, cells)

    magic.__doc__ = USAGE
    ipython.register_magic_function(magic, "line", "taskthreads")


def unregister(ipython: Any) -> None:
    """Take the magic away again."""
    ipython.magics_manager.magics["line"].pop("taskthreads", None)
