"""What may stand in a recording: kinds, sizes and numbers of everything that a reader hands on.

Whoever made the file: a text stays a text of bounded length, a number a finite one, a list has the
length that its readers expect. What is not expected is left away; what does not fit ends the reading
with a sentence. So neither the page nor the terminal has to check anything again.

A shape is a type (`float` takes whole numbers as well), a list of one shape, a dict of optional fields, a
`Row`: a list of fixed length whose last items may be missing; or `Maybe`: a shape or one other value.
"""

from __future__ import annotations

import json
import math
from array import array
from typing import Any, NamedTuple

from .._core.texts import brief

LONGEST = 20_000  # characters of a text
MOST_ITEMS = 50_000  # of a list
_LARGEST = 2**53  # up to there a page counts exactly
_MOST_NODES = 100  # of a graph, which is laid out in a time that grows faster than it
_MOST_ARROWS = 10_000
_MOST_ADVICE = 1_000  # each of which is a piece of the page, in sight or not
_MOST_CELLS = 2_000_000  # numbers in the columns of one frame


class Unsound(Exception):
    """What was read does not fit; its text says what was found, for the end of a sentence."""


class Row(NamedTuple):
    """A list of fixed length.

    Attributes:
        shapes: of its items.
        most_missing: how many of the last ones may be missing.
    """

    shapes: tuple[Any, ...]
    most_missing: int = 0


class Maybe(NamedTuple):
    """A shape, or one value in its place."""

    shape: Any
    instead: Any


def _row(*shapes: Any, most_missing: int = 0) -> Row:
    return Row(shapes, most_missing)


_TREE_ROW = {
    "row": int, "of": int, "serial": int, "name": str, "class": str, "info": str, "state": str,
    "error": str, "worker": str, "code": int, "queues": [int], "held": bool, "pace": float, "at": int,
    "turns": int, "fast": bool, "waits": str, "cancelled": str, "stopped": str,
    "plain": Maybe(_row([_row(int, str, int, str, str)], int), None),
}  # fmt: skip
_ADVICE = {
    "n": int, "kind": str, "text": str, "where": str, "source": str, "thread": str, "slot": str,
    "times": int, "first": float, "last": float, "code": _row(str, int),
}  # fmt: skip
_LANE = {
    "lane": int, "of": int, "kind": str, "serial": int, "name": str, "state": str, "started": float,
}  # fmt: skip
_WHO = _row(str, str)
_CALL = _row(str, int, str, bool)
_SOURCE = {"title": str, "first": int, "lines": [str], "name": str, "file": str}

HEADER = {
    "version": int,
    "cut": float,
    "about": {"name": str, "began": str, "python": str, "product": str, "note": str},
}
SOURCE = _row(str, _SOURCE)
TICK = {
    "at": float,
    "frames": [_row(str, dict, [int])],
    "marks": [_row(float, str, int, str, str)],
    "turns": int,
    "lost": int,
    "unmarked": int,
    "unseen": int,
    "hidden": int,
    "coarse": int,
    "past": _row(float, [float]),
}
_FRAME = {
    "kind": str, "n": int, "full": bool, "at": float, "facts": dict, "columns": [_row(str, str)],
}  # fmt: skip
_FACTS: dict[str, dict[str, Any]] = {
    "tree": {
        "add": [_TREE_ROW],
        "set": [_row(int, _TREE_ROW)],
        "gone": [int],
        "places": [_row(int, int, str, str, str)],
        "more": int,
        "lag": float,
    },
    "timeline": {
        "add": [_LANE],
        "set": [_row(int, _LANE)],
        "gone": [int],
        "lanes": [int],
        "since": float,
        "back": [_row(int, float, int, int)],
        "marks": [_row(float, int, str, str)],
        "stands": [_row(int, int, float, most_missing=1)],
        "places": [_row(int, int, str)],
        "signals": [_row(Maybe(float, None), float, int, int, str, str, int)],
        "stalls": [_row(float, float, int)],
        "wakes": [_row(float, int, int)],
        "hidden": {"marks": int, "signals": int, "lost": int},
        "wall": float,
        "tick": int,
        "more": int,
        "away": int,
    },
    "log": {
        "lines": [
            _row(
                int, float, int, str, int, str, str, str,
                Maybe([_row(str, [_row(str, int, str, str, bool)])], 0),
            )
        ],
        "added": int,
        "dropped": int,
    },
    "signals": {
        "threads": [_row(int, str, str, str, int)],
        "edges": [_row(int, int, int)],
        "gone": [int],
        "counts": [_row(int, int, int, int, int, int)],
        "signals": [
            _row(
                int, int, int, str, str, str, float, Maybe(float, None), int, int, float, int,
                most_missing=4,
            )
        ],
        "rate": int,
        "missed": int,
        "more": int,
        "clock": float,
    },
    "waits": {
        "things": [
            {
                "name": str, "kind": str, "how": str, "filled": int, "size": int, "holders": [_WHO],
                "by": [_WHO], "waiters": int, "since": float, "red": bool,
            }
        ],
        "nodes": [_row(str, str, str, bool)],
        "arrows": [_row(int, int, str, bool)],
        "waiting": int,
        "more": int,
        "red": int,
    },
    "waiting": {
        "new": [
            _row(
                int, str, int, int, str, str, str, _row(str, str, int, int, int), str, [str], float,
                Maybe(float, None), str, int, str,
            )
        ],
        "gone": [int],
        "plain": [_row(int, str, int, str, str, bool, str, int, str, int)],
        "ended": [int],
    },
    "advice": {"add": [_ADVICE], "set": [_row(int, _ADVICE)], "gone": [int], "more": int},
    "code": {
        "stands": [_row(int, str, int, str, [_CALL])],
        "tasks": [_row(int, {"stand": int, "serial": int, "cofunc": str, "aliases": [str], "made": str})],
        "threads": [_row(int, {"started": float, "child": int})],
        "lines": [_row(int, str, int)],
        "stops": [_row(int, int, int, [_row(int, int, int)])],
    },
}  # fmt: skip
_COLUMNS = {
    "tree": {"turned": "H", "of": "I"},
    "timeline": {
        "lane": "I", "size": "H", "turns": "I", "form": "B", "when": "f", "what": "B", "tick": "H",
        "count": "H", "busy": "H", "after": "B",
    },
}  # fmt: skip


def parsed(raw: bytes, shape: Any) -> Any:
    """Return what JSON says, in a shape.

    Raises:
        Unsound: it is no JSON, or does not fit.
    """
    try:
        found = json.loads(raw, parse_constant=_no_number)
    except RecursionError:
        raise Unsound("a record is nested too deeply") from None
    except ValueError:  # of JSON, of UTF-8, or a number of too many digits
        raise Unsound("a record is no JSON") from None
    return fitting(found, shape)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def fitting(value: Any, shape: Any) -> Any:
    """Return a value with what its shape has of it.

    Raises:
        Unsound: it does not fit.
    """
    kind = type(value)
    if shape is float:
        if kind in (int, float) and -_LARGEST <= value <= _LARGEST:
            return value
    elif shape is int:
        if kind is int and -_LARGEST <= value <= _LARGEST:
            return value
    elif shape is str:
        if kind is str and len(value) <= LONGEST:
            return value if value.isascii() else _whole(value)
    elif isinstance(shape, type):
        if kind is shape:
            return value
    elif isinstance(shape, list):
        if kind is list and len(value) <= MOST_ITEMS:
            return [fitting(item, shape[0]) for item in value]
    elif isinstance(shape, dict):
        if kind is dict:
            return {name: fitting(value[name], of) for name, of in shape.items() if name in value}
    elif isinstance(shape, Maybe):
        same = kind is type(shape.instead) and value == shape.instead
        return value if same else fitting(value, shape.shape)
    elif kind is list and len(shape.shapes) - shape.most_missing <= len(value) <= len(shape.shapes):
        return [fitting(item, of) for item, of in zip(value, shape.shapes, strict=False)]
    raise Unsound(f"expected {_said(shape)}, found {brief(value)}")


def _whole(text: str) -> str:
    """Return a text that can be encoded: JSON may say half of a surrogate pair."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _said(shape: Any) -> str:
    if isinstance(shape, type):
        return {int: "a whole number", float: "a number", str: "a text"}.get(shape, shape.__name__)
    if isinstance(shape, Maybe):
        return f"{_said(shape.shape)}, or {shape.instead}"
    return "an object" if isinstance(shape, dict) else "a list of certain items"


def frames(found: list[Any], raw: bytes) -> list[tuple[str, dict[str, Any], list[bytes]]]:
    """Return the frames of a tick: panel, content and buffers; those of unknown panels are left away.

    Raises:
        Unsound: one does not fit.
    """
    checked = []
    at = 0
    for panel, content, lengths in found:
        buffers = []
        for length in lengths:
            if not 0 <= length <= len(raw) - at:
                raise Unsound("a column is longer than its record")
            buffers.append(raw[at : at + length])
            at += length
        if panel not in _FACTS:
            continue
        frame = fitting(content, _FRAME)
        if frame.get("kind") != "frame" or {"n", "full", "at", "facts", "columns"} - frame.keys():
            raise Unsound(f"expected a frame, found {brief(content)}")
        frame["facts"] = fitting(frame["facts"], _FACTS[panel])
        if panel == "waits":
            _check_graph(frame["facts"])
        if panel == "advice" and len(frame["facts"].get("add", ())) > _MOST_ADVICE:
            raise Unsound(f"it has more than {_MOST_ADVICE:,} advices at once")
        _check_columns(panel, frame["columns"], buffers)
        checked.append((panel, frame, buffers))
    return checked


def _check_graph(facts: dict[str, Any]) -> None:
    if facts.keys() != _FACTS["waits"].keys():
        raise Unsound("a frame of the waits is not whole")
    nodes = len(facts["nodes"])
    if nodes > _MOST_NODES or len(facts["arrows"]) > _MOST_ARROWS:
        raise Unsound("a graph has too many nodes or arrows")
    if not all(0 <= end < nodes for arrow in facts["arrows"] for end in arrow[:2]):
        raise Unsound("an arrow leads nowhere")


def _check_columns(panel: str, columns: list[list[str]], buffers: list[bytes]) -> None:
    known = _COLUMNS.get(panel, {})
    if len(columns) != len(buffers):
        raise Unsound("a frame has columns without names")
    lengths: dict[str, int] = {}
    for (name, code), buffer in zip(columns, buffers, strict=True):
        if known.get(name) != code or name in lengths:
            raise Unsound(f"a column {brief(name)} is not known")
        items = array(code)
        if len(buffer) % items.itemsize or len(buffer) // items.itemsize > _MOST_CELLS:
            raise Unsound("a column has half an item, or too many")
        lengths[name] = len(buffer) // items.itemsize
        if code == "f" and not all(map(math.isfinite, read_column(code, buffer))):
            raise Unsound("a column has what is no number")
    if panel == "timeline":
        named = {name: buffer for (name, _), buffer in zip(columns, buffers, strict=True)}
        sizes, forms = (read_column(known[n], named.get(n, b"")) for n in ("size", "form"))
        of = {True: 0, False: 0}
        for size, form in zip(sizes, forms, strict=False):
            of[bool(form)] += size
        for names, length in (
            (("lane", "turns", "form", "size"), len(sizes)),
            (("when", "what"), of[False]),
            (("tick", "count", "busy", "after"), of[True]),
        ):
            if any(lengths.get(name, 0) != length for name in names):
                raise Unsound("the columns of a frame don't fit together")


def read_column(code: str, buffer: bytes) -> array[Any]:
    """Return the numbers of a column; they are little endian."""
    numbers = array(code)
    numbers.frombytes(buffer)
    if _SWAPS:
        numbers.byteswap()
    return numbers


_SWAPS = array("H", [1]).tobytes()[0] != 1
