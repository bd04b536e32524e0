"""The notebooks of notebooks/: committed clean, short enough to teach with, and safe to run again.

A kernel runs each one without a browser. What a browser shows of it is tested in tests/browser.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from a_kernel import meets_in_files
from nbclient import NotebookClient
from traitlets.config import Config

import task_thread

pytestmark = pytest.mark.notebook

FOLDER = Path(__file__).parents[2] / "notebooks"
INDEX = "index.ipynb"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb") if path.name != INDEX)
# The ids of the roots that each notebook leaves running, to be looked at.
ALIVE = {
    "00_asyncio_in_a_notebook.ipynb": ["clock"],
    "01_anatomy_of_a_task.ipynb": ["hello"],
    "02_anatomy_of_a_taskthread.ipynb": ["diary"],
    "03_threads_and_tasks_together.ipynb": ["bakery"],
    "04_parent_and_child.ipynb": ["station"],
    "05_a_tcp_server.ipynb": ["town"],
    "06_frames_from_a_stream.ipynb": ["station"],
    "07_frequency.ipynb": ["mill"],
    "08_when_things_go_wrong.ipynb": ["clock"],
    "09_a_program_of_your_own.ipynb": ["harbour"],
    "10_races_and_deadlocks.ipynb": ["table"],
    "11_many_clients.ipynb": ["station"],
    "12_more_than_one_machine.ipynb": ["office"],
    "13_one_program_many_students.ipynb": ["home"],
}
# What each notebook asks before a program runs, and which choice the program makes right.
GATES = {
    "00_asyncio_in_a_notebook.ipynb": {
        "The cell awaits a sleep of 2 s.": "about ten",
        "The same with time.sleep(2).": "none",
    },
    "01_anatomy_of_a_task.ipynb": {
        "After three more turns": "the same as before",
        "A hundred tasks turn.": "one",
        "hello has one task.": "one",
    },
    "02_anatomy_of_a_taskthread.ipynb": {
        "Six signals, three places.": "three times",
        "exit__ sleeps for an hour.": "about one",
    },
    "03_threads_and_tasks_together.ipynb": {
        "What share of the coins": "about half",
        "It counts 3, 2, 1": "0",
    },
    "04_parent_and_child.ipynb": {
        "The cellar's handler raises an error.": "cellar",
        "The station stops.": "all three",
    },
    "05_a_tcp_server.ipynb": {
        "Ada sends one line": "one",
        "The client is gone.": "thousands",
    },
    "06_frames_from_a_stream.ipynb": {
        "What does the first read(7) return?": "one.two",
        "Pieces of 200 bytes, big reads.": "a hundred and more",
    },
    "07_frequency.ipynb": {
        "Twenty turns a second, one grain each.": "tens of thousands",
        "A turn grinds a million grains.": "more",
    },
    "08_when_things_go_wrong.ipynb": {
        "How many tocks in three seconds?": "fewer",
        "The `await` before reSchedule is missing.": "one",
    },
    "09_a_program_of_your_own.ipynb": {
        "How many reports are told": "three",
        "Eve's line is slow.": "a few",
    },
    "10_races_and_deadlocks.ipynb": {
        "Two cards draw 20 each time": "-20",
        "How much is moved in two seconds?": "nothing",
        "Twelve workers, three machines": "about 15",
    },
    "11_many_clients.ipynb": {
        "How many means does one sensor hear": "about twelve",
        "A sensor stops.": "one: its client",
    },
    "12_more_than_one_machine.ipynb": {
        "Ann computes.": "about fifteen",
        "Bob gets three small ranges": "three",
    },
    "13_one_program_many_students.ipynb": {
        "Ann's light is green, the other two are red.": "none",
        "All is paused, and ann sends three moves.": "none",
    },
}
EXPECTED_ERROR = "raises-exception"  # the tag of a cell that fails on purpose

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)
NEEDS = {  # what a notebook imports that comes with the extra `lab` only
    "09_a_program_of_your_own.ipynb": ("aiosqlite",),
    "11_many_clients.ipynb": ("aiosqlite", "websockets"),
    "12_more_than_one_machine.ipynb": ("distributed",),
    "13_one_program_many_students.ipynb": ("websockets",),
}


def read(name: str) -> Any:
    return nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)


class Program:
    """A notebook in a kernel of its own, which is told which cell runs, as by JupyterLab."""

    def __init__(self, name: str) -> None:
        self.notebook = read(name)
        self.count = len(self.notebook.cells)
        self.client = NotebookClient(
            self.notebook,
            kernel_name="python3",
            timeout=60,
            config=Config(KernelManager=meets_in_files()),
        )

    @property
    def code_cells(self) -> list[int]:
        return [i for i in range(self.count) if self.notebook.cells[i].cell_type == "code"]

    def run(self, index: int) -> None:
        """Run a cell. One that is tagged must fail, any other must not."""
        cell = self.notebook.cells[index]
        # What is sent along with every message: nbclient itself does not name the cell.
        self.client.kc.session.metadata = {"cellId": cell.id}
        self.client.execute_cell(cell, index)
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == (EXPECTED_ERROR in cell.metadata.get("tags", [])), cell.id

    def index(self, cell_id: str) -> int:
        [index] = [i for i in range(self.count) if self.notebook.cells[i].id == cell_id]
        return index

    def until(
        self, cell_id: str, holds: Callable[[str], object], before: tuple[str, ...] = ()
    ) -> None:
        """Check what a cell shows of a moment, or of a second, in a program that goes on.

        The moment may be between two steps, and the second that of a busy machine: the cell is
        then run again, as a reader may do. What is not so ten times in a row is not so.

        Args:
            cell_id: the cell.
            holds: given its output, whether that is what the prose promises.
            before: cells that are run again before it.
        """
        for _ in range(10):
            if holds(self.output(cell_id)):
                return
            for each in (*before, cell_id):
                self.run(self.index(each))
        raise AssertionError(f"{cell_id} shows {self.output(cell_id)}")

    def run_all(self) -> None:
        for index in self.code_cells:
            self.run(index)

    def beside(self, code: str) -> Any:
        """Run statements beside the notebook; returns their cell."""
        cell = nbformat.v4.new_code_cell(code)
        self.notebook.cells.append(cell)
        self.client.kc.session.metadata = {}
        self.client.execute_cell(cell, len(self.notebook.cells) - 1, store_history=False)
        return self.notebook.cells.pop()

    def ask(self, code: str) -> Any:
        """Run statements beside the notebook; returns what they print, a Python literal."""
        cell = self.beside(code)
        printed = [o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout"]
        return ast.literal_eval("".join(printed))

    def roots(self) -> list[str]:
        """The ids of the live roots."""
        return self.ask("import task_thread\nprint([t.getId() for t in task_thread.threads()])")

    def stop_all(self) -> None:
        """What the button "Stop all" does."""
        self.ask(
            "import asyncio, task_thread\n"
            "for thread in task_thread.threads():\n"
            "    await asyncio.wrap_future(thread.control.stop())\n"
            "print(None)"
        )

    def asyncio_tasks(self) -> list[str]:
        """The asyncio tasks of ours, and of the notebook's own code, that live in the kernel."""
        return self.ask(
            "import asyncio\n"
            "def _ours(task):\n"
            "    code = getattr(task.get_coro(), 'cr_code', None)\n"
            "    file = getattr(code, 'co_filename', '')\n"
            "    return 'task_thread' in file or 'ipykernel_' in file\n"
            "_others = asyncio.all_tasks() - {asyncio.current_task()}\n"
            "print([task.get_name() for task in _others if _ours(task)])"
        )

    def answers(self, question: str) -> str:
        """Choose the first answer to the one question that begins so; returns which one was right."""
        choose = (
            "from task_thread.lesson import predictions\n"
            f"[_asked] = [p for p in predictions() if p.question.startswith({question!r})]\n"
            "_asked = await _asked.choose(1)  # no last expression: it would be displayed again"
        )
        self.beside(choose)
        return self.ask("print(repr(_asked.right))")

    def error(self, cell_id: str) -> str:
        """What the error says of a cell that failed on purpose."""
        [cell] = [cell for cell in self.notebook.cells if cell.id == cell_id]
        [error] = [o for o in cell.outputs if o.output_type == "error"]
        return str(error.evalue)

    def value(self, cell_id: str) -> Any:
        """The value of a cell that prints nothing, a Python literal."""
        return ast.literal_eval(self.output(cell_id))

    def output(self, cell_id: str) -> str:
        """What a cell printed and what its value is, as text."""
        [cell] = [cell for cell in self.notebook.cells if cell.id == cell_id]
        return "".join(
            o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "")
            for o in cell.outputs
        )


@pytest.fixture
def program(name: str) -> Iterator[Program]:
    """The notebook of the test's `name`, its kernel started and nothing run yet."""
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    program = Program(name)
    with program.client.setup_kernel():
        yield program


@pytest.mark.slow
@each_notebook
def test_runs_again_and_again_in_one_kernel_and_leaves_one_program(
    name: str, program: Program
) -> None:
    program.run_all()
    assert program.roots() == ALIVE[name]
    for index in program.code_cells:
        program.run(index)
        assert len(program.roots()) <= 1, program.notebook.cells[index].id
    assert program.roots() == ALIVE[name]
    for index in reversed(program.code_cells):
        program.run(index)
        assert len(program.roots()) <= 1, program.notebook.cells[index].id
    program.stop_all()
    assert (program.roots(), program.asyncio_tasks()) == ([], [])


@each_notebook
def test_each_prediction_is_answered_by_the_program_as_the_prose_has_it(
    name: str, program: Program
) -> None:
    program.run_all()
    asked = "from task_thread.lesson import predictions\nprint([p.question for p in predictions()])"
    questions = program.ask(asked)
    assert len(questions) == len(GATES[name]) >= 2
    for begins, right in GATES[name].items():
        # What a busy machine takes for one second may be two: it is asked again, as a reader may do.
        for _ in range(5):
            if (found := program.answers(begins)) == right:
                break
        assert found == right, begins
    assert len(program.roots()) <= 1


@pytest.mark.parametrize("name", ["01_anatomy_of_a_task.ipynb"])
def test_anatomy_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert "hello_task [waiting]" in output("hello-snapshot")
    assert "await asyncio.sleep(1)" in output("hello-snapshot")
    assert program.ask("print(len(hello.snapshot().tasks))") == 1
    # How many greetings there are before the cancellation is the machine's business.
    *greetings, last = output("cancel").splitlines()
    assert set(greetings) == {"INFO: Hello from helloTask__ at hello"}
    assert last == "CRITICAL: helloTask__: cancelling"
    *greetings, last = output("cancel-again").splitlines()
    assert set(greetings) == {"INFO: Hello, better, from hello"}
    assert last == "INFO: helloTask__: cancelled"
    assert "pulse [running]" in output("pulse-zero")
    assert "pulse_task [done]" in output("pulse-zero")
    assert output("crowd-view").count("worker_") == 100
    assert output("double-run").count("hello_task [") == 2
    assert "made a second task beside it" in output("double-run")
    assert "hello_task of hello" in output("hello-source")
    assert "the `await` is missing" in program.error("forgotten-await")
    program.until("haste-figure", lambda told: _figure(told) > 1000, ("haste-run",))
    program.until("haste-slow", lambda told: 0 < _figure(told) < 100, ("haste-run",))


@pytest.mark.parametrize("name", ["00_asyncio_in_a_notebook.ipynb"])
def test_asyncio_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert "running=True" in output("loop-running")
    assert "tick_task [waiting]" in output("clock-run")
    assert "start()" in program.error("asyncio-run")
    assert output("asyncio-await") == "'slept'"
    program.until("cell-in-thread", lambda ticks: 5 <= int(ticks) <= 10)
    program.answers("The same with time.sleep(2).")
    [told] = program.ask("print([str(advice) for advice in clock.advice()])")
    assert "`time.sleep(2)`" in told


@pytest.mark.parametrize("name", ["02_anatomy_of_a_taskthread.ipynb"])
def test_anatomy_of_a_thread_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output, value = program.output, program.value
    assert value("diary-made") == ["initVars__ while created"]
    assert output("diary-stop") == "stopping\nstopped ['exit__ while stopping']\n"
    assert value("diary-again") == (
        0,
        ["initVars__ while starting", "enter__ while starting"],
    )
    assert value("signals-handled") == [
        "signalHandler__, 'dear diary', while running",
        "signalHandler__, 'good night', while running",
        "exit__ while stopping",
    ]
    program.answers("Six signals, three places.")
    full = "inputOverflowHandler__, 3 signals wait, while running"
    assert program.ask("print(calls)").count(full) == 3
    assert "RuntimeError: the ink ran out" in output("clumsy-run")
    assert "write_task [waiting]" in output("careful-run")
    assert "'taskFailed__, write_task: the ink ran out, while running'" in output("careful-run")
    assert program.error("broken-run") == "no paper"
    assert value("broken-calls") == [
        "initVars__ while created",
        "enter__ while starting",
        "exit__ while stopping",
    ]
    told = [line.split()[0] for line in output("all-hooks").splitlines()]
    own = {name for name in vars(task_thread.TaskThread) if re.fullmatch(r"[a-z]\w+__", name)}
    sending = {"sigFromParentToChild__", "sigFromChildToParent__"}
    assert set(told) == own - sending | {"getId", "getInfo"}


@pytest.mark.parametrize("name", ["03_threads_and_tasks_together.ipynb"])
def test_together_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output, value = program.output, program.value
    assert re.fullmatch(r"\('loaf \d+', \d\)", output("bakery-sold"))
    assert "sell_task [paused]" in output("pause-seller")
    coins, turns = value("till-locked")
    assert coins == turns
    assert "async with self.locks.till:" in output("till-view")
    rows = program.ask("print([(task.slot, task.turns >= 0) for task in light.snapshot().tasks])")
    assert rows == [("lamp_task", True)]
    program.until(
        "bakery-swapped",
        lambda tree: (
            "await self.shelf.get()" in tree and "await asyncio.sleep(self.bake_time)" in tree
        ),
    )
    program.until(
        "pause-seller",
        lambda tree: "bake_task [waiting]" in tree and "await self.shelf.put(" in tree,
    )
    program.until("resume-seller", lambda tree: "sell_task [waiting]" in tree)


@pytest.mark.parametrize("name", ["04_parent_and_child.ipynb"])
def test_parent_and_child_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output, value = program.output, program.value
    assert value("send-all") == ["roof", "cellar"]
    assert "wrap it as signals.MessageSignal" in program.error("send-text")
    assert output("leave-one").split() == [
        "(<ThreadState.RUNNING:",
        "'running'>,",
        "<ThreadState.STOPPED:",
        "'stopped'>,",
        "['roof',",
        "'cellar'])",
    ]
    program.until("station-latest", lambda latest: "'cellar': " in latest and "'roof': " in latest)
    # Each is at that line most of the time, but not in the moment after there was room.
    program.until(
        "slow-where",
        lambda tree: "await self.sigFromChildToParent__(" in tree and tree.endswith("[5, 5]"),
        before=("slow-parent",),
    )
    program.until(
        "caring-run",
        lambda told: (
            "cellar failed, here is another" in told and told.endswith("['roof', 'cellar']")
        ),
    )


@pytest.mark.parametrize("name", ["05_a_tcp_server.ipynb"])
def test_the_server_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert output("server-run") == "server [running]"
    assert "HELLO\n" in output("first-call-child")
    assert "talk [waiting] 1 turns" in output("first-call-child")
    assert output("three-run").endswith("['ONE', 'TWO', 'THREE']")
    # Three clients were welcomed, and the second of them hung up.
    first, _, third = re.findall(r"welcome, (.*)", output("hang-up-run"))
    assert output("hang-up-run").endswith(f"['{first}', '{third}']")
    assert output("deaf-repaired").endswith("[]")
    assert "6 15" in output("adder-run")
    assert "60\n" in output("adder-ada")
    assert "talk [waiting] 1 turns" in output("adder-ada")
    assert "talk [failed] 0 turns, 0.0/s (ValueError: " in output("adder-ada")
    assert "sorry: invalid literal for int()" in output("adder-polite")
    assert output("room-say-run").count(": good morning") == 3
    assert program.ask("print(room.snapshot().signals_in)") == 1


@pytest.mark.parametrize("name", ["05_a_tcp_server.ipynb"])
def test_a_caller_that_stops_takes_its_connection_along_and_may_call_again(
    name: str, program: Program
) -> None:
    program.run_all()
    assert program.ask(
        "ada, link = town.findChild('ada'), town.room.findChild('client 1')\n"
        "await ada.control.stop()\n"
        "await link.join()\n"
        "await ada.control.start()\n"
        "print([str(ada.state), str(link.state)])"
    ) == ["running", "stopped"]
    assert program.ask(
        "callers = [town.findChild(name) for name in ('ada', 'bob', 'eve')]\n"
        "await town.room.control.stop()\n"
        "for caller in callers:\n"
        "    await caller.join()\n"
        "print([str(town.state), *[str(caller.state) for caller in callers]])"
    ) == ["running", "stopped", "stopped", "stopped"]


@pytest.mark.parametrize("name", ["06_frames_from_a_stream.ipynb"])
def test_frames_show_what_their_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output, value = program.output, program.value
    assert value("pack-frame") == b"\0\0\0\5hello"
    assert value("unpacker-chunks") == [[], [], [b"hello", b"one"]]
    assert output("unpacker-random") == "3 frames, each time\n"
    assert "{'frames': 0, " in output("rubbish-run")
    assert _numbers(r"([\d,]+) bytes wait", output("rubbish-run"))[0] > 100_000
    assert value("strict-rubbish-run")["frames"] > 0

    def turns_until(cell: str, holds: Callable[[int, int, int], bool]) -> None:
        figures = r"'frames': (\d+), 'bytes': (\d+), 'turns': (\d+)"
        program.until(cell, lambda told: holds(*_numbers(figures, told)))

    turns_until("figures-run", lambda frames, _, turns: turns < 100 < frames)
    turns_until("small-reads-run", lambda _, __, turns: turns > 1000)
    turns_until("big-reads-run", lambda frames, _, turns: 2 * turns < frames and turns < 100)
    turns_until("dribble-run", lambda _, __, turns: turns > 100)
    turns_until("nap-run", lambda _, __, turns: turns <= 50)
    turns_until("pace-run", lambda _, __, turns: turns <= 31)


@pytest.mark.parametrize("name", ["07_frequency.ipynb"])
def test_frequency_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()

    def until(cell: str, holds: Callable[[int, int, int, int], bool], *before: str) -> None:
        line = r"([\d,]+) grains in ([\d,]+) turns, .* busy, ([\d,]+) wait; heart up to (\d+) ms"
        program.until(cell, lambda told: holds(*_numbers(line, told)), before)

    # Grains, turns, how many grains wait at the end, and how late the heart beat at most, in ms.
    until("one-by-one-run", lambda grains, turns, *_: grains == turns > 2_000)
    until("batch-run", lambda grains, turns, *_: grains > 100 * turns)
    until("pace-run", lambda grains, turns, *_: turns <= 22 and grains > 2_000)
    until("too-much-run", lambda _, __, wait, ___: wait < 2_000)
    until("middle-run", lambda grains, turns, *_: turns > grains / 1100)
    until("middle-quiet", lambda _, turns, *__: turns <= 82)
    carried = re.findall(r"most: +([\d,]+) turns", program.output("pipe-run"))
    assert carried[:3] == ["20,000", "2,000", "200"]
    assert int(carried[3]) < 100


@pytest.mark.parametrize("name", ["08_when_things_go_wrong.ipynb"])
def test_each_mistake_is_named_and_each_repair_is_silent(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    for cell, kinds in {
        "block-run": "['blocked']",
        "haste-run": "['rate']",
        "await-run": "['await'] 1 ticks",
        "recreate-run": "['recreate']",
        "reschedule-run": "['reschedule', 'reschedule'] running",
        "escaped-run": "['escaped']",
        "ended-run": "['ended'] 3 ticks",
        "swallowed-run": "['swallowed'] ['tock']",
        "child-run": "['not-added']\n[] None",
        "exit-run": "['exit']",
    }.items():
        assert f"\n{kinds}" in "\n" + output(cell), output(cell)
    for cell in (
        "clock-run",
        "block-repaired",
        "await-repaired",
        "ended-repaired",
        "swallowed-repaired",
        "child-repaired",
        "init-repaired",
    ):
        assert "\n[]" in "\n" + output(cell), output(cell)
    assert re.search(r"blocked the event loop for \d\.\d s", output("block-advice"))
    assert "tick [failed] 2 turns" in output("escaped-run")
    assert "tick [done] 3 turns" in output("ended-run")
    assert "the last tick" in output("swallowed-repaired")
    assert "must first call super().__init__" in program.error("init-run")
    program.until("haste-repaired", lambda ticks: int(ticks) <= 21)


@pytest.mark.parametrize("name", ["09_a_program_of_your_own.ipynb"])
def test_the_harbour_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert output("table-try-run") == "[('ada', 1, 2), ('bob', 3, 4)]\n"
    assert _numbers(r"'(\d+) commits", output("flood-run"))[0] < 30
    assert "'200 commits" in output("hasty-run")
    assert "the input_queue of link eve stays full" in output("slow-figures")
    assert _numbers(r"(\d+) forgotten", output("forget-run"))[0] > 0
    ada = output("query-run").splitlines()[-1]
    assert sorted(ast.literal_eval(ada)) == ["bob", "eve", "joe"]
    sent, heard, kept = output("close-in-order-run").split()
    assert sent == heard == kept
    folder = "calm.log_book.table.folder.name"
    assert program.ask(f"import os\nprint(os.path.exists({folder}))") is True
    # A second's reports: made, heard by the gate, and told to the other ships.
    figures = r"'sent': (\d+), 'heard': (\d+), 'kept': \d+, 'told': (\d+)"

    def until(cell: str, holds: Callable[[int, int, int], bool]) -> None:
        program.until(cell, lambda text: holds(*_numbers(figures, text)))

    until("figures-run", lambda sent, heard, told: told > 2 * sent and heard > 0.8 * sent)
    until("slow-figures", lambda sent, heard, _: heard < 0.5 * sent)
    until("forget-run", lambda sent, heard, _: heard > 0.8 * sent)
    program.stop_all()
    assert program.ask(f"import os\nprint(os.path.exists({folder}))") is False


@pytest.mark.parametrize("name", ["12_more_than_one_machine.ipynb"])
def test_the_office_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    here, *answers = output("ask-both").splitlines()
    told = [ast.literal_eval(answer) for answer in answers]
    assert sorted((name, answer["from"], answer["primes"]) for name, answer in told) == [
        ("ann", 0, 9592),
        ("bob", 100_000, 8392),
    ]
    processes = {answer["process"] for _, answer in told} | {int(here.rpartition(" ")[2])}
    assert len(processes) == 3
    assert "idle [paused]" in output("pause")
    assert "can't be sent to worker 0" in program.error("lock")
    killed = output("kill-one")
    assert "('bob', WorkerLost('worker 1'" in killed
    assert "ann [running on worker 0]" in killed
    assert "bob [" not in killed
    assert "bob [running on worker " in output("start-again")


@pytest.mark.parametrize("name", ["09_a_program_of_your_own.ipynb"])
def test_without_aiosqlite_the_harbour_says_what_to_install(name: str, program: Program) -> None:
    program.ask("import sys\nsys.modules['aiosqlite'] = None\nprint(None)")
    index = program.index("imports")
    program.notebook.cells[index].metadata.tags = [EXPECTED_ERROR]
    program.run(index)
    assert "run %pip install aiosqlite" in program.error("imports")


@pytest.mark.parametrize("name", ["10_races_and_deadlocks.ipynb"])
def test_races_and_deadlocks_show_what_their_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output, value = program.output, program.value
    assert value("lock-run") == 0
    assert output("deadlock-lines").count("async with target.lock:") == 2
    assert "wait for one another" in output("deadlock-lines")
    assert "held by transfer.back" in output("deadlock-lines")
    moved, money = value("order-run")
    assert moved > 0
    assert money == 2000
    assert output("table-run") == "0 meals\n"
    meals = ast.literal_eval(output("polite-run").removesuffix(" meals\n"))
    assert len(meals) == 5
    assert sum(meals) > 0
    assert value("event-run") == ["ann", "bob", "cat", "dan", "eve"]
    assert output("together-run").count("[0, 1, 2]") == 2
    assert "no answer" in output("group-run")


@pytest.mark.parametrize("name", ["11_many_clients.ipynb"])
def test_many_clients_show_what_their_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    assert "station [running]" in program.output("station-run")
    (kinds, means, _), (_, readings, _) = program.value("query-run")
    assert kinds == "Mean"
    assert 5 * means < readings
    sent, heard = program.value("lose-look")
    assert sent == heard > 0


@pytest.mark.parametrize("name", ["13_one_program_many_students.ipynb"])
def test_one_program_shows_what_its_prose_promises(name: str, program: Program) -> None:
    program.run_all()
    output = program.output
    assert "road [running]" in output("road-run")
    assert output("road-run").count("listen [waiting]") == 3
    program.until("move-run", lambda told: re.match(r"ann: green, \d+ wait\nbob: red", told))
    program.until("careful-run", lambda told: _numbers(r"(\d+) cars have passed", told)[0] > 0)
    assert output("step-run").startswith("green, ")
    assert "\nred, " in output("step-run")
    waits = output("table-run").splitlines()
    assert len([wait for wait in waits if "held by" in wait]) == 5, waits
    program.until("agree-run", lambda told: told.count(": 1 meals") == 5)
    program.until("ring-run", lambda told: min(_numbers(r"ann': (\d+), .*bob': (\d+)", told)) > 5)
    assert "the key is wrong" in program.error("wrong-key")
    assert "there is ann in the class already" in program.error("second-ann")
    assert output("invitation").startswith("from task_thread.classroom import join_class\n")


def _numbers(pattern: str, text: str) -> list[int]:
    """The numbers that a pattern finds in a text, with or without commas in them."""
    match = re.search(pattern, text)
    assert match is not None, text
    return [int(number.replace(",", "")) for number in match.groups()]


def _figure(text: str) -> float:
    match = re.search(r" ([\d,.]+) turns/s", text)
    assert match is not None, text
    return float(match[1].replace(",", ""))


@each_notebook
def test_is_committed_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    # With it, places that render the file would look for a kernel instead of showing text.
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


@each_notebook
def test_cells_are_short_and_take_turns_with_prose(name: str) -> None:
    cells = read(name).cells
    kinds = ["markdown", "code"] * (len(cells) // 2)
    assert [cell.cell_type for cell in cells] == kinds
    for cell in cells:
        if cell.cell_type == "code":
            limit = 30 if re.search(r"^class ", cell.source, re.MULTILINE) else 12
            assert len(cell.source.splitlines()) <= limit, cell.id
            assert max(len(line) for line in cell.source.splitlines()) <= 90, cell.id
        else:
            prose = re.sub(r"(?ms)^```.*?^```|^#[^\n]*", "", cell.source)  # no drawing, no heading
            words = re.findall(r"[^\s|#-]\S*", prose)
            assert 20 <= len(words) <= 45, f"{cell.id}: {len(words)} words"


@each_notebook
def test_ids_of_cells_are_unique_and_say_what_the_cell_is(name: str) -> None:
    ids = [cell.id for cell in read(name).cells]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", i)] == []


def test_the_index_names_every_notebook_and_exercise() -> None:
    index = read(INDEX)
    assert {cell.cell_type for cell in index.cells} == {"markdown"}
    assert "widgets" not in index.metadata
    text = "\n".join(cell.source for cell in index.cells)
    assert re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \| \w", text, re.MULTILINE) == NOTEBOOKS
    exercises = sorted(path.parent.name for path in FOLDER.glob("exercises/source/*/*.ipynb"))
    assert re.findall(r"^\| `(\w+)` \| \w", text, re.MULTILINE) == exercises


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[!.]*.[im][pd]*")), ids=lambda path: path.name)
def test_links_stay_in_the_folder_of_the_notebooks(path: Path) -> None:
    """It is all that JupyterLab shows under `make lab`, and on the site: what lies above is not found."""
    for target in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
        assert target.startswith("https:") or target in {one.name for one in FOLDER.iterdir()}, (
            target
        )


def test_every_notebook_says_what_it_leaves_running() -> None:
    assert sorted(ALIVE) == NOTEBOOKS
