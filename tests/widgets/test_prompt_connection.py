"""The server's connection that sends at once."""

from types import SimpleNamespace

import pytest

# It is the server's; a kernel's environment need not have one.
channels = pytest.importorskip("jupyter_server.services.kernels.connection.channels")


def test_it_asks_for_no_delay_and_then_connects_as_the_servers_own(monkeypatch):
    from task_thread_widgets.prompt_connection import PromptConnection

    told = []
    monkeypatch.setattr(
        channels.ZMQChannelsWebsocketConnection,
        "connect",
        lambda self: told.append("connect") or "future",
    )
    monkeypatch.setattr(
        PromptConnection,
        "websocket_handler",
        SimpleNamespace(set_nodelay=lambda on: told.append(("nodelay", on))),
    )
    connection = PromptConnection.__new__(PromptConnection)
    assert connection.connect() == "future"
    assert told == [("nodelay", True), "connect"]
