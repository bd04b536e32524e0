"""What the keys of the live view do to the program, all of it through `thread.control`."""

from __future__ import annotations

from collections.abc import Iterator

from .._core.context import life_of
from .._core.effect import Effect
from .._core.tree import walk
from ..control import control_of
from ..snapshot import Row, TaskSnapshot
from ..states import TaskState
from ..thread import TaskThread
from .words import pace

PACES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""The ceilings, in turns/s, that + and - go through; above the last one there is none."""

KEYS = ("p", "s", "+", "-", "x")


def steer(key: str, row: Row, top: list[TaskThread]) -> Effect | str:
    """Do what a key asks for.

    Args:
        key: one of `KEYS`.
        row: the selected one.
        top: the threads that are shown, to find the row's thread in.

    Returns:
        The effect to wait for, or a sentence that says why there is none.
    """
    thread = find(top, row.key[0])
    if thread is None:
        return f"{row.thread.id} is gone"
    control = control_of(thread)
    slot = None if row.task is None else row.task.slot
    if key == "x":
        if row.task is not None:
            return f"x stops a thread: select {row.thread.id} to stop it with all its tasks"
        return control.stop()

    tasks = list(_turning(row))
    if not tasks:
        return f"{slot or row.thread.id}: no task turns here"
    if key == "p":
        paused = all(task.state is TaskState.PAUSED for task in tasks)
        return control.resume(slot) if paused else control.pause(slot)
    if key == "s":
        return control.step(slot)

    ceilings = [task.pace for task in tasks if task.pace]
    rate = max(task.rate for task in tasks)
    hz = (faster if key == "+" else slower)(max(ceilings, default=0.0), rate)
    effect = control.setPace(slot, hz)
    effect.asked += f", at most {pace(hz)} turns/s" if hz else ", no ceiling"
    return effect


def slower(ceiling: float, rate: float) -> float:
    """Return the next lower ceiling; under the present rate if there is none yet (0)."""
    return max((one for one in PACES if one < (ceiling or rate)), default=PACES[0])


def faster(ceiling: float, rate: float) -> float:
    """Return the next higher ceiling; 0, for none, above the highest one."""
    return min((one for one in PACES if one > ceiling), default=0.0) if ceiling else 0.0


def find(top: list[TaskThread], serial: int) -> TaskThread | None:
    """Return the thread of that serial number, among some threads and all below them."""
    for life in walk(*map(life_of, top)):
        if life.serial == serial:
            return life.thread
    return None


def _turning(row: Row) -> Iterator[TaskSnapshot]:
    if row.task is not None:
        tasks = [row.task]
    else:
        tasks = [task for record in row.thread.walk() for task in record.tasks]
    return (task for task in tasks if not (task.state.ended or task.plain))
