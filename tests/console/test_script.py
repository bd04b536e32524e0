"""`python -m task_thread FILE.py` without a terminal: as plain Python, and the states besides."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import environment

CLOCK = re.compile(r"^\d\d:\d\d:\d\d ", re.MULTILINE)
Write = Callable[..., str]

PROGRAM = """
    import asyncio
    from task_thread import TaskThread, reCreate, reSchedule

    class Counter(TaskThread):
        def initVars__(self):
            self.count = 0

        async def enter__(self):
            self.tasks.tick = await reCreate(None, self.tick__)

        def getId(self):
            return "counter"

        async def tick__(self):
            await asyncio.sleep(0)
            self.count += 1
            self.logger.info("counted %d", self.count)
            if self.count == 2:
                await self.stop()
            self.tasks.tick = await reSchedule(self.tick__)

    asyncio.run(Counter().run())
    print("done")
"""


def run(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "task_thread", *args],
        env={**environment(), "PYTHONIOENCODING": "utf-8", **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=cwd,
        check=False,
    )


def test_the_states_the_log_and_the_tree_are_written_to_stderr(script: Write) -> None:
    done = run(script(PROGRAM))
    assert done.returncode == 0
    assert done.stdout == "done\n"
    assert CLOCK.sub("", done.stderr) == (
        "counter starting\n"
        "counter running\n"
        "INFO    counter tick: counted 1\n"
        "INFO    counter tick: counted 2\n"
        "counter stopping\n"
        "counter stopped\n"
        "■ counter stopped\n"
        "└── ✓ tick done, 2 turns\n"
    )
    assert "\x1b" not in done.stderr


def test_log_lines_can_be_left_out(script: Write) -> None:
    done = run("--log-level", "warning", script(PROGRAM))
    assert "counted" not in done.stderr
    assert "counter stopped" in done.stderr


def test_the_scripts_own_logging_is_as_without_us(script: Write) -> None:
    text = "import logging, sys\nlogging.basicConfig(format='MINE %(message)s', stream=sys.stdout, level=20)"
    done = run(
        script(
            PROGRAM.replace(
                "    import asyncio",
                f"    {text}".replace("\n", "\n    ") + "\n    import asyncio",
                1,
            )
        )
    )
    assert done.stdout == "MINE counted 1\nMINE counted 2\ndone\n", done.stderr
    assert "counted" not in done.stderr


def test_a_script_is_main_with_its_arguments_and_its_folder(script: Write, tmp_path: Path) -> None:
    script("NAME = 'beside'", "beside.py")
    path = script(
        """
        import os, sys, pickle, __main__
        from beside import NAME

        class Kept: ...

        assert __main__.Kept is Kept is type(pickle.loads(pickle.dumps(Kept())))
        assert __builtins__.print is print
        print(__name__, os.path.join(os.getcwd(), sys.argv[0]) == __file__, sys.argv[1:], NAME, __spec__)
        """
    )
    done = run(path, "--plain", "-x", "a b")
    assert done.stdout == "__main__ True ['--plain', '-x', 'a b'] beside None\n", done.stderr
    assert done.stderr == ""
    relative = run("script.py", "1", cwd=tmp_path)
    assert relative.stdout == "__main__ True ['1'] beside None\n", relative.stderr


@pytest.mark.parametrize(
    ("last", "status", "stderr"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('a reason')", 1, "a reason\n"),
        ("raise SystemExit(None)", 0, ""),
        ("import atexit; atexit.register(print, 'at exit')", 0, ""),
    ],
)
def test_the_exit_status_is_the_scripts(script: Write, last: str, status: int, stderr: str) -> None:
    done = run(script(f"import sys\n{last}\n"))
    assert (done.returncode, done.stderr) == (status, stderr)
    assert done.stdout == ("at exit\n" if "atexit" in last else "")


def test_a_traceback_begins_with_the_scripts_line(script: Write) -> None:
    path = script("def f():\n    raise ValueError('[red]no')\nf()\n")
    done = run(path)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if set(line) - set(" ^~")]
    assert lines == [
        "Traceback (most recent call last):",
        f'  File "{path}", line 3, in <module>',
        "    f()",
        f'  File "{path}", line 2, in f',
        "    raise ValueError('[red]no')",
        "ValueError: [red]no",
    ]


def test_the_exit_status_is_the_scripts_whatever_its_error_does(script: Write) -> None:
    path = script(
        """
        class Odd(Exception):
            def __str__(self):
                raise SystemExit(9)
            @property
            def __cause__(self):
                raise KeyboardInterrupt
            @property
            def __traceback__(self):
                raise SystemExit(8)
            def with_traceback(self, traceback):
                raise SystemExit(7)
            @property
            def __class__(self):
                raise SystemExit(6)
        raise Odd
        """
    )
    done = run(path)
    assert done.returncode == 1
    assert "raise Odd" in done.stderr
    assert "Odd, whose str() raised SystemExit" in done.stderr


def test_an_error_of_a_thread_is_the_programs(script: Write) -> None:
    path = script(PROGRAM.replace("self.tasks.tick = await reCreate", "raise KeyError('k')", 1))
    path = script(
        """
        import asyncio
        from task_thread import TaskThread

        class Bad(TaskThread):
            async def enter__(self):
                raise KeyError("k")

        asyncio.run(Bad().run())
        """
    )
    done = run(path)
    assert done.returncode == 1
    last = done.stderr.rpartition("Traceback")[2]
    assert 'raise KeyError("k")' in last
    assert "lifecycle.py" not in last
    assert "runners.py" not in last
    assert last.endswith("KeyError: 'k'\n")


def test_a_hook_of_the_scripts_own_is_called(script: Write) -> None:
    done = run(
        script(
            """
            import sys, traceback
            def hook(kind, error, where):
                print("hook", kind.__name__, error, [f.name for f in traceback.extract_tb(where)])
            sys.excepthook = hook
            1 / 0
            """
        )
    )
    assert done.returncode == 1
    assert done.stdout == "hook ZeroDivisionError division by zero ['<module>']\n"
    assert done.stderr == ""


def test_keyboard_interrupt_is_the_status_of_an_interrupt(script: Write) -> None:
    done = run(script("raise KeyboardInterrupt"))
    assert done.returncode == -signal.SIGINT
    assert done.stderr == "interrupted\n"


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    done = run("nowhere.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"task_thread: expected a Python file, found no file nowhere.py in {tmp_path}\n"
    )


def test_a_directory_is_said(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == (
        f"task_thread: expected a Python file, found the directory {tmp_path}: name a file in it\n"
    )


def test_binary_data_is_said(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\0\0")
    done = run(str(path))
    assert done.returncode == 2
    assert done.stderr == (
        f"task_thread: expected the source of a Python program, found binary data in {path}\n"
    )


def test_text_of_another_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes("print('ä')".encode("latin-1"))
    done = run(str(path))
    assert done.returncode == 2
    assert done.stderr.startswith("task_thread: expected the source of a Python program, found in")
    assert done.stderr.count("\n") == 1


def test_an_encoding_that_is_declared_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes("# coding: latin-1\nprint('ä')".encode("latin-1"))
    assert run(str(path)).stdout == "ä\n"


def test_a_syntax_error_shows_its_line_and_nothing_of_ours(script: Write) -> None:
    path = script("x = 1\ny = (\n")
    done = run(path)
    assert done.returncode == 1
    assert f'File "{path}", line 2' in done.stderr
    assert "task_thread" not in done.stderr.replace(path, "")
    assert done.stderr.endswith("SyntaxError: '(' was never closed\n")


def test_without_a_file_the_usage_is_said() -> None:
    done = run()
    assert done.returncode == 2
    assert "usage: python -m task_thread" in done.stderr
    assert "FILE.py" in done.stderr


def test_help_tells_the_keys() -> None:
    done = run("--help")
    assert done.returncode == 0
    for part in ("--plain", "--log-level", "pause or resume", "stop the selected thread", "Ctrl-C"):
        assert part in done.stdout


def test_without_rich_it_says_what_to_install(script: Write, tmp_path: Path) -> None:
    broken = tmp_path / "no_rich"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import sys\nsys.modules['rich'] = None\n")
    env = environment()
    done = run(script("print(1)"), PYTHONPATH=f"{broken}:{env['PYTHONPATH']}")
    assert done.returncode == 2
    assert done.stderr == "task_thread: the view needs the package rich: pip install rich\n"


def test_a_program_on_another_os_thread_is_awaited(script: Write) -> None:
    text = PROGRAM.replace("asyncio.run(Counter().run())", "import threading").replace(
        'print("done")',
        "threading.Thread(target=lambda: asyncio.run(Counter().run())).start()",
    )
    done = run(script(text))
    assert done.returncode == 0
    assert "counter stopped\n└── ✓ tick done, 2 turns\n" in done.stderr


def test_each_run_is_told_and_the_tree_once(script: Write) -> None:
    text = PROGRAM.replace("print(", "asyncio.run(Counter().run())\n    print(")
    done = run(script(text))
    assert done.stderr.count("counter running") == 2
    assert CLOCK.sub("", done.stderr).count("2 threads have ended\n") == 1


def test_processes_that_the_script_spawns_find_it(script: Write) -> None:
    path = script(
        """
        import multiprocessing

        def work(number):
            return number + 1

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, [1, 2]))
        """
    )
    done = run(path)
    assert done.stdout == "[2, 3]\n", done.stderr


def test_paths_are_absolute_in_a_script_and_its_arguments_as_given(
    script: Write, tmp_path: Path
) -> None:
    (tmp_path / "prog").mkdir()
    text = """
        import inspect, os, sys

        def f(): ...

        print(__file__, sys.argv, sys.path[0], f.__code__.co_filename, type(__loader__).__name__)
        os.chdir(os.sep)
        print(inspect.getsource(f), open(__file__).read()[:1] == "\\n")
        1 / 0
    """
    script(text, "prog/p.py")
    ours = run("--plain", "prog/p.py", "a", cwd=tmp_path)
    alone = subprocess.run(
        [sys.executable, "prog/p.py", "a"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ours.stdout == alone.stdout
    assert "1 / 0" in ours.stderr


BROKEN = """
    import asyncio, sys
    from task_thread import TaskThread

    class Root(TaskThread):
        async def enter__(self):
            self.logger.info("told")
            await self.stop()

    asyncio.run(Root().run())
    {last}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell's redirections")
@pytest.mark.parametrize(
    "redirected", ["2>/dev/full", "2>&-", ">&- 2>&-", ">/dev/full", "2> >(exec true)"]
)
@pytest.mark.parametrize(
    ("last", "status"),
    [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1), ("sys.stderr = None", 0)],
)
def test_streams_that_fail_do_not_change_the_exit_status(
    script: Write, redirected: str, last: str, status: int
) -> None:
    if "full" in redirected and not Path("/dev/full").exists():
        pytest.skip("no such device here")
    path = script(BROKEN.replace("{last}", last))
    done = subprocess.run(
        ["bash", "-c", f'"$0" -m task_thread "$1" {redirected}', sys.executable, path],
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == status


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "cp037"])
def test_streams_of_any_encoding_do_not_change_the_exit_status(
    script: Write, encoding: str
) -> None:
    path = script(BROKEN.replace("told", "t\u00f8ld \u20ac").replace("{last}", "sys.exit(3)"))
    done = subprocess.run(
        [sys.executable, "-m", "task_thread", path],
        env={**environment(), "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3


def test_colours_that_are_forced_make_no_terminal_of_a_pipe(script: Write) -> None:
    done = run(script(PROGRAM), FORCE_COLOR="1")
    assert done.returncode == 0
    assert "\x1b[?25l" not in done.stdout + done.stderr
    assert "done" in done.stdout
    assert "\x1b[32m" in done.stderr  # log lines have the colours that were asked for


def test_plain_has_no_colours_whatever_is_forced(script: Write) -> None:
    text = PROGRAM + "\n    raise ValueError('[red]at last')"
    done = run("--plain", script(text), FORCE_COLOR="1")
    assert "counted 2" in done.stderr
    assert "[red]at last" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_plain_has_no_colours_on_a_terminal(script: Write, terminal: Callable[..., Any]) -> None:
    text = PROGRAM + "\n    raise ValueError('at last')"
    screen = terminal("-m", "task_thread", "--plain", script(text))
    assert screen.end() == 1
    assert "counted 2" in screen.text
    assert "\x1b" not in screen.raw


def test_no_color_leaves_a_terminal_without_colours(
    script: Write, terminal: Callable[..., Any]
) -> None:
    screen = terminal(
        "-c",
        f"""
import os, runpy, sys
os.environ["NO_COLOR"] = "1"
sys.argv = ["task_thread", {script(PROGRAM)!r}]
runpy.run_module("task_thread", run_name="__main__")
""",
    )
    assert screen.end() == 0
    assert "counted 2" in screen.text
    assert not re.search(r"\x1b\[[0-9;]*\b3[0-7]m", screen.raw)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_that_exits_says_nothing_of_its_parents_threads(script: Write) -> None:
    fork = "import os, sys\nif os.fork() == 0:\n    sys.exit(0)\nos.wait()\n"
    done = run(script(PROGRAM + textwrap.indent(fork, "    ")))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\u25a0 counter stopped") == 1
