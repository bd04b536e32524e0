"""The mailbox of signals that leave the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._core.mailbox import Mailbox
from ..signals import Signal
from .packing import PackedSignal

if TYPE_CHECKING:
    from .._core.effect import Effect
    from .._core.lifecycle import Life


class Outward(Mailbox):
    """Packs each signal when it is put in, so that the sender gets the error of one that can't be sent.

    And so that the signal arrives as it was then, whatever becomes of the object.

    Args:
        life, child: as a mailbox's.
        pack: returns the packed signal.
    """

    __slots__ = ("_pack",)

    def __init__(
        self, life: Life, child: Life | None, pack: Callable[[Signal], PackedSignal]
    ) -> None:
        super().__init__(life, child)
        self._pack = pack

    def _packed(self, signal: Any) -> Any:
        kind = type(signal)
        if not issubclass(kind, Signal) or issubclass(kind, PackedSignal):
            return signal
        return signal if signal.__task_thread_stops__ else self._pack(signal)

    def offer(self, signal: object) -> bool:
        return super().offer(self._packed(signal))

    def put_nowait(self, signal: Signal) -> None:
        super().put_nowait(self._packed(signal))

    async def put(self, signal: Signal) -> None:
        await super().put(self._packed(signal))

    def post(self, signal: Signal, effect: Effect) -> None:
        super().post(self._packed(signal), effect)
