"""marimo, the real one, without a page: a cell that is run again replaces what it started."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("marimo", reason="no marimo here: make test-course installs it")

from websockets.sync.client import ClientConnection, connect

NOTEBOOK = """\
import marimo

app = marimo.App()


@app.cell
def _():
    import asyncio
    import itertools
    from pathlib import Path

    from task_thread import TaskThread

    numbers = itertools.count(1)
    told = Path("told.txt").open("a", buffering=1)

    class Server(TaskThread):
        def __init__(self):
            super().__init__()
            self.number = next(numbers)

        async def enter__(self):
            print(self.number, "enters", file=told)

        async def exit__(self):
            await asyncio.sleep(0.1)
            print(self.number, "leaves", file=told)

    return (Server,)


@app.cell
def _(Server):
    server = Server()
    server.start()
    server
    return (server,)


@app.cell
def _(server):
    print("used:", server.number)
    return


if __name__ == "__main__":
    app.run()
"""
SESSION = "s_test12"
PATIENCE = 120.0  # seconds


class Edited:
    """A notebook that `marimo edit` has opened, spoken to as its page does.

    Args:
        address: of the server.
        socket: of the page; the first message on it names the cells.
    """

    def __init__(self, address: str, socket: ClientConnection) -> None:
        self._address = address
        self._socket = socket
        ready = self._until("kernel-ready")
        self._cells = dict(zip(ready["cell_ids"], ready["codes"], strict=True))
        self._post("instantiate", {"objectIds": [], "values": [], "autoRun": True})
        self._until("completed-run")

    def run(self, with_text: str) -> None:
        """Run the cell with this text, and those that depend on it."""
        [cell] = [cell for cell, code in self._cells.items() if with_text in code]
        self._post("run", {"cellIds": [cell], "codes": [self._cells[cell]]})
        self._until("completed-run")

    def edit(self, old: str, new: str) -> None:
        """Change the cell with a text, and run it."""
        [cell] = [cell for cell, code in self._cells.items() if old in code]
        self._cells[cell] = self._cells[cell].replace(old, new)
        self.run(new)

    def delete(self, with_text: str) -> None:
        [cell] = [cell for cell, code in self._cells.items() if with_text in code]
        self._post("delete", {"cellId": cell})

    def _until(self, op: str) -> dict[str, Any]:
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message["op"] == op:
                data: dict[str, Any] = message["data"]
                return data

    def _post(self, what: str, body: dict[str, Any]) -> None:
        asked = urllib.request.Request(
            f"http://{self._address}/api/kernel/{what}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Marimo-Session-Id": SESSION},
        )
        urllib.request.urlopen(asked, timeout=PATIENCE).close()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Edited]:
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "marimo", "edit", "notebook.py", "--headless", "--no-token"]
    command += ["--no-skew-protection", "--skip-update-check", "--port", address.partition(":")[2]]
    with (tmp_path / "log.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: is_served(address))
        with connect(
            f"ws://{address}/ws?session_id={SESSION}&file=notebook.py", max_size=None
        ) as page:
            yield Edited(address, page)
    finally:
        server.terminate()
        server.wait()


def is_served(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/health", timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def until(look: Callable[[], Any], wanted: Any = True) -> None:
    end = time.monotonic() + PATIENCE
    while (found := look()) != wanted:
        assert time.monotonic() < end, f"after {PATIENCE} s: {found!r}, not {wanted!r}"
        time.sleep(0.05)


def test_a_cell_that_is_run_again_or_edited_replaces_its_thread(
    notebook: Edited, tmp_path: Path
) -> None:
    def told() -> list[str]:
        file = tmp_path / "told.txt"
        return file.read_text().splitlines() if file.exists() else []

    lines = ["1 enters"]
    until(told, lines)
    notebook.run("server.start()")
    lines += ["1 leaves", "2 enters"]
    until(told, lines)
    notebook.run("server.number")  # depends on it, and starts nothing
    notebook.edit("server.start()", "server.start()  # edited")
    lines += ["2 leaves", "3 enters"]
    until(told, lines)
    notebook.delete("server.start()")
    lines += ["3 leaves"]
    until(told, lines)
