"""The student's side: a thread of the student's own, with a line to its seat in the teacher's program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
from typing import Any
from urllib.parse import urlsplit

from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from .._core.context import life_of
from .._core.environment import in_kernel
from .._core.registry import threads
from .._core.texts import shown
from ..signals import MessageSignal
from ..states import ThreadState
from ..tasks import reCreate, reSchedule
from ..thread import TaskThread
from .line import AHEAD, BEHIND, END, GOODBYE_SECONDS, NOTHING, Line, apart, close, hears, say
from .protocol import LONGEST_MESSAGE, VERSION, Breach, ClassroomError, checked_name, pack

_WELCOME_SECONDS = 15.0  # the class may look first whether an older connection is dead
_AGAIN_SECONDS = (0.2, 2.0)  # between two tries to connect: at first, and at most


class Student(TaskThread):
    """A student's notebook in a class; `join_class` makes one.

    What the class says comes as a `MessageSignal` to `signalHandler__`. A subclass may have tasks of its own,
    and send moves from them. One with an `enter__` or `exit__` calls that of `super()`, too.

    After a loss of the connection it connects again, for a minute, and nothing that was said is lost.
    Meanwhile `send` takes up to 100 moves, and then waits.

    Args:
        address: what the teacher's `address` says: "ws://127.0.0.1:8765". On a JupyterHub also the path of a
            proxy, "/user/teacher/proxy/8765/".
        name: which no other student has.
        key: the teacher's.
        token: of a JupyterHub's user, if a proxy asks for one; on the way by a path of the hub itself the
            notebook's own is used.
        parent: as a TaskThread's.

    Attributes:
        name: as given.
        address: the address in full.
        reason: why it is no longer in the class, or was not let in; "" before.
        patience: seconds for which it tries to connect again.
        keeps_seat: whether it stops without a goodbye, so that the seat waits for it to come back.

    Raises:
        ValueError: the address or the name is none.
    """

    patience = 60.0
    keeps_seat = False
    max_reschedule_rate = None

    def __init__(
        self,
        address: str,
        name: str,
        *,
        key: str,
        token: str | None = None,
        parent: TaskThread | None = None,
    ) -> None:
        self.address, own_token = full_address(address)
        self.name = checked_name(name)
        self.reason = ""
        self.__key = key
        self.__token = token or own_token
        self.__line = Line(AHEAD, BEHIND)
        self.__staying: asyncio.Task[None] | None = None
        super().__init__(parent=parent)

    def getId(self) -> str:
        return self.name

    def getInfo(self) -> str:
        return self.reason or ("in the class" if self.here else "away")

    @property
    def here(self) -> bool:
        """Whether it is connected now."""
        return self.__line.socket is not None

    async def send(self, value: Any) -> None:
        """Make a move: it comes as a signal to this student's seat in the teacher's program.

        Waits while 100 moves were not taken, as those of a class that is paused. A move that a task makes
        while this student stops, and says goodbye, comes too late, and is lost.

        Raises:
            TypeError: it can't be written as JSON.
            ValueError: it is too long for a message.
            ClassroomError: it is not in the class, or no longer.
        """
        await self.__line.room()
        if self.__line.over or self.__staying is None:
            if life_of(self).state is ThreadState.STOPPING:
                return
            raise ClassroomError(f"{self.name} is not in the class: {self.reason or 'not started'}")
        self.__line.put(value)

    async def enter__(self) -> None:
        self.__line, self.reason = Line(AHEAD, BEHIND), ""
        try:
            carried, socket = await apart(self.__join())
        except ClassroomError as error:
            self.reason = str(error)
            raise
        self.__staying = apart(self.__stay(carried, socket))
        self.tasks.listen = await reCreate(None, self.listenTask__)

    async def exit__(self) -> None:
        staying, self.__staying = self.__staying, None
        if staying is None:
            return
        if self.here and not self.keeps_seat:
            self.__line.say_goodbye("goodbye")
            await asyncio.wait([staying], timeout=GOODBYE_SECONDS)
        self.__over("it was stopped here")
        staying.cancel()
        await asyncio.wait([staying])

    async def listenTask__(self) -> None:
        """Take what the class says, one message a turn."""
        teacher = self.__line  # so it stands in the line that a view shows
        number, value = await teacher.get()
        if value is END:
            await self.stop()
            return
        if value is not NOTHING:
            await self.insertSignal(MessageSignal("the class", value))
            teacher.took(number)
        self.tasks.listen = await reSchedule(self.listenTask__)

    # The connection

    async def __join(self) -> tuple[Any, ClientConnection]:
        """Connect, and return what carries the line, and the connection.

        Raises:
            ClassroomError: it was not let in, or nobody answers.
        """
        headers = {"Authorization": f"token {self.__token}"} if self.__token else None
        try:
            socket = await connect(
                self.address,
                compression=None,
                max_size=LONGEST_MESSAGE,
                close_timeout=GOODBYE_SECONDS,
                additional_headers=headers,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            hint = {
                401: ": it wants token=..., of a user who may reach the teacher's server",
                503: ": too many come at once, or the proxy finds no class; try again",
            }
            raise NobodyThere(
                f"{self.address} answered {status}, not as a class does"
                + hint.get(401 if status == 403 else status, "")
            ) from None
        except (OSError, InvalidURI, InvalidHandshake, EOFError, asyncio.TimeoutError) as error:
            raise NobodyThere(
                f"no class answers at {self.address} ({str(error) or type(error).__name__}): is it open, and "
                "is the address right?"
            ) from None
        try:
            hello = pack(hello=VERSION, name=self.name, key=self.__key, **self.__line.meeting())
            with contextlib.suppress(ConnectionClosed):  # a reason may have come all the same
                await socket.send(hello)
            welcome = await asyncio.wait_for(hears(socket), _WELCOME_SECONDS)
            if "bye" in welcome:
                raise ClassroomError(f"{self.name} was not let in: {welcome['bye']}")
            if "welcome" not in welcome:
                raise Breach("the first message was no welcome")
            self.__line.meet(welcome)
        except (ConnectionClosed, asyncio.TimeoutError):
            await close(socket)
            raise NobodyThere(f"no class answers at {self.address}: nothing came") from None
        except Breach as breach:
            await close(socket)
            raise ClassroomError(f"{self.address} is no class: {breach}") from None
        except BaseException:
            await close(socket)
            raise
        return self.__line.carry(socket), socket

    async def __stay(self, carried: Any, socket: ClientConnection) -> None:
        """Stay connected, until one end has said goodbye."""
        try:
            while (why := await carried) is None:
                await close(socket)
                say(self, logging.WARNING, "the connection is lost; trying again")
                carried, socket = await self.__again()
            self.__over(why)
        except (ClassroomError, Breach) as error:
            self.__over(str(error))
        finally:
            await close(socket)

    async def __again(self) -> tuple[Any, ClientConnection]:
        loop = asyncio.get_running_loop()
        end, (wait, longest) = loop.time() + self.patience, _AGAIN_SECONDS
        while True:
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # thirty don't come at once
            try:
                return await self.__join()
            except NobodyThere:
                if loop.time() > end:
                    raise
                wait = min(2 * wait, longest)

    def __over(self, why: str) -> None:
        if not self.reason:
            self.reason = why
            if why:
                say(self, logging.INFO, "%s is no longer in the class: %s", self.name, why)
        self.__line.end()


class NobodyThere(ClassroomError):
    """No class answers, for now."""


async def join_class(
    address: str,
    name: str,
    *,
    key: str,
    token: str | None = None,
    student: type[Student] = Student,
    parent: TaskThread | None = None,
) -> Student:
    """Join a class, and return when the student is in it.

    In a notebook a cell may be run again: whoever joined from it before with that name gives the seat to
    the new one, and stops.

    Args:
        address, name, key, token, parent: as those of `Student`.
        student: a subclass of `Student`, with a program of its own.

    Raises:
        ValueError: the address or the name is none.
        ClassroomError: it was not let in, or nobody answers; the text says why.
    """
    if not (isinstance(student, type) and issubclass(student, Student)):
        raise TypeError(f"expected a subclass of Student, found {shown(student)}")
    me = student(address, name, key=key, token=token, parent=parent)
    if parent is None:
        for other in threads() if in_kernel() else ():
            if isinstance(other, Student) and (other.name, other.address) == (me.name, me.address):
                other.keeps_seat = True
                await other.control.stop()
        await me.control.start()
    else:
        await me.run()
        await parent.addChild(me)
    return me


def full_address(address: str) -> tuple[str, str | None]:
    """Return the address of a websocket, and the token to be shown there, if it is the notebook's own hub.

    Raises:
        ValueError: it is no address, or a path where no hub is known.
    """
    text = address.strip() if isinstance(address, str) else ""
    token = None
    if text.startswith("/"):
        hub = os.environ.get("JUPYTERHUB_PUBLIC_URL") or os.environ.get("JUPYTERHUB_HOST") or ""
        parts = urlsplit(hub)
        if not parts.netloc:
            raise ValueError(
                f"{text!r} is the path of an address, and this notebook does not know on which hub: put in "
                "front what your browser shows before the path, as in wss://hub.example.org" + text
            )
        text = f"{parts.scheme}://{parts.netloc}{text}"
        token = os.environ.get("JUPYTERHUB_API_TOKEN")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "ws", text
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower())
    try:
        there = urlsplit(f"{scheme}://{rest}")
        fits = scheme in ("ws", "wss") and there.hostname and (there.port or 1)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"expected an address such as ws://127.0.0.1:8765, found {shown(address)}: ask your teacher, "
            "whose classroom.address it is"
        )
    return f"{scheme}://{rest}", token
