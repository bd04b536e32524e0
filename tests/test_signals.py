"""The signal classes, and what is refused as a signal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from programs import Probe, gone, running, started, until

import task_thread
from task_thread import signals
from task_thread.signals import require_signal


@pytest.mark.parametrize("name", ["Signal", "TerminateSignal", "CloseSignal", "MessageSignal"])
def test_they_are_importable_from_both_places(name: str) -> None:
    assert getattr(task_thread, name) is getattr(signals, name)
    assert issubclass(getattr(signals, name), signals.Signal)


def test_a_message_signal_has_an_origin_and_a_message() -> None:
    signal = signals.MessageSignal("me", {"a": 1})
    assert signal.origin == "me"
    assert signal.message == signal.getMessage() == {"a": 1}
    assert signals.MessageSignal(origin="me", message="hi").getMessage() == "hi"


def test_signals_say_what_they_are() -> None:
    assert str(signals.Signal()) == repr(signals.Signal()) == "<Signal>"
    assert str(signals.TerminateSignal()) == "<TerminateSignal>"
    assert str(signals.MessageSignal("me", "hi")) == "<MessageSignal from me: 'hi'>"


def test_a_subclass_may_add_what_it_likes() -> None:
    class Position(signals.Signal):
        def __init__(self, x: int) -> None:
            self.x = x

    assert require_signal(Position(3)).x == 3  # type: ignore[attr-defined]
    assert str(Position(3)) == "<Position>"


async def _each_way(value: Any) -> None:
    parent = Probe()
    child = Probe(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        for send in (
            parent.insertSignal(value),
            parent.sigFromParentToChild__(value),
            parent.sigFromParentToChild__(value, child=child),
            child.sigFromChildToParent__(value),
        ):
            with pytest.raises(TypeError) as caught:
                await send
            assert str(caught.value).startswith("expected a signal, found ")


async def test_what_is_no_signal_is_refused_on_every_way() -> None:
    await _each_way("hello")


async def test_a_signal_class_instead_of_an_instance_is_refused_on_every_way() -> None:
    await _each_way(signals.TerminateSignal)


def test_the_refusal_says_how_to_send_it() -> None:
    with pytest.raises(
        TypeError,
        match=re.escape(
            "expected a signal, found int 3: wrap it as signals.MessageSignal(origin, message), "
            "or subclass signals.Signal"
        ),
    ):
        require_signal(3)


def test_the_refusal_of_a_class_says_to_make_an_instance() -> None:
    with pytest.raises(
        TypeError,
        match=re.escape(
            "expected a signal, found the class CloseSignal: make an instance of it, CloseSignal("
        ),
    ):
        require_signal(signals.CloseSignal)


async def test_a_signal_to_something_that_is_no_child_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a TaskThread, found str 'me'"):
        await Probe().sigFromParentToChild__(
            signals.Signal(),
            child="me",  # type: ignore[arg-type]
        )


async def test_a_TerminateSignal_stops_the_thread_that_it_is_put_into() -> None:
    parent = Probe()
    child = Probe(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await parent.sigFromParentToChild__(signals.TerminateSignal(), child=child)
        await child.join()
        assert child.state == "stopped"
        assert child.heard == []  # the library acts on it
        assert parent.running


async def test_a_CloseSignal_to_the_parent_closes_the_child_that_sends_it() -> None:
    parent = Probe()
    child = Probe(parent=parent)
    async with running(parent):
        await child.run()
        await parent.addChild(child)
        await child.sigFromChildToParent__(signals.CloseSignal())
        await child.join()
        assert child.state == "stopped"
        assert parent.heard_from == []
        assert parent.running


async def test_a_TerminateSignal_put_straight_into_the_queue_stops_the_thread_too() -> None:
    thread = Probe()
    await started(thread)
    thread.input_queue.put_nowait(signals.TerminateSignal())
    await until(lambda: thread.state == "stopped")
    await gone(thread)
    assert thread.heard == []
