"""What a suspended coroutine awaits, and what that awaits, down to the future; with the frame of each.

No code of the program runs for it: what a class of the program's own says of its attributes may raise, or
take long. `gc.get_referents` shows what Python has no attribute for: the future behind an awaited one's
iterator, the coroutine inside a `coroutine_wrapper`, and the async generator behind an `async for`.
"""

from __future__ import annotations

import asyncio
import gc
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
)
from typing import Any

from .texts import class_of, is_a

DEEPEST = 200  # awaits in one another; further ones are not followed
_INSIDE = ("FutureIter", "coroutine_wrapper", "anext_awaitable")
_OF_GENERATORS = ("async_generator_asend", "async_generator_athrow")
_AWAITS = ("cr_await", "gi_yieldfrom", "ag_await")
_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_OF_C = (GetSetDescriptorType, MemberDescriptorType)
_PACKAGE = __name__.partition(".")[0] + "."


def _static(thing: Any, names: tuple[str, ...]) -> Any:
    """Return the first of some attributes that an object's class has in C, and that is not `None`."""
    for cls in type.__dict__["__mro__"].__get__(type(thing)):
        space = type.__dict__["__dict__"].__get__(cls)
        for name in names:
            # What is made in C, and what we make ourselves; a property of the program's may do anything.
            if name in space and (is_a(space[name], *_OF_C) or cls.__module__.startswith(_PACKAGE)):
                found = getattr(thing, name, None)
                if found is not None:
                    return found
    return None


def following(part: Any) -> Any:
    """Return what a coroutine, generator or awaitable of Python's own awaits; `None` if that is unknown."""
    kind = type(part)
    if kind is CoroutineType:
        return part.cr_await
    if kind is GeneratorType:
        return part.gi_yieldfrom
    if kind is AsyncGeneratorType:
        return part.ag_await
    name = class_of(part)
    if name in _INSIDE:
        inner = [found for found in gc.get_referents(part) if not is_a(found, type)]
        return inner[0] if inner else None
    if name in _OF_GENERATORS:
        inner = [found for found in gc.get_referents(part) if type(found) is AsyncGeneratorType]
        return inner[0] if inner else None
    return _static(part, _AWAITS)


def frame_of(part: Any) -> FrameType | None:
    """Return the frame of a coroutine or generator."""
    kind = type(part)
    if kind is CoroutineType:
        return part.cr_frame  # type: ignore[no-any-return]
    if kind is GeneratorType:
        return part.gi_frame  # type: ignore[no-any-return]
    found = _static(part, _FRAMES)
    return found if isinstance(found, FrameType) else None


Chain = list[tuple[Any, FrameType | None]]
"""A coroutine and what it awaits, and what that awaits, each with its frame; maybe a future at the end."""


def chain_of(awaitable: Any) -> Chain:
    """Follow what a coroutine awaits."""
    chain: Chain = []
    while awaitable is not None and len(chain) < DEEPEST:
        kind = type(awaitable)
        if kind is CoroutineType:  # nearly all are
            chain.append((awaitable, awaitable.cr_frame))
            awaitable = awaitable.cr_await
        elif kind is _FUTURE or kind is asyncio.Task or is_future(awaitable):
            chain.append((awaitable, None))
            break
        elif class_of(awaitable) == "FutureIter":
            awaitable = following(awaitable)
        else:
            chain.append((awaitable, frame_of(awaitable)))
            awaitable = following(awaitable)
    return chain


_FUTURE = asyncio.Future  # the class that loops make, whatever replaces the name later


def is_future(thing: Any) -> bool:
    """Whether something is a future of asyncio's or of a library's, whatever its attributes do."""
    try:
        return asyncio.isfuture(thing)
    except BaseException:
        return False
