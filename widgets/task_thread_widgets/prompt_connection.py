"""The Jupyter server's half of a kernel's connection to the page, sending at once.

By default the server leaves Nagle's algorithm on: what a kernel says waits, for up to 40 ms, until the
page has acknowledged what was said before. Beside a view, which says something ten times a second, that
delays the answer to every cell. Chosen by the server's own setting, in `jupyter_server_config.py`
or on its command line, and by nobody unasked:

    c.ServerApp.kernel_websocket_connection_class = (
        "task_thread_widgets.prompt_connection.PromptConnection")

`make lab` and `binder/postBuild` do so. It needs jupyter_server, which the rest of this package does not.

Source: https://www.tornadoweb.org/en/stable/websocket.html (`set_nodelay`).
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's default connection, without a delay for small messages."""

    def connect(self) -> Any:
        """Connect the page and its kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
