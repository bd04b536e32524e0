"""The scope of a hook or handler of a thread: it can be limited in time, and warns when time is over."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any

from .scope import Scope

if TYPE_CHECKING:
    from .life import Life


class Hook(Scope):
    """A hook or handler that has suspended.

    Args:
        life: of the thread.
        name: of the method.
        coroutine: what runs.
        context: the context in which it is stepped; `None` for the current task's.
        nested: whether it may run inside another hook.
        cancels: `cancel_requests` of the carrying task before the first step.
    """

    __slots__ = ("_grace", "_life", "_name")

    def __init__(
        self,
        life: Life,
        name: str,
        coroutine: Coroutine[Any, Any, Any],
        context: Context | None = None,
        nested: bool = False,
        cancels: int = 0,
    ) -> None:
        super().__init__(coroutine, context, nested, cancels)
        self._life = life
        self._name = name
        self._grace = 0.0

    def limit(self, seconds: float, grace: float | None = None) -> None:
        """Cancel it after `seconds`, and abandon it `grace` seconds later (as long again if `None`)."""
        self._grace = seconds if grace is None else grace
        office = self._life.office
        assert office is not None
        if seconds > 0:
            office.deadlines.set(self, seconds)
        else:
            self.late()

    def unlimit(self) -> None:
        """Take the limit back."""
        office = self._life.office
        assert office is not None
        office.deadlines.clear(self)

    def swallowed(self) -> None:
        if self._name == "enter__":
            self._life.interrupted()
        elif self._name == "exit__":
            self._life.hurry()

    def late(self) -> None:
        life = self._life
        if not self.cancelled:
            life.logger.warning("%s: %s takes too long; it is cancelled", life.id, self._name)
            assert life.office is not None
            life.office.deadlines.set(self, self._grace)
            self.cancel()
        else:
            life.logger.warning(
                "%s: %s swallows its cancellation; it is abandoned", life.id, self._name
            )
            self.abandon()
