"""What a page may not ask, and the checks of what it says.

A page is not trusted: anybody who can open the notebook can send anything over a comm. What does not
fit is refused with a sentence, is logged, and changes nothing. A flood of it does not flood the log.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from task_thread._core.texts import brief

logger = logging.getLogger("task_thread.widgets")

MOST_LOGGED = 5
"""Refusals of one panel that are logged one by one within `TOGETHER`."""

TOGETHER = 10.0
"""Seconds after which the refusals that were not logged are told as a number."""


class Refusal(Exception):
    """A message of the page that does not fit; its text says what was expected and found."""


class RefusalLog:
    """Logs the refusals of one panel: the first few in full, those that follow soon as a number."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._count = 0
        self._telling: asyncio.TimerHandle | None = None

    def note(self, refusal: Refusal, loop: asyncio.AbstractEventLoop) -> None:
        """Log a refusal, or count it.

        Args:
            refusal: what was refused.
            loop: the loop that runs; what was counted is told on it later.
        """
        now = loop.time()
        if self._telling is None and now - self._since > TOGETHER:
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= MOST_LOGGED:
            logger.warning("a message of the page was refused: %s", refusal)
        elif self._telling is None:
            self._telling = loop.call_later(max(0.0, self._since + TOGETHER - now), self._tell)

    def _tell(self) -> None:
        self._telling = None
        self._since = float("-inf")
        logger.warning("%d more messages of the page were refused", self._count - MOST_LOGGED)

    def close(self) -> None:
        """Tell at once what was counted."""
        if self._telling is not None:
            self._telling.cancel()
            self._tell()


def field(message: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """Return a field of a message.

    Args:
        message: from the page.
        name: of the field.
        kind: its type; a bool is not taken for an int, an int is taken for a float.
        default: for a field that is missing.

    Raises:
        Refusal: it is of another type.
    """
    value = message.get(name)
    if value is None:
        return default
    fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise Refusal(f"expected {name} to be of type {kind.__name__}, found {brief(value)}")
    return value
