"""Make the reference of the public names from their docstrings.

    python docs/reference/make.py docs/api     (make docs calls it)

Needs the extra `docs`. What pdoc warns of, a type that can't be found, say, ends it with an error. Modules
that are not named here are the inside of the library.
"""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

import pdoc

import task_thread.thread

PAGES = (
    "task_thread",
    "!task_thread\\.",  # those below it come in this order
    "task_thread.signals",
    "task_thread.control",
    "task_thread.snapshot",
    "task_thread.states",
    "task_thread.recording",
    "task_thread.testing",
    "task_thread.lesson",
    "task_thread.coach",
    "task_thread.coach.advice",
    "task_thread.console",
    "task_thread.classroom",
    r"!task_thread\.(testing|console|lesson|classroom)\.",  # functions are named as their modules
    "task_thread_widgets",
)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/reference/make.py FOLDER")
    folder = Path(sys.argv[1])
    show_properties()
    warnings.simplefilter("error", UserWarning)
    warnings.simplefilter("error", RuntimeWarning)
    pdoc.render.configure(
        docformat="google",
        show_source=False,
        footer_text="task_thread",
        template_directory=Path(__file__).parent,
    )
    shutil.rmtree(folder, ignore_errors=True)
    pdoc.pdoc(*PAGES, output_directory=folder)
    print(f"made {folder / 'index.html'}")


def show_properties() -> None:
    """Let `thread.tasks`, and properties that a program may replace, be shown as what they are."""
    cls = task_thread.thread.TaskThread
    del cls.tasks  # stands for it until the constructor has run; its annotation says what it is
    for name, value in list(vars(cls).items()):
        get = getattr(value, "_get", None)
        if get is not None:
            setattr(cls, name, property(get))


if __name__ == "__main__":
    main()
