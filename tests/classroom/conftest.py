"""A classroom for each test that wants one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from programs import running


@pytest.fixture(autouse=True)
def time_for_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a second may be over before the other end had its turn."""
    pytest.importorskip("websockets", reason="websockets is not installed")
    from task_thread.classroom import line, room, student

    for module in (line, room, student):
        monkeypatch.setattr(module, "GOODBYE_SECONDS", 20.0)


@pytest.fixture
async def room() -> AsyncIterator[Any]:
    """A classroom that keeps what comes from its students."""
    pytest.importorskip("websockets", reason="websockets is not installed")
    from pupils import Room

    async with running(Room()) as room:
        yield room


@pytest.fixture
async def join(room: Any) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Joins the room as a student who keeps what the class says; all leave at the end."""
    from pupils import Pupil

    from task_thread.classroom import join_class

    joined = []

    async def join(name: str, student: Any = Pupil, **options: Any) -> Any:
        options = {"key": room.key, **options}
        joined.append(await join_class(room.address, name, student=student, **options))
        return joined[-1]

    yield join
    for student in joined:
        await student.stop()
        await student.join()
