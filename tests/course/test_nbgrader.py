"""Real nbgrader: makes the assignments, and grades what good, bad and hostile students hand in.

Each kind of student hands in the same assignment; nbgrader grades all of them in one go, in kernels of
their own. `make test-course` runs this, in an environment that has nbgrader.

What is hostile here stays in its own kernel. Nothing in a kernel can guard it against a student who knows
IPython's inside and this library's; marks that matter need a look at the code, and a sandbox.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from assignments import FOLDER, NAMES, by_id, marks, read, student_version_script, text

pytest.importorskip("nbgrader", reason="nbgrader is not installed here")

pytestmark = pytest.mark.timeout(600)

NAME = "02_taskthread"
ANSWERS = ("answer_02_1", "answer_02_2")
POINTS = {"test_02_1_1": 2, "test_02_1_2": 1, "test_02_2_1": 2}
STEP = re.compile(r" *### (BEGIN|END) SOLUTION\n?")

# What stands where the answers should be: nothing of it solves anything.
DIARY = """
class Diary(Recorded):
    def initVars__(self):
        self.page = 0
        self.tasks.write = None

    async def enter__(self):
        self.tasks.write = await reCreate(None, self.writeTask__)

    async def writeTask__(self):
        await asyncio.Event().wait()
"""
COUNTER = """
class Counter(Recorded):
    value = 0
"""
CHANGED = "the answers have changed how they are checked"


def mean(says: str, before: str = "", diary: str = DIARY, counter: str = COUNTER) -> Any:
    """What a hostile student hands in, and what the first test is to say of it."""
    return says, (textwrap.dedent(before) + textwrap.dedent(diary), textwrap.dedent(counter))


MEAN = {
    "loops": mean(
        "not written yet: nothing defines Diary",
        """
        while True:
            pass
        """,
    ),
    "loops and swallows": mean(
        "",
        """
        while True:
            try:
                while True:  # in one loop alone an interrupt between two rounds would end it
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
            except BaseException:
                pass
        """,
    ),
    "loops in its hooks": mean(
        "is there a loop without an `await`?",
        diary="""
        class Diary(Recorded):
            page = 0
            async def enter__(self):
                while True:
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
        """,
        counter="""
        class Counter(Recorded):
            value = 2
            async def signalHandler__(self, signal):
                while True:
                    pass
        """,
    ),
    "exits in its hooks": mean(
        "expected a program that ends by itself, found sys.exit(...)",
        diary="""
        import os, sys
        class Diary(Recorded):
            page = 0
            async def enter__(self):
                try:
                    sys.exit(0)
                finally:
                    os._exit(0)
        """,
        counter="""
        class Counter(Recorded):
            async def signalHandler__(self, signal):
                quit()
        """,
    ),
    "ends the kernel": mean("", "import os\nos._exit(0)\n"),
    "replaces check": mean(
        CHANGED,
        """
        import sys
        import task_thread.testing as testing
        def anything_goes(program, **options):
            return "passed"
        testing.check = anything_goes
        sys.modules["task_thread.testing.check"].check = anything_goes
        """,
    ),
    "replaces the code of check": mean(
        CHANGED, "check.__code__ = (lambda program, **options: 'passed').__code__\n"
    ),
    "replaces the errors": mean(
        "expected the events 'b'",
        """
        import builtins
        import task_thread.testing as testing
        class Quiet(Exception):
            pass
        testing.CheckFailed = builtins.AssertionError = AssertionError = Quiet
        """,
    ),
    "replaces what is expected": mean(
        CHANGED,
        """
        def nothing(*args, **options):
            pass
        async def no_wait(*args, **options):
            pass
        Events.expect = Events.expect_order = Events.expect_times = nothing
        Events.wait_for = no_wait
        """,
    ),
    "lies about events": mean(
        "expected `type(diary.events) is Events`",
        diary="""
        class Liar(Events):
            def expect(self, *names):
                pass
            async def wait_for(self, name, times=1):
                pass
        class Diary(Recorded):
            def initVars__(self):
                self.events = Liar()
                self.page = 0
                self.tasks.write = None
            async def enter__(self):
                self.tasks.write = await reCreate(None, self.writeTask__)
            async def writeTask__(self):
                await asyncio.Event().wait()
        """,
    ),
    "hides errors": mean(
        "the program waits for ever",
        """
        ip = get_ipython()
        ip.set_custom_exc((BaseException,), lambda *args, **options: None)
        ip.showtraceback = lambda *args, **options: None
        """,
    ),
    "fakes a result": mean(
        "the program waits for ever",
        """
        def fake(*args):
            get_ipython().displayhook(2)
        get_ipython().events.register("pre_run_cell", fake)
        """,
    ),
    "sleeps for ever": mean(
        "time.sleep(1000) stops every task",
        diary="""
        import time
        from time import sleep
        class Diary(Recorded):
            page = 0
            async def enter__(self):
                while True:
                    try:
                        sleep(1000)
                    except BaseException:
                        pass
        """,
        counter="""
        class Counter(Recorded):
            async def signalHandler__(self, signal):
                time.sleep(10**6)
        """,
    ),
    "clings": mean(
        "swallows its cancellation",
        diary="""
        class Diary(Recorded):
            page = 0
            async def enter__(self):
                self.events.append("page 2")
                self.tasks.write = await reCreate(None, self.writeTask__)
            async def writeTask__(self):
                while True:
                    try:
                        await asyncio.sleep(1)
                    except BaseException:
                        pass
        """,
    ),
    "deletes files": mean(
        "the program waits for ever",
        """
        import os, shutil
        for name in os.listdir():
            (shutil.rmtree if os.path.isdir(name) else os.remove)(name)
        """,
    ),
}


NOT_GRADED = ("loops and swallows", "ends the kernel")
"""Those whose kernel is lost: nbgrader says so, and goes on with the others."""


class Course:
    """A teacher's folder.

    Attributes:
        folder: where it is.
        seconds: how long the grading took.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.seconds = 0.0
        for name in ("source", "nbgrader_config.py"):
            copy: Callable[..., Any] = shutil.copytree if name == "source" else shutil.copy
            copy(FOLDER / name, folder / name)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with nothing of this machine's settings."""
        environment = {
            **os.environ,
            # nbgrader calls a program of its environment, alembic, by its bare name.
            "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "HOME": str(self.folder),
        }
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=500
        )

    def python(self, *arguments: str) -> None:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr

    def nbgrader(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "nbgrader", *arguments)

    def release(self, name: str) -> None:
        done = self.nbgrader("generate_assignment", name)
        assert done.returncode == 0, done.stderr

    def submit(self, student: str, name: str, answers: dict[str, str]) -> None:
        """Hand in what was released, with other text in some cells."""
        notebook = read(name, self.folder / "release")
        cells = by_id(notebook)
        for grade_id, source in answers.items():
            assert marks(cells[grade_id])["solution"]
            cells[grade_id]["source"] = source.splitlines(keepends=True)
        target = self.folder / "submitted" / student / name
        target.mkdir(parents=True)
        (target / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")

    def grade(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        began = time.monotonic()
        done = self.nbgrader("autograde", name, *options)
        self.seconds = time.monotonic() - began
        return done

    def points(self, student: str, name: str) -> dict[str, float]:
        """What nbgrader gave for each cell; empty for one that it could not grade."""
        from nbgrader.api import Gradebook, MissingEntry

        with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as book:
            try:
                (notebook,) = book.find_submission(name, student).notebooks
            except MissingEntry:
                return {}
            return {grade.name: grade.score for grade in notebook.grades}


def solved(name: str) -> dict[str, str]:
    """The right answers, without the marks around them."""
    return {
        grade_id: STEP.sub("", text(cell))
        for grade_id, cell in by_id(read(name)).items()
        if marks(cell)["solution"]
    }


def partly() -> dict[str, str]:
    """The diary goes on with the old page numbers, and the counter only knows one way."""
    diary, counter = (solved(NAME)[grade_id] for grade_id in ANSWERS)
    return {
        ANSWERS[0]: diary.replace("self.page = 0", 'self.page = getattr(self, "page", 0)'),
        ANSWERS[1]: counter.replace("self.value -= 1", "self.value += 1"),
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Everybody's submission to one assignment, graded."""
    course = Course(tmp_path_factory.mktemp("course"))
    course.release(NAME)
    course.submit("correct", NAME, solved(NAME))
    course.submit("partly", NAME, partly())
    course.submit("empty", NAME, {})
    for student, (_, sources) in MEAN.items():
        course.submit(student.replace(" ", "_"), NAME, dict(zip(ANSWERS, sources, strict=True)))
    # A kernel that is stuck in a cell which is no check has to be given up by nbgrader.
    done = course.grade(NAME, "--Execute.timeout=10")
    assert "correct" in done.stderr
    return course


def test_the_right_answers_get_every_point(course: Course) -> None:
    assert course.points("correct", NAME) == POINTS


def test_half_right_answers_get_the_points_of_what_is_right(course: Course) -> None:
    assert course.points("partly", NAME) == {"test_02_1_1": 2, "test_02_1_2": 0, "test_02_2_1": 0}


def test_no_answers_get_no_points(course: Course) -> None:
    assert course.points("empty", NAME) == dict.fromkeys(POINTS, 0)


@pytest.mark.parametrize("student", list(MEAN))
def test_a_hostile_student_gets_no_points(course: Course, student: str) -> None:
    name = student.replace(" ", "_")
    if student in NOT_GRADED:
        assert sum(course.points(name, NAME).values()) == 0
        assert not list((course.folder / "autograded" / name).glob("*/*.ipynb"))
        return
    assert course.points(name, NAME) == dict.fromkeys(POINTS, 0)
    test = by_id(read(NAME, course.folder / "autograded" / name))["test_02_1_1"]
    errors = [out["evalue"] for out in test["outputs"] if out["output_type"] == "error"]
    assert MEAN[student][0] in errors[0]


def test_nobody_holds_up_the_grading(course: Course) -> None:
    assert course.seconds < 400


def test_what_was_not_the_students_is_still_there(course: Course) -> None:
    assert (course.folder / "source" / NAME / f"{NAME}.ipynb").exists()
    assert (course.folder / "submitted" / "deletes_files" / NAME / f"{NAME}.ipynb").exists()


def test_a_failure_reaches_the_student_as_a_sentence(course: Course) -> None:
    done = course.nbgrader("generate_feedback", NAME, "--student=partly")
    assert done.returncode == 0, done.stderr
    page = (course.folder / "feedback" / "partly" / NAME / f"{NAME}.html").read_text("utf-8")
    assert "found that counter.value is 4" in html.unescape(re.sub("<[^>]*>", "", page))


# All in one process: nbgrader's commands take seconds to start, and there are fourteen of them.
ALL = """
import sys
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config
config = Config()
config.CourseDirectory.root = sys.argv[1]
config.CourseDirectory.course_id = "task_thread"
api = NbGraderAPI(config=config)
for step, name in (argument.split(":") for argument in sys.argv[2:]):
    done = api.generate_assignment(name) if step == "release" else api.autograde(name, "teacher")
    assert done["success"], done
"""


def test_every_assignment_can_be_released_and_its_solutions_get_every_point(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.python("-c", ALL, str(tmp_path), *(f"release:{name}" for name in NAMES))
    for name in NAMES:
        course.submit("teacher", name, solved(name))
    course.python("-c", ALL, str(tmp_path), *(f"grade:{name}" for name in NAMES))
    for name in NAMES:
        wanted = {
            grade_id: marks(cell)["points"]
            for grade_id, cell in by_id(read(name)).items()
            if marks(cell)["grade"]
        }
        assert course.points("teacher", name) == wanted


def test_make_exercises_gives_what_nbgrader_releases(tmp_path: Path) -> None:
    script = student_version_script()
    course = Course(tmp_path / "course")
    course.release(NAME)
    script.make(tmp_path / "by_nbgrader", script.strip_by_nbgrader)
    script.make(tmp_path / "plainly", script.strip_plainly)
    released = read(NAME, course.folder / "release")["cells"]
    by_nbgrader = read(NAME, tmp_path / "by_nbgrader")["cells"]
    assert [cell["metadata"] for cell in by_nbgrader] == [cell["metadata"] for cell in released]
    for name in NAMES:
        ours = [text(cell).strip() for cell in read(name, tmp_path / "plainly")["cells"]]
        theirs = [text(cell).strip() for cell in read(name, tmp_path / "by_nbgrader")["cells"]]
        assert ours == theirs
