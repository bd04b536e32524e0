"""What a page may not ask, and the checks of what it says.

A page is not trusted: anybody who can open the notebook can send anything over a comm. What does not
fit is refused with a sentence, is logged, and changes nothing.
"""

from __future__ import annotations

import reprlib
from typing import Any

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60


class Refusal(Exception):
    """A message of the page that does not fit; its text says what was expected and found."""


def brief(found: object) -> str:
    """Return a short `repr`, however large the object."""
    return _brief.repr(found)


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
