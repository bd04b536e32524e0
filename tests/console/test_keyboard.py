"""Bytes from a terminal become keys, also when they come in pieces."""

from __future__ import annotations

import pytest

from task_thread.console.keyboard import keys_in


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"jk", ["j", "k"]),
        (b"+-", ["+", "-"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1bOA\x1bOB", ["up", "down"]),
        (b"\x1b[5~\x1b[6~", ["pageup", "pagedown"]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~", ["home", "end", "home", "end"]),
        (b"p\x1b[As", ["p", "up", "s"]),
        (b"\x1b[15~q", ["q"]),  # F5 means nothing
        (b"\x1b[1;5Cq", ["q"]),  # nor does Ctrl-Right
        ("äq".encode(), ["q"]),
        (b"\x1bq", ["q"]),
        (b"", []),
    ],
)
def test_bytes_become_keys(data: bytes, keys: list[str]) -> None:
    assert keys_in(data) == (keys, b"")


def test_a_key_may_come_in_pieces() -> None:
    for cut in range(1, 8):
        data = b"j\x1b[5~\x1b[Bq"
        first, rest = keys_in(data[:cut])
        second, left = keys_in(rest + data[cut:])
        assert first + second == ["j", "pageup", "down", "q"]
        assert left == b""
