"""Run a Python file as `__main__`, as `python FILE.py` would, with a watch of the threads it runs.

The script needs no change: its own `asyncio.run(...)` runs them, and the watch finds them. Its arguments,
its folder on `sys.path`, its exit status and its `sys.excepthook` are as without us; a traceback begins
with the script's own line.
"""

from __future__ import annotations

import asyncio
import builtins
import io
import logging
import os
import signal
import sys
import threading
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from rich.console import Console

from .. import coach
from .._core import log, os_signals
from .._core.context import life_of
from .._core.lines import traceback_of
from .._core.registry import threads
from .._core.texts import is_a, text_of
from ..control import Control
from ..recording import Recorder
from ..recording import recorder as recorders
from .loglines import LineFormatter, _stderr, plain_stderr
from .tracebacks import plain_traceback, traceback
from .watch import Watch
from .words import Unwritten, literal, write

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


class NoScript(Exception):
    """What was given can't be run; its text is a sentence for the person who gave it."""


def compiled(path: str) -> CodeType:
    """Return the code of a file.

    Raises:
        NoScript: it is no file that can be read as Python's source.
        SyntaxError: it is not Python, or has an error.
    """
    if os.path.isdir(path):
        raise NoScript(f"expected a Python file, found the directory {path}: name a file in it")
    try:
        with io.open_code(_full(path)) as file:
            source = file.read()
    except FileNotFoundError:
        raise NoScript(f"expected a Python file, found no file {path} in {os.getcwd()}") from None
    except OSError as error:
        raise NoScript(f"{path} can't be read: {error.strerror or error}") from None
    if b"\0" in source:
        raise NoScript(f"expected the source of a Python program, found binary data in {path}")
    try:
        return compile(source, _full(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        if error.lineno is None or "codec" in str(error) or "utf-8" in str(error).lower():
            raise NoScript(
                f"expected the source of a Python program, found in {path}: {error.msg}"
            ) from None
        raise
    except ValueError as error:  # what can't be decoded, on some versions
        raise NoScript(
            f"expected the source of a Python program, found in {path}: {error}"
        ) from None


def run(
    path: str,
    args: list[str],
    *,
    plain: bool = False,
    level: int = logging.INFO,
    record: str | None = None,
) -> int:
    """Run a script to its end, with a watch of its threads.

    Args:
        path: of the file.
        args: what the script finds in `sys.argv[1:]`.
        plain: whether to write plain lines even on a terminal.
        level: from which log lines are shown, unless the script says otherwise.
        record: the path of a file into which all its threads are recorded; `None` for none.

    Returns:
        The exit status.

    Raises:
        SystemExit: the script exited.
        KeyboardInterrupt: it was interrupted; nothing is to be printed any more.
    """
    try:
        code = compiled(path)
    except NoScript as error:
        write(sys.stderr, f"task_thread: {literal(str(error))}\n")
        return 2
    except SyntaxError as error:
        tell(error.with_traceback(None), plain)
        return 1
    recorder: Recorder | None = None
    if record is not None:
        try:
            recorder = recorders.record(None, record)
        except OSError as error:
            write(sys.stderr, f"task_thread: nothing can be recorded: {literal(str(error))}\n")
            return 2
    module = _become_main(path, args)
    _show_log(level, plain)

    watch = Watch(plain=plain, quit_program=_Quit(), again=True)
    failed: BaseException | None = None
    coach.watch()
    try:
        with watch:
            exec(code, module.__dict__)
            _join_os_threads()
    except SystemExit:
        raise
    except BaseException as error:
        failed = error  # its class may say anything of its attributes
        BaseException.with_traceback(failed, _scripts_own(traceback_of(failed)))
    finally:
        if recorder is not None:
            recorder.stop()
            if not plain:
                write(sys.stderr, f"{literal(repr(recorder))}\n")
    if failed is None:
        return 0
    if is_a(failed, asyncio.CancelledError) and not text_of(failed):
        failed.__suppress_context__ = True
    hook = sys.excepthook
    if hook is not sys.__excepthook__:  # the script's own
        hook(type(failed), failed, traceback_of(failed))
    elif is_a(failed, KeyboardInterrupt):
        write(sys.stderr, "interrupted\n")
    else:
        tell(failed, plain)
    if is_a(failed, KeyboardInterrupt):
        # Python itself then ends with the status that tells a shell of an interrupt.
        sys.excepthook = _say_nothing
        raise failed
    return 1


def tell(error: BaseException, plain: bool = False) -> None:
    """Write the traceback of an error to stderr."""
    stream = sys.stderr
    unwritten: Any = Unwritten(stream)
    console = Console(file=unwritten)
    if plain or not console.is_terminal:
        write(stream, plain_traceback(error) + "\n")
    else:
        with console.capture() as captured:
            console.print(traceback(error))
        write(stream, captured.get())


def _become_main(path: str, args: list[str]) -> ModuleType:
    module = ModuleType("__main__")
    facts: dict[str, Any] = {
        "__file__": _full(path),
        "__loader__": SourceFileLoader("__main__", _full(path)),
        "__cached__": None,
        "__builtins__": builtins,  # the module; in any other than `__main__` it is its namespace
    }
    module.__dict__.update(facts)
    sys.modules["__main__"] = module
    sys.argv[:] = [path, *args]
    # `python -m` put the current folder first, or nothing at all if told so by -P.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0:1] = [os.path.dirname(os.path.realpath(path))]
    return module


def _full(path: str) -> str:
    """Return the path as `python` gives it to a script: a later `chdir` does no harm to it."""
    return os.path.join(os.getcwd(), path)


def _show_log(level: int, plain: bool) -> None:
    """Let the lines of threads' loggers be seen, as long as the script configures nothing itself.

    No handler is added: `logging.basicConfig` would then do nothing in the script.
    """
    logging.getLogger().setLevel(level)
    log.last_resort.setFormatter(LineFormatter(plain_stderr if plain else _stderr))
    log.last_resort.write = lambda text: write(sys.stderr, text)


class _Quit:
    """The key `q`: first stops the threads in order, then interrupts."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> str:
        roots = [life for life in map(life_of, threads()) if life.live]
        if roots and not self._asked:
            self._asked = True
            for root in roots:
                Control(root).stop()
            # Where the threads take Ctrl-C, this is the first one, so that the next one interrupts.
            if signal.getsignal(signal.SIGINT) is os_signals._came:
                _interrupt()
            return "stopping all threads in order; q again interrupts the program"
        _interrupt()
        return "interrupting the program"


def _interrupt() -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def _join_os_threads() -> None:
    """Wait for the OS threads that Python itself would wait for after the script's last line."""
    for other in threading.enumerate():
        if other is not threading.current_thread() and not other.daemon:
            other.join()


def _scripts_own(found: TracebackType | None) -> TracebackType | None:
    while found is not None and found.tb_frame.f_code.co_filename.startswith(_OWN):
        found = found.tb_next
    return found


def _say_nothing(*error: object) -> None:
    """Take the place of `sys.excepthook` where all has been said."""
