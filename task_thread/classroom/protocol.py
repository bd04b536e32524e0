"""The messages between a student and the class: small JSON objects, one a websocket message.

    {"hello": 1, "name": "ann", "key": "...", "session": "...", "of": "", "came": 0, "next": 1}
                                            the first of a connection, by the student; 1 is the version
    {"welcome": 1, "session": "...", "of": "...", "came": 0, "next": 1}        the answer
    {"say": VALUE, "n": 5}                  the fifth that this end says
    {"taken": 5}                            the first five of the other end were taken
    {"bye": "the class is over"}            the last one, with the reason; also in place of a welcome

`session` names the program at that end: another one after a restart. `came` is how many of the other end's
messages have come, if that end is still the one named in `of`; `next` is the number of the oldest message
that may be sent again. What comes is data, never code, and is checked before anybody sees it: what is not
one of these is a `Breach`, and its sender is dropped.
"""

from __future__ import annotations

import hmac
import json
import math
import unicodedata
from typing import Any

from .._core.texts import shown

VERSION = 1
LONGEST = 16_384  # characters of a value as JSON, which is ASCII
LONGEST_MESSAGE = LONGEST + 1000  # bytes; a websocket refuses more before it has read it
LONGEST_NAME = 40
LONGEST_REASON = 500
DEEPEST = 50  # lists and objects within each other: what shows a value walks it by recursion

Message = dict[str, Any]


class Breach(Exception):
    """What came is no message; the text says what was expected and what was found."""


class ClassroomError(RuntimeError):
    """A student was not let in, or is no longer in the class; the text says why."""

    __task_thread_told__ = True  # it says what to do; a traceback of ours would hide that


def pack(**fields: Any) -> str:
    """Return a message as text.

    Raises:
        TypeError: a value is nothing that JSON has.
        ValueError: a value is too long or too deep.
    """
    try:
        text = json.dumps(fields, allow_nan=False, separators=(",", ":"))
        too_deep = _depth(fields) > DEEPEST + 1
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            "expected text, numbers, true, false, None, or lists and dicts of them; "
            f"found {shown(fields.get('say'))}, which can't be sent as JSON ({error})"
        ) from None
    if too_deep or len(text) > LONGEST + 100:
        found = "deeper ones" if too_deep else f"{len(text):,}"
        raise ValueError(
            f"expected at most {LONGEST:,} characters as JSON, and {DEEPEST} lists or dicts within each "
            f"other, found {found}: send less at a time"
        )
    return text


def unpack(frame: str | bytes) -> Message:
    """Return the message that came.

    Raises:
        Breach: it is none.
    """
    if not isinstance(frame, str):
        raise Breach(f"expected a message as text, found {len(frame):,} bytes")
    try:
        message = json.loads(frame, parse_constant=_no_number, parse_float=_float)
        deep = _depth(message) > DEEPEST + 1
    except (ValueError, RecursionError):
        raise Breach(f"expected a JSON object, found {_short(frame)}") from None
    if not isinstance(message, dict):
        raise Breach(f"expected a JSON object, found {_short(frame)}")
    shape = next((shape for verb, shape in _SHAPES.items() if verb in message), None)
    fits = (
        not deep
        and shape is not None
        and message.keys() == shape.keys()
        and all(fit(message[field]) for field, fit in shape.items())
    )
    if not fits:
        raise Breach(
            f'expected a message such as {{"say": "green", "n": 1}}, found {_short(frame)}'
        )
    return message


def checked_name(name: str) -> str:
    """Return a student's name, in the one way to write it.

    Raises:
        ValueError: it is empty, too long, or holds what can't be seen.
    """
    found = unicodedata.normalize("NFC", name).strip() if isinstance(name, str) else ""
    if not found or len(found) > LONGEST_NAME or not found.isprintable():
        raise ValueError(
            f"expected a name of 1 to {LONGEST_NAME} characters that can be seen, found {shown(name)}"
        )
    return found


def same_key(found: str, key: str) -> bool:
    """Return whether two keys are the same, in a time that tells nothing about them."""
    return hmac.compare_digest(
        found.encode("utf-8", "backslashreplace"), key.encode("utf-8", "backslashreplace")
    )


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _depth(value: Any) -> int:
    """Return how many lists and dicts are within each other, up to one more than is allowed."""
    level, depth = [value], 0
    while level and depth <= DEEPEST + 1:
        inside: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inside += one.values()
            elif isinstance(one, (list, tuple)):
                inside += one
        depth += any(isinstance(one, (dict, list, tuple)) for one in level)
        level = inside
    return depth


def _short(frame: str) -> str:
    return repr(frame if len(frame) <= 60 else frame[:60] + "…")


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _text(longest: int) -> Any:
    return lambda value: isinstance(value, str) and len(value) <= longest


_MEETING = {
    "session": _text(40),
    "of": _text(40),
    "came": _count,
    "next": lambda value: _count(value) and value > 0,
}
_SHAPES: dict[str, dict[str, Any]] = {  # by the field that says what it is: what each has to be
    "hello": {"hello": _count, "name": _text(200), "key": _text(200), **_MEETING},
    "welcome": {"welcome": _count, **_MEETING},
    "say": {"say": lambda value: True, "n": _count},
    "taken": {"taken": _count},
    "bye": {"bye": _text(LONGEST_REASON)},
}
