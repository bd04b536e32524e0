"""The text and class of any object, whatever its own code does when it is asked for them.

A program's own `__str__`, `__repr__`, `__class__` or `getId` may raise anything, `SystemExit` too, recurse
without an end, or return something that is no text. The library needs such texts in the middle of a stop,
or for a display on the loop; so it calls these methods only in this module.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable

LONGEST = 300
"""Characters of a name, a line of code or an error, where a person is shown it."""

_MOST = 10_000  # characters; a longer text is cut, and its length added
_name = type.__dict__["__name__"].__get__  # past a metaclass that says anything else


_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60


def text_of(thing: object, said: Callable[[object], str] = str, instead: str | None = None) -> str:
    """Return `str(thing)`, or a text in its place; never raises.

    Args:
        thing: any object.
        said: `str` or `repr`.
        instead: the text to return if that raises; if `None`, a sentence that names the error.
    """
    try:
        text = str.__str__(said(thing))  # a subclass may say anything else of itself
    except BaseException as error:
        if instead is not None:
            return instead
        return f"<{class_of(thing)}, whose {said.__name__}() raised {class_of(error)}>"
    if len(text) > _MOST:
        return f"{text[:_MOST]}... ({len(text):,} characters)"
    return text


def is_a(thing: object, *kinds: type) -> bool:
    """Return whether an object is of one of some classes, whatever it says of its `__class__`."""
    return issubclass(type(thing), kinds)


def class_of(thing: object) -> str:
    """Return the name of an object's class."""
    name: str = _name(type(thing))
    return name


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, as "1 task" or "2 tasks"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def shown(thing: object) -> str:
    """Return what an error says was found: the class and the `repr`."""
    return f"{class_of(thing)} {text_of(thing, repr)}"


def brief(found: object) -> str:
    """Return a short `repr`, however large the object."""
    return _brief.repr(found)


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text with at most so many characters."""
    text = str.__str__(text)  # a subclass may have a length, and anything else, of its own
    if len(text) <= longest:
        return text
    return text[: longest - 1] + "\u2026"  # an ellipsis; its name would import unicodedata


def describe(error: BaseException | None) -> str:
    """Return an error as "ValueError: text", or an empty string for none."""
    if error is None:
        return ""
    text = text_of(error)
    return f"{class_of(error)}: {text}" if text else class_of(error)


def sendable(text: str) -> str:
    """Return a text that can be encoded: half an emoji, as slicing JSON may leave one, is replaced."""
    text = str.__str__(text)  # a subclass may say anything else of itself
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
