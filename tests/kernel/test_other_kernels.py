"""Kernels that are not ipykernel: start, view, stop. Each is tried where it is installed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import start_new_kernel

PROGRAM = """
import asyncio
from task_thread import TaskThread, only, reCreate, reSchedule, threads

class Hello(TaskThread):
    async def enter__(self):
        self.turned = asyncio.Event()
        self.tasks.tick = await reCreate(None, self.tick__)

    def getId(self):
        return "hello"

    async def tick__(self):
        await asyncio.sleep(0.01)
        self.turned.set()
        self.tasks.tick = await reSchedule(self.tick__)

hello = Hello()
await only(hello)
await hello.turned.wait()
"""


@pytest.fixture(params=["async", "xpython"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of the kernel."""
    try:
        manager, client = start_new_kernel(kernel_name=request.param, startup_timeout=60)
    except NoSuchKernel:
        pytest.skip(
            f"no kernel {request.param}: pip install async-kernel, or xeus-python, brings it"
        )
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(kernel: Any, code: str) -> list[dict[str, Any]]:
    """Run code; return the contents of all that it published."""
    told: list[dict[str, Any]] = []
    reply = kernel.execute_interactive(
        code, timeout=60, output_hook=lambda message: told.append(message["content"])
    )
    assert reply["content"]["status"] == "ok", told
    return told


def text(told: list[dict[str, Any]]) -> str:
    return "".join(one["text"] for one in told if "text" in one)


def greeted(kernel: Any, widget: str) -> dict[str, Any]:
    """Greet a panel as a page does; return what it answers."""
    content = {
        "comm_id": widget,
        "data": {
            "method": "custom",
            "content": {"kind": "hello", "view": "a", "newest": 0, "seen": True},
        },
    }
    kernel.shell_channel.send(kernel.session.msg("comm_msg", content))
    while True:
        message = kernel.get_iopub_msg(timeout=60)
        if (
            message["msg_type"] == "comm_msg"
            and message["content"]["comm_id"] == widget
            and message["content"]["data"]["method"] == "custom"
        ):
            answer: dict[str, Any] = message["content"]["data"]["content"]
            return answer


@pytest.mark.timeout(180)
def test_a_thread_starts_shows_itself_and_stops(kernel: Any) -> None:
    run(kernel, PROGRAM)
    assert "await asyncio.sleep(0.01)" in text(run(kernel, "print(hello.snapshot())"))
    shown = [one["data"] for one in run(kernel, "hello") if "application" in str(one.get("data"))]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    told = run(
        kernel,
        "from task_thread_widgets import TreePanel\npanel = TreePanel(hello)\nprint(panel.comm.comm_id)",
    )
    try:
        answer = greeted(kernel, text(told).strip())
    except queue.Empty:
        pytest.fail("expected a frame of the panel that was greeted, found none")
    assert "facts" in answer
    run(kernel, "await hello.stop()\nawait hello.join()")
    assert "[]" in text(run(kernel, "print(threads())"))
    run(kernel, "await only(hello)\nawait hello.turned.wait()")
    run(kernel, "await hello.stop()\nawait hello.join()")
