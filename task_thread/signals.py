"""The messages that parent and child threads send each other.

A signal travels one edge, parent to child or child to parent, in order and exactly once. Subclass
`Signal` for kinds of your own, or send text and objects with `MessageSignal`.
"""

from __future__ import annotations

from typing import Any

from ._core.texts import is_a, shown

__all__ = ["CloseSignal", "MessageSignal", "Signal", "TerminateSignal"]


class Signal:
    """What every signal is; only instances of it (and of subclasses) can be sent."""

    __task_thread_stops__ = False  # whether the library acts on it, instead of a handler

    def __str__(self) -> str:
        return f"<{type(self).__name__}>"

    __repr__ = __str__


class TerminateSignal(Signal):
    """Asks the thread that receives it to stop; the library acts on it, no handler sees it."""

    __task_thread_stops__ = True


class CloseSignal(Signal):
    """A child's request that its parent close it; the library acts on it, no handler sees it."""

    __task_thread_stops__ = True


class MessageSignal(Signal):
    """Carries any object as a message.

    Args:
        origin: the sender, by convention a thread or its id.
        message: any object.
    """

    def __init__(self, origin: Any, message: Any) -> None:
        self.origin = origin
        self.message = message

    def getMessage(self) -> Any:
        """Return the message."""
        return self.message

    def __str__(self) -> str:
        return f"<{type(self).__name__} from {self.origin}: {self.message!r}>"

    __repr__ = __str__


def require_signal(value: Any) -> Signal:
    """Return `value` if it is a signal.

    Raises:
        TypeError: it is something else; the text says how to send it.
    """
    if issubclass(type(value), Signal):  # as is_a() says, at half the price
        signal: Signal = value
        return signal
    if is_a(value, type) and issubclass(value, Signal):
        raise TypeError(
            f"expected a signal, found the class {value.__name__}: "
            f"make an instance of it, {value.__name__}(...)"
        )
    raise TypeError(
        f"expected a signal, found {shown(value)}: wrap it as "
        "signals.MessageSignal(origin, message), or subclass signals.Signal"
    )
