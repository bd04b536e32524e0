"""A Jupyter kernel, run cell by cell as a front end would."""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.session import DELIM
from jupyter_core.paths import jupyter_runtime_dir
from kernel_venvs import chosen, write_kernelspec

LIMIT = 60.0  # seconds a cell may take


@dataclass
class Ran:
    """What came back from one cell.

    Attributes:
        out: what it printed.
        err: what it wrote to stderr, log lines among them.
        elsewhere: what was written meanwhile in the name of other cells, by tasks that they made.
        value: the text of its value; "" for none.
        shown: the MIME bundle of its value, or of what it displayed.
        error: "ValueError: text", or "".
        traceback: its lines, with the colours left in.
    """

    out: str = ""
    err: str = ""
    elsewhere: str = ""
    value: str = ""
    shown: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""

    @property
    def literal(self) -> Any:
        """The value, of what can be written as a literal."""
        assert not self.error, self.traceback
        return ast.literal_eval(self.value)


class Kernel:
    """A kernel of its own process; close it.

    Args:
        which: one of `kernel_venvs.names()`; by default the one that is chosen for the whole run.
    """

    def __init__(self, which: str | None = None) -> None:
        self._folder = tempfile.mkdtemp(prefix="kernelspec-")
        spec = write_kernelspec(Path(self._folder), which or chosen())
        specs = KernelSpecManager(
            kernel_dirs=[f"{self._folder}/kernels"], ensure_native_kernel=False
        )
        self.manager = KernelManager(
            kernel_name=spec, kernel_spec_manager=specs, **meets_in_files()
        )
        self.client = self.manager.client()
        try:
            self.manager.start_kernel()
            self.client = self.manager.client()
            self.client.start_channels()
            self.client.wait_for_ready(timeout=60)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the kernel, whatever it does."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def interrupt(self) -> None:
        """Do what the square in the toolbar does."""
        self.manager.interrupt_kernel()

    def send(self, code: str, cell: str | None = None) -> str:
        """Send a cell off; return the message's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        metadata = {} if cell is None else {"cellId": cell}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def send_comm(self, content: Any, subshell: str | None = None) -> str:
        """Send a comm message as a page would, or as it never would; return the message's id.

        Args:
            content: what JSON can hold, and NaN; by rights `comm_id` and `data`.
            subshell: what the message names; `None` for none.
        """
        session = self.client.session
        message = session.msg("comm_msg", {})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        # Not by `session.send`, which would mend what is malformed.
        parts = [session.pack(message[name]) for name in ("header", "parent_header", "metadata")]
        parts.append(json.dumps(content).encode())
        self.client.shell_channel.socket.send_multipart([DELIM, session.sign(parts), *parts])
        return str(message["header"]["msg_id"])

    def new_subshell(self) -> str | None:
        """Make a subshell, as a page does for its widgets; return its id, or `None` before ipykernel 7."""
        info = self.client.kernel_info(reply=True, timeout=LIMIT)["content"]
        if "kernel subshells" not in info.get("supported_features", []):
            return None
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        return str(self.client.get_control_msg(timeout=LIMIT)["content"]["subshell_id"])

    def end_subshell(self, subshell: str) -> None:
        """End a subshell."""
        ended = self.client.session.msg("delete_subshell_request", {"subshell_id": subshell})
        self.client.control_channel.send(ended)
        self.client.get_control_msg(timeout=LIMIT)

    def run(self, code: str, cell: str | None = None) -> Ran:
        """Run a cell, wait for its end, and return what came of it."""
        return self.finish(self.send(code, cell))

    def finish(self, sent: str, heard: Callable[[Ran], None] | None = None) -> Ran:
        """Wait for the end of a cell.

        Args:
            sent: what `send` returned.
            heard: called after each message that the cell caused, with what came of it so far.
        """
        ran = self.listen(sent, heard)
        while True:  # its reply, so that the channel holds no old ones
            reply = self.client.get_shell_msg(timeout=LIMIT)
            if reply["parent_header"].get("msg_id") == sent:
                return ran

    def listen(
        self,
        sent: str,
        heard: Callable[[Ran], None] | None = None,
        until: Callable[[Ran], bool] | None = None,
    ) -> Ran:
        """Collect what a cell causes, until it has ended or, with `until`, for as long as that says."""
        ran = Ran()
        while True:
            message = self.client.get_iopub_msg(timeout=LIMIT)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != sent:
                if kind == "stream":
                    ran.elsewhere += content["text"]
            elif kind == "stream":
                if content["name"] == "stdout":
                    ran.out += content["text"]
                else:
                    ran.err += content["text"]
            elif kind in ("execute_result", "display_data"):
                ran.shown = content["data"]
                ran.value = content["data"].get("text/plain", "")
            elif kind == "error":
                ran.error = f"{content['ename']}: {content['evalue']}"
                ran.traceback = "\n".join(content["traceback"])
            if heard is not None:
                heard(ran)
            if until is not None and until(ran):
                return ran
            if until is None and message["parent_header"].get("msg_id") == sent:
                if kind == "status" and content["execution_state"] == "idle":
                    return ran


def meets_in_files() -> dict[str, str]:
    """Return what makes a KernelManager and its kernel meet in files, and in others each time.

    They would choose ports that are free, and bind them later, when a kernel that starts at the same
    time may have taken one.
    """
    folder = jupyter_runtime_dir()  # outside of the tests, too
    os.makedirs(folder, exist_ok=True)
    return {"transport": "ipc", "ip": f"{folder}/{secrets.token_hex(4)}"}


def is_alive(kernel: Kernel) -> bool:
    """Whether the process lives and answers."""
    return bool(kernel.manager.is_alive()) and kernel.run("1 + 1").value == "2"


os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # the kernel warns of frozen modules
