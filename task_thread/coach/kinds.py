"""The table of the kinds of advice, in the order in which they are asked.

A new one is a file like `swallowed.py`, which listens to a probe of the core, or `queue.py`, which looks at
the threads in turn; a line here; and a row in README's table.
"""

from __future__ import annotations

from . import (
    awaits,
    blocked,
    deadlock,
    ended,
    escaped,
    exit,
    lost,
    not_added,
    not_run,
    queue,
    race,
    rate,
    recreate,
    reschedule,
    same_id,
    sequential,
    short_block,
    swallowed,
)

RULES = (
    blocked.RULE,
    rate.RULE,
    awaits.RULE,
    recreate.RULE,
    reschedule.RULE,
    ended.RULE,
    escaped.RULE,
    swallowed.RULE,
    exit.RULE,
    not_added.RULE,
    not_run.RULE,
    same_id.RULE,
    queue.RULE,
    deadlock.RULE,
    lost.RULE,
    race.RULE,
    sequential.RULE,
    short_block.RULE,
)
