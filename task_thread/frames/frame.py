"""A frame: what changed in a panel since the frame before it, as one message.

Frames are numbered from 1 without a gap, so that a page knows when it missed one and asks for a full
frame. A full frame begins anew: it replaces whatever the page had. Panels draw from frames and do not
care where these come from, a kernel or a recording.

A frame is facts, plain JSON, and columns, arrays of numbers that travel as binary: with a thousand
rows a column costs a tenth of the same numbers in JSON.

The message, as `static/frames.js` reads it:

    {"kind": "frame", "n": 17, "full": false, "at": 12.3, "facts": {...}, "columns": [["turned", "H"]]}

with one buffer for each column, little endian.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Frame:
    """One frame, before it is numbered.

    Attributes:
        full: whether it replaces everything.
        at: the loop's time at which it was taken, in seconds.
        facts: what changed, as JSON.
        columns: what changed, as arrays of numbers, by name.
    """

    full: bool
    at: float
    facts: dict[str, Any]
    columns: dict[str, array[Any]] = field(default_factory=dict)

    def message(self, number: int) -> tuple[dict[str, Any], list[bytes]]:
        """Return the frame as the content and the buffers of a message."""
        buffers = []
        for column in self.columns.values():
            numbers = array(column.typecode, column)
            if sys.byteorder == "big":
                numbers.byteswap()
            buffers.append(numbers.tobytes())
        content = {
            "kind": "frame",
            "n": number,
            "full": self.full,
            "at": round(self.at, 3),
            "facts": self.facts,
            "columns": [[name, column.typecode] for name, column in self.columns.items()],
        }
        return content, buffers
