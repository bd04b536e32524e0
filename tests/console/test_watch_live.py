"""The live view on a pseudo-terminal: it follows, obeys keys, and gives the terminal back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import environment

Start = Callable[..., Any]
Write = Callable[..., str]

CLOCK = """
    import asyncio, sys
    from task_thread import TaskThread, reCreate, reSchedule

    class Clock(TaskThread):
        def initVars__(self):
            self.count = 0

        async def enter__(self):
            self.tasks.tick = await reCreate(None, self.tick__)

        def getId(self):
            return "clock"

        async def tick__(self):
            await asyncio.sleep(0.02)
            self.count += 1
            self.tasks.tick = await reSchedule(self.tick__)
"""
MAIN = CLOCK + "\n    asyncio.run(Clock().run())\n    print('the end', flush=True)\n"
AWAIT = (
    CLOCK
    + """
    from task_thread.console import watch

    async def main():
        clock = Clock()
        clock.start()
        await watch(clock)
        print("watched", clock.state, flush=True)
        await clock.stop()
        await clock.join()

    asyncio.run(main())
"""
)


def test_a_script_is_watched_and_q_stops_it_in_order(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN), columns=120)
    screen.until(r"task_thread  1 thread, 1 task, \d+\.\d turns/s, loop lag")
    screen.until(r"^>● clock +running")
    screen.until(r"◦ tick +waiting .*script.py:\d+ await asyncio.sleep\(0.02\)")
    screen.until(r"x stop thread  q stop the program")
    assert screen.mode() != screen.before
    screen.type("q")
    screen.until(r"the end\n■ clock stopped\n└── ✓ tick done, \d+ turns?\n")
    assert screen.end() == 0
    assert screen.is_restored()


def test_keys_pause_step_and_resume(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN))
    screen.until("tick +waiting")
    screen.type("j")
    screen.until("^> +◦ tick")
    screen.type("p")
    screen.until("^pause tick of clock: reached$")
    screen.until("tick +paused +")
    screen.fresh()
    paused = int(re.findall(r"\d+", screen.until(r"tick +paused +\d+"))[0])
    screen.type("s")
    screen.until("^step tick of clock: reached$")
    screen.fresh()
    screen.until(rf"tick +paused +{paused + 1} ")
    screen.type("p")
    screen.until("^resume tick of clock: reached$")
    screen.until("tick +waiting ")
    screen.type("\x1b[A")  # up
    screen.until("^>● clock")
    screen.type("-")
    screen.until(r"^setPace clock, at most \d+ turns/s: reached$")
    screen.until(r"tick +waiting .* <\d+ ")
    screen.type("x")
    screen.until("■ clock stopped")
    assert screen.end() == 0
    assert screen.is_restored()


def test_ctrl_c_stops_in_order(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN))
    screen.until("tick +waiting")
    screen.type("\x03")
    screen.until("the end\n■ clock stopped")
    assert screen.end() == 0
    assert screen.is_restored()


def test_sigterm_stops_in_order(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN))
    screen.until("tick +waiting")
    screen.process.send_signal(signal.SIGTERM)
    screen.until("the end\n■ clock stopped")
    assert screen.end() == 0
    assert screen.is_restored()


@pytest.mark.parametrize("key", ["\x03", "q"])
def test_a_second_one_interrupts(terminal: Start, script: Write, key: str) -> None:
    slow = """
        exit_timeout = 60

        async def exit__(self):
            print("exits", flush=True)
            await asyncio.sleep(60)

        def getId(self):"""
    screen = terminal("-m", "task_thread", script(MAIN.replace("\n        def getId(self):", slow)))
    screen.until("tick +waiting")
    screen.type(key)
    screen.until("exits")
    screen.until("clock +stopping")
    screen.type(key)
    screen.until("interrupted")
    assert screen.end() == -signal.SIGINT
    assert "the end" not in screen.text
    assert screen.is_restored()


def test_what_is_printed_scrolls_above(terminal: Start, script: Write) -> None:
    prints = """
        async def tick__(self):
            await asyncio.sleep(0)
            self.count += 1
            print("line", self.count)
            print("begun", end="", flush=True)
            print(" ended", file=sys.stderr)
            if self.count == 300:
                self.logger.warning("a [b]warning[/b]")
                await self.stop()
                return
            self.tasks.tick = await reSchedule(self.tick__)

        async def unused__(self):"""
    text = MAIN.replace("\n        async def tick__(self):", prints)
    screen = terminal("-m", "task_thread", script(text))
    assert screen.end() == 0
    shown = screen.text
    for number in range(1, 301):
        assert f"line {number}\nbegun ended\n" in shown
    assert "WARNING clock tick: a [b]warning[/b]\n" in shown
    assert shown.index("line 300") < shown.index("the end") < shown.index("■ clock stopped")


def test_an_exception_restores_the_terminal_and_is_shown(terminal: Start, script: Write) -> None:
    text = CLOCK + (
        "\n    async def main():\n"
        "        Clock().start()\n"
        "        await asyncio.sleep(0.3)\n"
        "        raise ValueError('[red]no')\n\n"
        "    asyncio.run(main())\n"
    )
    screen = terminal("-m", "task_thread", script(text))
    screen.until("q stop the program")
    assert screen.end() == 1
    assert screen.is_restored()
    last = screen.text.rpartition("Traceback")[2]
    assert "raise ValueError('[red]no')" in last
    assert "ValueError: [red]no" in last
    assert "runners.py" not in last
    assert "■ clock stopped" in screen.text


def test_a_system_exit_keeps_its_status(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN + "    sys.exit(7)\n"))
    screen.until("tick +waiting")
    screen.type("q")
    assert screen.end() == 7
    assert screen.is_restored()


@pytest.mark.parametrize("ends", ["sys.stdout.close()", "os.close(1)"])
def test_a_script_that_closes_its_stdout_keeps_its_status(
    terminal: Start, script: Write, ends: str
) -> None:
    screen = terminal("-m", "task_thread", script(MAIN + f"    import os; {ends}\n"))
    screen.until("tick +waiting")
    screen.type("q")
    assert screen.end() == 0


def test_awaiting_a_watch_ends_with_the_thread(terminal: Start, script: Write) -> None:
    screen = terminal(script(AWAIT))
    screen.until(r"task_thread  1 thread, 1 task, .* turns/s, loop lag")  # with nobody else asking
    screen.until("tick +waiting")
    screen.type("x")
    screen.until("■ clock stopped\n└── ✓ tick done, \\d+ turns?\nwatched stopped")
    assert screen.end() == 0
    assert screen.is_restored()


def test_q_ends_only_the_watch(terminal: Start, script: Write) -> None:
    screen = terminal(script(AWAIT))
    screen.until("tick +waiting")
    screen.type("q")
    screen.until("watched running")
    assert screen.end() == 0
    assert screen.is_restored()
    assert "clock stopped" not in screen.text


def test_an_interrupted_await_restores_the_terminal(terminal: Start, script: Write) -> None:
    screen = terminal(script(AWAIT))
    screen.until("tick +waiting")
    screen.type("\x03")
    assert screen.end() == -signal.SIGINT
    assert screen.is_restored()


def test_a_view_that_fails_leaves_the_program_alone(terminal: Start, script: Write) -> None:
    broken = """
    from task_thread.console.scene import Scene
    def frame(*args):
        raise ValueError("no view")
    Scene.frame = frame
"""
    stops = MAIN.replace(
        "self.count += 1\n", "self.count += 1\n            self.count < 9 or await self.stop()\n"
    )
    screen = terminal("-m", "task_thread", script(broken + stops))
    screen.until("the live view failed, the program goes on: ValueError: no view")
    screen.until("the end")
    assert screen.end() == 0
    assert screen.is_restored()


def test_two_watches_do_not_paint_over_each_other(terminal: Start, script: Write) -> None:
    text = """
    from task_thread.console import watch
    with watch():
        try:
            watch().start()
        except RuntimeError as error:
            print(error, flush=True)
    with watch():
        print("and again", flush=True)
    """
    screen = terminal(script(text))
    screen.until(r"a watch is painted on the terminal already: watch\(\) shows all threads in one")
    screen.until("and again")
    assert screen.end() == 0


def test_a_blocked_loop_is_shown_while_it_blocks(
    terminal: Start, script: Write, tmp_path: Path
) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    text = MAIN.replace(
        "self.count += 1\n",
        "self.count += 1\n            self.count == 20 and open(sys.argv[1]).read()\n",
    )
    screen = terminal("-m", "task_thread", script(text), pipe)
    screen.until(r"the loop is blocked for \d.* by script.py:\d+ self.count == 20 and open")
    with open(pipe, "w"):  # opening it for writing lets the program read on
        screen.fresh()
    screen.until(r"1 task, \d+\.\d turns/s, loop lag")
    screen.type("q")
    assert screen.end() == 0
    assert screen.is_restored()


def test_a_thousand_tasks_are_counted_and_reached(terminal: Start, script: Write) -> None:
    text = MAIN.replace(
        "self.tasks.tick = await reCreate(None, self.tick__)",
        "[await reCreate(None, self.wait__) for _ in range(1000)]",
        1,
    ).replace(
        "async def tick__",
        "async def wait__(self):\n            await asyncio.sleep(60)\n\n        async def tick__",
        1,
    )
    screen = terminal("-m", "task_thread", script(text), rows=20)
    screen.until("1 thread, 1000 tasks")
    screen.until(r"^\.\.\. 99\d more tasks$")
    screen.type("G")
    screen.until(r"^\.\.\. 1 more thread, 99\d more tasks \(99\d above\)$")
    screen.type("g")
    screen.until("^>● clock")
    screen.type("q")
    screen.until("the end\n■ clock stopped\n")
    assert screen.end() == 0


def test_it_follows_the_size_of_the_terminal(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script(MAIN), columns=100)
    screen.until(r"queued waits at")
    screen.resize(20, 50)
    screen.until(r"^thread / task +state +turns +turns/s *$")
    screen.until(r"^j/k  p pause  s step  \+/-  x stop  q quit")
    screen.resize(20, 120)
    screen.until(r"queued waits at")
    screen.type("q")
    assert screen.end() == 0
    assert screen.is_restored()


def test_without_threads_nothing_is_shown(terminal: Start, script: Write) -> None:
    screen = terminal("-m", "task_thread", script("print(input('name? '))"))
    screen.until(r"name\? ")
    assert screen.mode() == screen.before  # the keyboard is the script's
    screen.type("someone\n")
    assert screen.end() == 0
    assert screen.text == "name? someone\nsomeone\n"
    assert "\x1b" not in screen.raw


@pytest.mark.parametrize("how", ["--plain", "dumb"])
def test_plain_on_a_terminal_has_no_control_codes(terminal: Start, script: Write, how: str) -> None:
    text = MAIN.replace("self.count += 1\n", "self.count += 1\n            await self.stop()\n")
    if how == "dumb":
        screen = terminal("-m", "task_thread", script(text), TERM="dumb")
    else:
        screen = terminal("-m", "task_thread", how, script(text))
    assert screen.end() == 0
    assert "\x1b" not in screen.raw
    assert "clock running\n" in screen.text
    assert "■ clock stopped\n└── ✓ tick done" in screen.text


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash for its job control")
def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(
    terminal: Start, script: Write
) -> None:
    screen = terminal(
        "-c",
        "import os; os.execvp('bash', ['bash', '--norc', '--noediting', '-i'])",
        PS1="shell> ",
        BASH_SILENCE_DEPRECATION_WARNING="1",
        HISTFILE="",
        PROGRAM=sys.executable,
        FILE=script(MAIN),
        **{key: environment()[key] for key in ("PYTHONPATH",)},
    )
    screen.until("shell> ")
    screen.type('"$PROGRAM" -m task_thread "$FILE"\n')
    screen.until("tick +waiting")
    screen.type("\x1a")
    screen.until(r"Stopped[^\n]*\n")
    screen.until("shell> ")
    assert screen.is_restored()
    screen.type("bg\n")
    screen.until(r'FILE" &\n')
    screen.type('echo still" "here\n')  # in the background it leaves the terminal alone
    screen.until("still here$")
    assert screen.is_restored()
    screen.type("fg\n")
    screen.until("q stop the program")
    screen.fresh()
    screen.until("tick +waiting")
    screen.type("q")
    screen.until("the end")
    screen.until("shell> ")
    assert screen.is_restored()
    screen.type("exit\n")
    screen.end()


def test_a_forked_child_prints_for_itself(terminal: Start, script: Write) -> None:
    text = MAIN.replace(
        "self.count += 1\n",
        "self.count += 1\n"
        "            if self.count == 5:\n"
        "                import os\n"
        "                child = os.fork()\n"
        "                if not child:\n"
        "                    print('from the child', flush=True)\n"
        "                    os._exit(0)\n"
        "                os.waitpid(child, 0)\n",
    )
    screen = terminal("-m", "task_thread", script(text))
    screen.until("from the child")
    screen.until("tick +waiting")
    screen.type("q")
    assert screen.end() == 0


def test_nothing_printed_at_the_very_end_is_lost(terminal: Start, script: Write) -> None:
    # The view is removed by another OS thread while the program prints.
    text = MAIN.replace("self.count += 1\n", "await self.stop()\n") + (
        "    for number in range(3000):\n        print('line', number)\n"
    )
    for _ in range(5):
        screen = terminal("-m", "task_thread", script(text))
        assert screen.end() == 0
        lines = [line for line in screen.text.splitlines() if line.startswith("line ")]
        assert lines == [f"line {number}" for number in range(3000)]
        assert screen.is_restored()


def test_the_keyboard_is_the_scripts_again_once_no_thread_lives(
    terminal: Start, script: Write
) -> None:
    screen = terminal("-m", "task_thread", script(MAIN + "    print(input('name? '))\n"))
    screen.until("tick +waiting")
    screen.type("q")
    screen.until("the end\nname\\? $")
    screen.type("someone\n")
    screen.until("someone\nsomeone\n■ clock stopped")  # once by the echo, once by the script
    assert screen.end() == 0
    assert screen.is_restored()
