"""One program that a whole class steers: `pip install task-thread[classroom]`.

The teacher's notebook has the program, and a child in it for each student:

    class Light(Seat):
        async def signalHandler__(self, signal):
            self.green = signal.getMessage() == "green"

    class Road(Classroom):
        seat = Light

    road = Road()
    await only(road)
    print(road.invitation)

A student's notebook:

    me = await join_class("ws://127.0.0.1:8765", "ann", key="...")
    await me.send("green")

The package `websockets` connects them. What is ours:

    room       `Classroom` and `Seat`: the teacher's side       student    `Student` and `join_class`
    line       one end of what two say to each other, which outlives the loss of a connection
    protocol   the messages, and what is none

Nothing outside of this package knows it.
"""

from __future__ import annotations

try:
    import websockets.asyncio as _websockets  # noqa: F401  # which older ones lack
except ImportError:
    raise ImportError(
        "task_thread.classroom needs websockets: run pip install 'task-thread[classroom]', "
        "in a notebook with % before it, and then this again"
    ) from None

from .protocol import ClassroomError
from .room import Classroom, Seat
from .student import Student, join_class

__all__ = ["Classroom", "ClassroomError", "Seat", "Student", "join_class"]
