"""Three students on one server: each has notebook 01 at work and a view open, and is in nobody's way."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from a_hub import Hub
from benchmarks.a_class import FIFTY, open_all, run_and_look, start_servers, weigh, window

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_anatomy_of_a_task.ipynb"
NAMES = ["ann", "bob", "eve"]
ALIVE = "print([thread.getId() for thread in threads()])"


async def test_each_has_a_program_at_work_and_a_view_that_is_fed(hub: Hub) -> None:
    async with AsyncExitStack() as stack:
        users = await open_all(await start_servers(hub, NAMES), NOTEBOOK)
        for user in users:
            await stack.enter_async_context(aclosing(user))
        await run_and_look(users, NOTEBOOK)
        # Each sees the program that the notebook has left at work, in a kernel of their own.
        assert [await user.run(ALIVE) for user in users] == ["['hello']\n"] * 3
        ann, _, eve = users
        await ann.run(FIFTY)
        assert [await user.run(ALIVE) for user in users] == ["['fifty']\n", *["['hello']\n"] * 2]
        for user in users:
            await user.frames_come([panel for panel in user.frames if user.frames[panel]], 2)
        # What `make bench-hub` measures is there to be measured; how much it is, is its matter.
        weights = weigh(hub)
        assert all(weights[name].server > 0 and weights[name].kernels > 0 for name in NAMES)
        measured = await window(hub, users, seconds=2, pause=0.2)
        assert measured.users > 0
        assert len(measured.times) >= 3
        await eve.run("await hello.stop(); await hello.join()")
        assert [await user.run(ALIVE) for user in users] == ["['fifty']\n", "['hello']\n", "[]\n"]
