"""The server's connection that sends at once."""

from types import SimpleNamespace

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from task_thread_widgets.prompt_connection import PromptConnection


def test_it_asks_for_no_delay_and_then_connects_as_the_servers_own(monkeypatch):
    told = []
    monkeypatch.setattr(
        ZMQChannelsWebsocketConnection, "connect", lambda self: told.append("connect") or "future"
    )
    monkeypatch.setattr(
        PromptConnection,
        "websocket_handler",
        SimpleNamespace(set_nodelay=lambda on: told.append(("nodelay", on))),
    )
    connection = PromptConnection.__new__(PromptConnection)
    assert connection.connect() == "future"
    assert told == [("nodelay", True), "connect"]
