"""The terminal: trees, a live view, readable tracebacks and log lines. The one part that needs rich.

    from task_thread.console import handler, traceback, tree, watch

`import task_thread` imports none of this.

    words               facts as words, shapes and colours; whatever the program says is shown literally
    tree                one picture of one moment
    tracebacks loglines the user's own frames of an error; log records as lines
    scene rows          the live view as lines: header, columns, keys; which rows are in sight
    steering            what its keys do to the program
    keyboard terminal suspend   reads single keys; paints below what scrolls; Ctrl-Z
    shown               which threads a watch is about
    live plain          a watch on a terminal, and where there is none
    watch script        what starts one: `watch`, and `python -m task_thread`
    replayed            a recording in the live view
"""

from __future__ import annotations

from .loglines import handler
from .tracebacks import traceback
from .tree import tree
from .watch import watch

__all__ = ["handler", "traceback", "tree", "watch"]
