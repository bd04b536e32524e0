"""What arrives of a signal is what was sent, however its class pickles."""

from __future__ import annotations

import copyreg
import pickle
import threading
from collections import deque
from typing import Any

import pytest

from task_thread import MessageSignal, Signal, TaskThread
from task_thread._core.context import life_of

pytest.importorskip("distributed", reason="dask.distributed is not installed")


class Slotted(Signal):
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Reduced(Signal):
    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> Any:
        return Reduced, (self.value + 1,)


class WithState(Signal):
    def __init__(self, value: Any) -> None:
        self.value = value

    def __getstate__(self) -> Any:
        return {"stored": self.value}

    def __setstate__(self, state: Any) -> None:
        self.value = state["stored"]


class Made(Signal):
    def __new__(cls, value: Any = "made") -> Made:
        made = super().__new__(cls)
        made.made = True  # type: ignore[attr-defined]
        return made

    def __init__(self, value: Any) -> None:
        self.value = value


class Registered(Signal):
    def __init__(self, value: Any) -> None:
        self.value = value


class Counted(Signal):
    """Is never made by its constructor on arrival."""

    made = 0

    def __init__(self, value: Any) -> None:
        Counted.made += 1
        self.value = value


class Pair:
    """Two ends of a link, without the link."""

    def __init__(self) -> None:
        from task_thread.distributed.packing import Packer

        self.announced: list[tuple[int, bytes]] = []
        self.here = Packer("there", lambda *of: self.announced.append(of))
        self.there = Packer("here", lambda *of: None)
        self.thread = TaskThread()

    def send(self, signal: Signal) -> Any:
        packed = self.here.pack(signal, self._name)
        while self.announced:
            self.there.learn(*self.announced.pop(0))
        assert packed.data is not None
        return self.there.unpack(packed.data, lambda name: ("found", name))

    def _name(self, life: Any) -> Any:
        if life is life_of(self.thread):
            return ("it",)
        raise TypeError("threads don't travel")


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.mark.parametrize("kind", [Slotted, WithState, Counted, Registered])
@pytest.mark.parametrize("value", [7, "text", None, [1, {"two": (3.0, b"4")}], deque([1])])
def test_a_signal_arrives_as_it_was(pair: Pair, kind: Any, value: Any) -> None:
    for _ in range(2):
        found = pair.send(kind(value))
        assert type(found) is kind
        assert found.value == value


def test_its_constructor_is_not_called_again(pair: Pair) -> None:
    before = Counted.made
    pair.send(Counted(1))
    assert Counted.made == before + 1


def test_what_a_class_says_of_its_pickling_holds(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pair.send(Reduced(1)).value == 2
    made = pair.send(Made(1))
    assert (made.value, made.made) == (1, True)
    monkeypatch.setitem(
        copyreg.dispatch_table, Registered, lambda one: (Registered, (one.value * 2,))
    )
    assert pair.send(Registered(4)).value == 8


def test_a_class_of_a_cell_travels_once_and_stays_itself(pair: Pair) -> None:
    class Local(Signal):
        def __init__(self, value: Any) -> None:
            self.value = value

        def twice(self) -> Any:
            return 2 * self.value

    first, second = pair.send(Local(2)), pair.send(Local("a"))
    assert (first.twice(), second.twice()) == (4, "aa")
    assert type(first) is type(second)


def test_threads_in_it_are_named_wherever_they_are(pair: Pair) -> None:
    found = pair.send(MessageSignal(pair.thread, [pair.thread, {"by": pair.thread}]))
    named = ("found", ("it",))
    assert found.origin == named
    assert found.getMessage() == [named, {"by": named}]


def test_a_signal_may_hold_itself_and_others(pair: Pair) -> None:
    signal = MessageSignal("me", None)
    other = MessageSignal("other", signal)
    signal.message = [signal, other]
    found = pair.send(signal)
    itself, inner = found.getMessage()
    assert itself is found
    assert inner.getMessage() is found


def test_it_arrives_as_it_was_when_it_was_sent(pair: Pair) -> None:
    message = [1]
    packed = pair.here.pack(MessageSignal("me", message), pair._name)
    message.append(2)
    pair.there.learn(*pair.announced.pop())
    assert packed.data is not None
    assert pair.there.unpack(packed.data, lambda name: name).getMessage() == [1]


@pytest.mark.parametrize("value", [threading.Lock(), [threading.Lock()], TaskThread()])
def test_what_cannot_be_sent_is_an_error_and_the_next_one_goes(pair: Pair, value: Any) -> None:
    with pytest.raises(TypeError, match=r"the signal <MessageSignal .* can't be sent to there"):
        pair.send(MessageSignal("me", value))
    assert pair.send(MessageSignal("me", [1])).getMessage() == [1]


def test_a_class_that_the_other_end_cannot_have_spoils_its_own_signals_only(pair: Pair) -> None:
    packed = pair.here.pack(Counted(1), pair._name)
    number, _ = pair.announced.pop()
    pair.there.learn(number, pickle.dumps(Counted).replace(b"Counted", b"Missing"))
    assert packed.data is not None
    with pytest.raises(AttributeError, match="Missing"):
        pair.there.unpack(packed.data, lambda name: name)
    assert pair.send(MessageSignal("me", 1)).getMessage() == 1
