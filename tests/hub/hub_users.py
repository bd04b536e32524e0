"""A user of a hub without a browser: speaks to the server what JupyterLab's page and its widgets speak.

By the server's REST API a notebook is opened, by a websocket of the kernel's messages its cells are run; both
go through the hub's proxy, as a page's do. The part of the page that a view of ours has there is played as
far as the kernel can tell: what is displayed says hello, beats, and is sent frames.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import uuid
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import nbformat
from a_hub import UserServer
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

V1 = Subprotocol("v1.kernel.websocket.jupyter.org")  # what JupyterLab's page asks for
BEAT = 2.0  # seconds, as presence.js has them
REFERENCE = "anywidget:"  # how one widget names another, in what a page is sent
_WIDGET = "application/vnd.jupyter.widget-view+json"


class CellError(Exception):
    """A cell has failed; the text is its traceback."""


class HubUser:
    """Somebody at work in a notebook on a hub; `open` makes one.

    Attributes:
        server: the user's.
        kernel_id: of the notebook's kernel.
        frames: how many frames each widget was sent, by its id.
        states: what each widget was made with, by its id.
        outputs: what the last cell that was run has put out, as a notebook holds it.
    """

    def __init__(self, server: UserServer, kernel_id: str, socket: ClientConnection) -> None:
        self.server = server
        self.kernel_id = kernel_id
        self.frames: Counter[str] = Counter()
        self.states: dict[str, dict[str, Any]] = {}
        self.outputs: list[dict[str, Any]] = []
        self._session = uuid.uuid4().hex
        self._socket = socket
        self._asked: dict[str, tuple[asyncio.Future[Any], asyncio.Future[Any]]] = {}
        self._grew = asyncio.Event()  # set whenever a frame has come
        self._tasks = {asyncio.ensure_future(self._listen())}

    @classmethod
    async def open(cls, server: UserServer, notebook: Path) -> HubUser:
        """Put a notebook into the user's folder, open it, and connect to its kernel."""
        shutil.copy(notebook, server.root)
        about = {
            "path": notebook.name,
            "name": notebook.name,
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        opened = await asyncio.to_thread(server.request, "POST", "/api/sessions", about)
        kernel_id = opened["kernel"]["id"]
        url = server.url.replace("http", "ws", 1)
        socket = await connect(
            f"{url}/api/kernels/{kernel_id}/channels?session_id={secrets.token_hex(8)}",
            additional_headers={"Authorization": f"token {server.token}"},
            subprotocols=[V1],
            max_size=None,
            open_timeout=60,
        )
        assert socket.subprotocol == V1
        user = cls(server, kernel_id, socket)
        await user.ask("kernel_info_request", {})
        return user

    async def aclose(self) -> None:
        """Leave; notebook and kernel stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._socket.close()

    async def ask(self, kind: str, content: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        """Send a request to the kernel; return what its reply holds, when all else has come, too."""
        loop = asyncio.get_running_loop()
        name = uuid.uuid4().hex
        reply, idle = self._asked[name] = loop.create_future(), loop.create_future()
        try:
            await self._send(kind, content, metadata, name)
            await idle  # on another channel than the reply
            return await reply
        finally:
            del self._asked[name]

    async def run(self, code: str, cell_id: str = "", *, silent: bool = False) -> str:
        """Run a cell; return what it printed, and its value as plain text.

        Args:
            code: the cell's.
            cell_id: of the cell, as JupyterLab sends it.
            silent: leaves no output, no history and no In and Out.

        Raises:
            CellError: it failed.
        """
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        self.outputs = []
        reply = await self.ask("execute_request", content, cellId=cell_id or uuid.uuid4().hex)
        if reply["status"] != "ok":
            raise CellError("\n".join(reply.get("traceback", [str(reply)])))
        return "".join(
            one.get("text") or one.get("data", {}).get("text/plain", "") for one in self.outputs
        )

    async def run_all(self, notebook: Path) -> None:
        """Run all cells of a notebook, as *Run All* does.

        Raises:
            CellError: one failed that is not meant to.
        """
        for cell in nbformat.read(notebook, 4).cells:
            if cell.cell_type == "code":
                try:
                    await self.run(cell.source, cell.id)
                except CellError:
                    if "raises-exception" not in cell.metadata.get("tags", ()):
                        raise

    async def look(self, code: str) -> list[str]:
        """Run a cell whose value is a view; see its tree and timeline, and return their ids.

        It returns when each of them has sent its first frame. From then on they beat.
        """
        await self.run(code)
        shown = [
            one["data"][_WIDGET]["model_id"]
            for one in self.outputs
            if _WIDGET in one.get("data", {})
        ]
        state = self.states[shown[-1]]
        panels = [state[name].removeprefix(REFERENCE) for name in ("tree", "timeline")]
        for panel in panels:
            self._keep(self._see(panel))
        await self.frames_come(panels, 1)
        return panels

    async def frames_come(self, panels: list[str], number: int) -> None:
        """Wait until each of these widgets was sent so many more frames."""
        wanted = {panel: self.frames[panel] + number for panel in panels}
        while any(self.frames[panel] < number for panel, number in wanted.items()):
            self._grew.clear()
            await self._grew.wait()

    def _keep(self, coroutine: Any) -> None:
        self._tasks.add(asyncio.ensure_future(coroutine))

    async def _see(self, panel: str) -> None:
        """Be the page of a panel that is in sight."""
        view = secrets.token_hex(12)

        async def tell(kind: str, **more: Any) -> None:
            said = {"kind": kind, "view": view, "newest": self.frames[panel], **more}
            await self._send(
                "comm_msg", {"comm_id": panel, "data": {"method": "custom", "content": said}}, {}
            )

        await tell("hello", seen=True)
        await tell("rows", rows=list(range(1, 21)))
        while True:
            await asyncio.sleep(BEAT)
            await tell("beat")

    async def _send(
        self, kind: str, content: dict[str, Any], metadata: dict[str, Any], name: str = ""
    ) -> None:
        header = {
            "msg_id": name or uuid.uuid4().hex,
            "session": self._session,
            "username": self.server.user,
            "date": datetime.now(timezone.utc).isoformat(),
            "msg_type": kind,
            "version": "5.4",
        }
        message = {"header": header, "parent_header": {}, "metadata": metadata, "content": content}
        await self._socket.send(serialize_msg_to_ws_v1(message, "shell", _packed))

    async def _listen(self) -> None:
        try:
            await self._hear_all()
        finally:
            for waits in (one for asked in self._asked.values() for one in asked):
                if not waits.done():
                    waits.set_exception(ConnectionError("the connection to the kernel is over"))

    async def _hear_all(self) -> None:
        async for message in self._socket:
            channel, parts = deserialize_msg_from_ws_v1(message)
            header, parent, _, content = (json.loads(part) for part in parts[:4])
            asked = self._asked.get(parent.get("msg_id", ""))
            if channel == "shell" and asked is not None:
                asked[0].set_result(content)
            elif channel == "iopub":
                self._hear(header["msg_type"], content, asked)

    def _hear(self, kind: str, content: dict[str, Any], asked: Any) -> None:
        if kind == "status" and content["execution_state"] == "idle" and asked is not None:
            asked[1].set_result(None)
        elif kind == "comm_open":
            self.states[content["comm_id"]] = content["data"].get("state", {})
        elif kind == "comm_msg":
            said = content["data"]
            if said.get("method") == "custom" and said["content"].get("kind") == "frame":
                self.frames[content["comm_id"]] += 1
                self._grew.set()
        elif kind in ("stream", "execute_result", "display_data") and asked is not None:
            self.outputs.append(content)


def _packed(part: Any) -> bytes:
    return json.dumps(part).encode()
