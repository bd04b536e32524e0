"""The threads above and below a thread: the one way to walk a tree.

A child is known by its parent in two ways: it runs and the parent answers for it, or it was added, or both.
Every walk here is iterative, since trees may be deeper than Python's stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .context import life_of

if TYPE_CHECKING:
    from .lifecycle import Life


def children_of(life: Life) -> list[Life]:
    """Return the children of a thread, those that run and those that were added, each once."""
    return list(dict.fromkeys([*life.running_children(), *map(life_of, list(life.children or ()))]))


def walk(*tops: Life) -> Iterator[Life]:
    """Yield threads and all below them, in whatever state: parents first, each once."""
    seen: set[Life] = set()
    stack = [*reversed(tops)]
    while stack:
        life = stack.pop()
        if life not in seen:
            seen.add(life)
            yield life
            stack += reversed(children_of(life))


def walk_live(*tops: Life) -> Iterator[Life]:
    """Yield threads and all below them that live on the loop of their parents: level by level."""
    found = list(tops)
    for life in found:
        yield life
        found += life.below()  # grows while it is walked


def root_of(life: Life) -> Life:
    """Return the topmost guardian of a thread; the thread itself if it has none."""
    while life.guardian is not None:
        life = life.guardian
    return life


def is_below(life: Life | None, top: Life) -> bool:
    """Whether a thread is `top`, or a child of it, or a child's child."""
    while life is not None and life is not top:
        life = life.parent
    return life is not None
