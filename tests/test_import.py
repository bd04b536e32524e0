"""`import task_thread` is light, and gives the names that are promised."""

from __future__ import annotations

from pathlib import Path

from programs import python

import task_thread

HEAVY = ("rich", "IPython", "ipywidgets", "anywidget", "numpy", "task_thread_widgets")


def test_the_names_are_importable() -> None:
    functions = ["reCreate", "reSchedule", "delete", "verbose", "threads"]
    classes = ["TaskThread", "Signal", "TerminateSignal", "CloseSignal", "MessageSignal"]
    for name in [*functions, *classes, "signals"]:
        assert hasattr(task_thread, name)
        assert name in task_thread.__all__


def test_it_imports_nothing_heavy() -> None:
    done = python(f"import sys, task_thread; print([m for m in {HEAVY} if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_it_imports_only_the_standard_library() -> None:
    done = python(
        """
        import sys
        import asyncio
        import task_thread
        tops = {name.partition(".")[0] for name in sys.modules}
        tops = {top for top in tops if not top.startswith("_sysconfigdata")}
        print(sorted(tops - set(sys.stdlib_module_names) - {"task_thread", "__main__"}))
        """,
        "-S",  # without what the environment itself imports at the start
    )
    assert done.stdout == "[]\n", done.stderr


def test_it_needs_hardly_more_of_the_standard_library_than_asyncio_does() -> None:
    """What it costs is measured by the benchmark; this is what makes it cheap."""
    done = python(
        """
        import sys
        import asyncio
        before = set(sys.modules)
        import task_thread
        tops = {name.partition(".")[0] for name in set(sys.modules) - before}
        # Up to Python 3.13 asyncio itself imports `typing`; `gc` is built in, and costs nothing.
        print(sorted(tops - {"task_thread", "__future__", "typing", "_typing", "gc"}))
        """,
        "-S",
    )
    assert done.stdout == "[]\n", done.stderr


def test_it_says_that_it_is_typed() -> None:
    assert Path(task_thread.__file__).with_name("py.typed").exists()
