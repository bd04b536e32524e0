"""A teacher's classroom, and students who reach it through the hub; what they may not reach.

The hub is as hub/values.yaml makes it: each student's notebook has a way to the teacher's server that is
called "class", and hub/jupyter_server_config.py leaves nothing open there but the way to the program.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest
from a_hub import Hub, Refused
from benchmarks.a_class import start_servers
from hub_users import CellError, HubUser
from values import TEACHER

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "13_one_program_many_students.ipynb"

ROAD = """
import asyncio
from task_thread import only
from task_thread.classroom import Classroom, Seat

class Light(Seat):
    async def signalHandler__(self, signal):
        self.tell(f"your light is {signal.getMessage()}")

class Road(Classroom):
    seat = Light

road = Road(key="our key")
await only(road)
print(road.port)
"""
JOIN = """
import asyncio
from task_thread.classroom import Student, join_class

class Me(Student):
    async def signalHandler__(self, signal):
        heard.set_result(signal.getMessage())

heard = asyncio.get_running_loop().create_future()
me = await join_class("{address}", "{name}", key="our key", student=Me)
await me.send("{colour}")
print(await heard)
"""
WHERE = "print(sorted(seat.getId() for seat in road.seats if seat.here))"


@pytest.fixture
async def teacher(hub: Hub) -> Any:
    """The teacher, with the road at work on a server that is called "class"."""
    async with aclosing(await HubUser.open(hub.user(TEACHER, "class"), NOTEBOOK)) as user:
        yield user


async def test_students_steer_their_part_of_a_program_on_another_server(
    hub: Hub, teacher: HubUser
) -> None:
    port = int(await teacher.run(ROAD))
    path = f"/user/{TEACHER}/class/proxy/{port}/"
    async with AsyncExitStack() as stack:
        ann, bob = [
            await stack.enter_async_context(aclosing(await HubUser.open(server, NOTEBOOK)))
            for server in await start_servers(hub, ["ann", "bob"])
        ]
        # As a path of the hub, and as a whole address, which may be anybody's: no token is shown unasked.
        join = JOIN.format(address=path, name="ann", colour="green")
        assert await ann.run(join) == "your light is green\n"
        join = JOIN.format(address=hub.url + path, name="bob", colour="red")
        with pytest.raises(CellError, match="answered 403, not as a class does: it wants token="):
            await bob.run(join)
        own = 'student=Me, token=__import__("os").environ["JUPYTERHUB_API_TOKEN"]'
        assert await bob.run(join.replace("student=Me", own)) == "your light is red\n"
        assert await teacher.run(WHERE) == "['ann', 'bob']\n"
        # Who leaves, leaves.
        await ann.run("await me.stop(); await me.join()")
        await teacher.run("while len(road.seats) > 1: await asyncio.sleep(0)")
        assert await teacher.run(WHERE) == "['bob']\n"


CLOSED = [
    ("GET", "api/contents"),
    ("GET", "api/sessions"),
    ("GET", "api/kernels"),
    ("POST", "api/kernels"),
    ("DELETE", "api/kernels/{kernel}"),
    ("POST", "api/kernels/{kernel}/interrupt"),
    ("GET", "api/kernels/{kernel}/channels"),
    ("POST", "api/terminals"),
    ("POST", "api/shutdown"),
    ("GET", "files/13_one_program_many_students.ipynb"),
    # These ask only whether somebody was let in.
    ("GET", "lab"),
    ("GET", "lab/api/extensions"),
    ("POST", "lab/api/extensions"),
    ("GET", "lab/api/workspaces"),
    ("GET", "proxy/example.org:80/"),
    ("GET", "proxy/8765/../../lab/api/extensions"),
]


async def test_a_student_has_nothing_else_of_the_teachers(hub: Hub, teacher: HubUser) -> None:
    async with aclosing(await HubUser.open(hub.user("ann"), NOTEBOOK)) as ann:
        own = (await ann.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])")).strip()
    answers = {}
    for method, path in CLOSED:
        for token in (own, ann.server.token):
            where = f"{teacher.server.path}/{path.format(kernel=teacher.kernel_id)}"
            try:
                hub.request(method, where, {} if method == "POST" else None, token=token)
                answers[method, path] = 200
            except Refused as refused:
                answers[method, path] = refused.status
    assert answers == dict.fromkeys(CLOSED, 403)
    assert await teacher.run("print(6 * 7)") == "42\n"


async def test_a_server_of_another_name_is_closed_until_it_is_shared(hub: Hub) -> None:
    """A share lets in the student's own token, and to everything; the notebook's token still not."""
    async with AsyncExitStack() as stack:
        teacher, ann, bob = [
            await stack.enter_async_context(aclosing(await HubUser.open(server, NOTEBOOK)))
            for server in await start_servers(hub, [TEACHER, "ann", "bob"])
        ]
        port = int(await teacher.run(ROAD))
        join = JOIN.format(address=f"{teacher.server.path}/proxy/{port}/", name="ann", colour="red")
        mine, his = [
            join.replace("student=Me", f"student=Me, token={one.server.token!r}")
            for one in (ann, bob)
        ]
        hub.request("POST", f"/hub/api/shares/{TEACHER}/", {"user": "ann"})
        for user, refused in ((ann, join), (bob, his)):
            with pytest.raises(CellError, match="answered 403, not as a class does"):
                await user.run(refused)
        assert await ann.run(mine) == "your light is red\n"
        files = f"{teacher.server.path}/api/contents"
        assert hub.request("GET", files, token=ann.server.token)["type"] == "directory"
