"""The terminal: trees, a live view, readable tracebacks and log lines. The one part that needs rich.

    from task_thread.console import handler, traceback, tree, watch

`import task_thread` imports none of this.
"""

from __future__ import annotations

from .loglines import handler
from .tracebacks import traceback
from .tree import tree
from .watch import watch

__all__ = ["handler", "traceback", "tree", "watch"]
