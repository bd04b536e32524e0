"""`python -m task_thread FILE.py`: run a script with a live view of its threads; or replay a recording."""

from __future__ import annotations

import argparse
import logging
import os
import sys

_LEVELS = ("debug", "info", "warning", "error")

_MORE = """\
On a terminal, threads and tasks are shown live below what the program prints. Keys:
  up, down, j, k    select a thread or a task (also PageUp, PageDown, Home, End)
  p                 pause or resume it (a thread: all tasks below it)
  s                 step: one more turn, then pause
  + and -           raise or lower its pace, a ceiling in turns/s
  x                 stop the selected thread
  q                 stop all threads in order, so that the program ends; again: interrupt it
Ctrl-C stops the threads in order, too; a second one interrupts at once. While threads live the keyboard
belongs to the view: run a program that reads it with --plain.

Where stdout is not a terminal, or with --plain, each change of state of a thread is a line on stderr.

python -m task_thread replay FILE shows what --record FILE has recorded. Keys:
  space             play, or stand still
  left, right       the turn before, and the next one (also h, l)
  b, n              the mark before, and the next one: a failure, signal, advice or change of state
  f                 the next failure
  + and -           faster and slower, from 0.1 to 10 times
  home, end         to the beginning and the end
  q                 quit

python -m task_thread replay FILE PAGE.html writes it as one page that plays it, and replay FILE TRACE.json
as Chrome trace events, for ui.perfetto.dev.
"""


def main(argv: list[str] | None = None) -> int:
    """Run what the command line says; return the exit status.

    Args:
        argv: the arguments after `python -m task_thread`; `None` for those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m task_thread",
        description="Run a Python script and watch the TaskThreads that it runs.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--plain", action="store_true", help="no live view and no colours")
    parser.add_argument(
        "--log-level",
        choices=_LEVELS,
        default="info",
        help="from which log lines are shown (info), unless the script configures logging itself",
    )
    parser.add_argument(
        "--record", metavar="FILE", help="record all threads into a file, which `replay FILE` shows"
    )
    parser.add_argument("file", metavar="FILE.py", help="the script; or `replay`, and a recording")
    parser.add_argument(
        "args", metavar="ARGS", nargs=argparse.REMAINDER, help="what it finds in sys.argv[1:]"
    )
    options = parser.parse_args(argv)
    try:
        from .console import replayed, script
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        sys.stderr.write("task_thread: the view needs the package rich: pip install rich\n")
        return 2
    if options.file == "replay" and not os.path.exists("replay"):
        if len(options.args) == 2:
            return replayed.export(*options.args)
        if len(options.args) != 1:
            parser.error("expected `replay FILE` or `replay FILE OUT`, where FILE is a recording")
        return replayed.run(options.args[0], plain=options.plain)
    level = getattr(logging, options.log_level.upper())
    return script.run(
        options.file, options.args, plain=options.plain, level=level, record=options.record
    )


if __name__ == "__main__":
    sys.exit(main())
