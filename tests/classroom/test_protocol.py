"""Whatever comes is a message or a breach; and two lines lose nothing, however often they are cut."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("websockets", reason="websockets is not installed")

from websockets import ConnectionClosed

from task_thread.classroom.line import END, Line
from task_thread.classroom.protocol import Breach, checked_name, pack, same_key, unpack

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip
verbs = st.sampled_from(
    ["hello", "welcome", "say", "taken", "bye", "n", "name", "key", "session", "of", "came", "next"]
)


@given(values)
def test_a_value_comes_as_it_was_sent(value: Any) -> None:
    assert unpack(pack(say=value, n=3)) == {"say": value, "n": 3}


@given(
    st.text() | st.binary() | values.map(json.dumps)
    | st.dictionaries(verbs, values | st.integers(), max_size=8).map(json.dumps)
)  # fmt: skip
def test_whatever_comes_is_a_message_or_a_breach(frame: Any) -> None:
    try:
        message = unpack(frame)
    except Breach as breach:
        assert len(str(breach)) < 400
        assert str(breach).isprintable()
        return
    assert isinstance(message, dict)
    assert unpack(json.dumps(message)) == message


@given(st.text(max_size=60))
def test_a_name_is_refused_or_always_written_in_the_same_way(name: str) -> None:
    try:
        found = checked_name(name)
    except ValueError:
        return
    assert checked_name(found) == found
    found.encode()


@given(st.text(max_size=10), st.text(max_size=10))
def test_keys_are_the_same_if_they_are(one: str, other: str) -> None:
    assert same_key(one, one)
    assert same_key(one, other) == (one == other)


@pytest.mark.parametrize("depth", [49, 50, 51, 900, 20_000])
def test_what_lies_too_deep_is_refused_at_both_ends(depth: int) -> None:
    value: Any = None
    for _ in range(depth):
        value = [value]
    text = '{"say":' + "[" * depth + "null" + "]" * depth + ',"n":1}'
    if depth <= 50:
        assert unpack(pack(say=value, n=1)) == unpack(text)
        return
    with pytest.raises((TypeError, ValueError), match="expected"):
        pack(say=value, n=1)
    with pytest.raises(Breach):
        unpack(text)


class Wire:
    """One end of a connection that may be cut; what is on its way is then lost."""

    def __init__(self) -> None:
        self.box: deque[str | None] = deque()
        self.more = asyncio.Event()
        self.cut = False
        self.other = self

    async def send(self, message: str) -> None:
        await asyncio.sleep(0)
        if self.cut:
            raise ConnectionClosed(None, None)
        self.other.box.append(message)
        self.other.more.set()

    async def recv(self) -> str:
        while not self.box and not self.cut:
            self.more.clear()
            await self.more.wait()
        if self.cut:
            raise ConnectionClosed(None, None)
        return str(self.box.popleft())

    async def ping(self) -> Any:
        raise NotImplementedError

    @staticmethod
    def pair() -> tuple[Wire, Wire]:
        one, other = Wire(), Wire()
        one.other, other.other = other, one
        return one, other

    def is_cut(self) -> None:
        for end in (self, self.other):
            end.cut = True
            end.more.set()


acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["say"]), st.integers(0, 1), st.integers(1, 8)),
        st.tuples(st.sampled_from(["rounds"]), st.integers(0, 1), st.integers(1, 12)),
        st.tuples(st.sampled_from(["cut"]), st.integers(0, 1), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=150)
@given(acts, st.integers(1, 5))
def test_nothing_is_lost_doubled_or_out_of_order_however_often_it_is_cut(
    plan: list[tuple[str, int, int]], window: int
) -> None:
    asyncio.run(carry_out(plan, window))


async def carry_out(plan: list[tuple[str, int, int]], window: int) -> None:
    lines = Line(window, window), Line(window, window)
    wires: list[Wire] = []
    stopped = asyncio.Event()

    async def keep_connected() -> None:
        while not stopped.is_set():
            ends = Wire.pair()
            for line in lines:
                await line.free()
            first, second = lines
            first.meet(second.meeting())  # as a hello and a welcome do
            second.meet(first.meeting())
            wires[:] = [ends[0]]
            await asyncio.gather(*(line.carry(end) for line, end in zip(lines, ends, strict=True)))

    said: tuple[list[int], list[int]] = ([], [])
    heard: tuple[list[int], list[int]] = ([], [])

    async def say(end: int, count: int) -> None:
        for _ in range(count):
            await lines[end].room()
            said[end].append(len(said[end]))
            lines[end].put(said[end][-1])

    async def hear(end: int) -> None:
        while True:
            number, value = await lines[end].get()
            if value is END:
                return
            heard[1 - end].append(value)
            await asyncio.sleep(0)
            lines[end].took(number)

    connecting = asyncio.create_task(keep_connected())
    hearing = [asyncio.create_task(hear(end)) for end in (0, 1)]
    saying: list[asyncio.Task[None]] = []
    last: list[asyncio.Task[None] | None] = [None, None]

    async def after(before: asyncio.Task[None] | None, end: int, count: int) -> None:
        if before is not None:
            await before
        await say(end, count)

    for act, end, number in plan:
        if act == "say":
            last[end] = asyncio.create_task(after(last[end], end, number))
            saying.append(last[end])  # type: ignore[arg-type]
        elif act == "cut" and wires:
            wires[0].is_cut()
        else:
            for _ in range(number):
                await asyncio.sleep(0)
    if saying:
        await asyncio.wait_for(asyncio.gather(*saying), 30)
    for _ in range(100_000):
        if heard == said and not any(line._out for line in lines):
            break
        await asyncio.sleep(0)
    assert heard == said
    assert not any(line._out for line in lines)
    stopped.set()
    for line in lines:
        line.end()
        line.hang_up()
    await asyncio.gather(*hearing, connecting)


async def test_an_end_that_claims_what_was_never_said_is_in_breach() -> None:
    line = Line(5, 5)
    line.put("one")
    session = line.meeting()["session"]
    with pytest.raises(Breach, match="it has 2 messages, of 1 that were sent"):
        line.meet({"session": "other", "of": session, "came": 2, "next": 1})
    line.meet({"session": "other", "of": "another", "came": 2, "next": 1})
