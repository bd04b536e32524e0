"""A thread as a cell's value: live where there are widgets, unless its class says otherwise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from a_kernel import Kernel
from kernel_venvs import names
from programs import environment

LIVE = "application/vnd.jupyter.widget-view+json"
ALL = {LIVE, "text/plain", "text/html"}

OWN = """
class Own(TaskThread):
    def getId(self):
        return "own"

class Said(Own):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "said", "text/html": f"{include} {exclude}"}

class Further(Own):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {**super()._repr_mimebundle_(include, exclude), "text/markdown": "*further*"}

class Page(Own):
    def _repr_html_(self):
        return "a page of its own"

class Itself(Own):
    def _ipython_display_(self):
        print("by itself")

class Nothing(Own):
    _repr_mimebundle_ = None
"""


@pytest.fixture
def own(kernel: Kernel) -> Kernel:
    assert kernel.run(OWN).error == ""
    return kernel


@pytest.mark.parametrize("how", ["Own()", "display(Own())", "one = Own(); one"])
def test_a_thread_is_shown_live(own: Kernel, how: str) -> None:
    shown = own.run(how).shown
    assert set(shown) == ALL
    assert shown["text/plain"] == "own [created]"
    assert "<b>own</b>" in shown["text/html"]


def test_what_a_class_says_of_itself_is_shown(own: Kernel) -> None:
    assert own.run("Said()").shown == {"text/plain": "said", "text/html": "None None"}
    some = own.run("display(Said(), include=['text/html'])").shown
    assert LIVE not in some
    assert "text/html" in some["text/html"]
    further = own.run("Further()").shown
    assert set(further) == {*ALL, "text/markdown"}
    itself = own.run("Itself()")
    assert (itself.shown, itself.out) == ({}, "by itself\n")
    assert LIVE not in own.run("Nothing()").shown


def test_the_live_view_is_worth_more_than_a_page(own: Kernel) -> None:
    shown = own.run("Page()").shown
    assert set(shown) == ALL
    assert "<b>own</b>" in shown["text/html"]


def test_without_widgets_there_are_text_and_html_and_a_line_that_says_why(own: Kernel) -> None:
    # By itself a kernel imports it a little later.
    own.run("import sys, task_thread_widgets as kept")
    own.run("sys.modules['task_thread_widgets'] = None")
    try:
        ran = own.run("Own()")
        assert set(ran.shown) == {"text/plain", "text/html"}
        assert "no live view: ModuleNotFoundError" in ran.err
    finally:
        own.run("sys.modules['task_thread_widgets'] = kept")


def test_a_view_that_fails_leaves_text_and_html(own: Kernel) -> None:
    own.run(
        "import task_thread_widgets as w; kept = w.view_of\ndef fails(thread): raise OSError(5)"
    )
    own.run("w.view_of = fails")
    try:
        ran = own.run("Own()")
        assert set(ran.shown) == {"text/plain", "text/html"}
        assert "no live view of own; text and HTML are shown instead: OSError: 5" in ran.err
    finally:
        own.run("w.view_of = kept")


@pytest.mark.parametrize("which", names())
def test_a_kernel_that_began_after_the_import_shows_it_too(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, task_thread\ntask_thread.before = 'IPython' not in sys.modules\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    kernel = Kernel(which)
    try:
        assert kernel.run("import task_thread; task_thread.before").literal is True
        assert set(kernel.run("task_thread.TaskThread()").shown) == ALL
        assert set(kernel.run("display(task_thread.TaskThread())").shown) == ALL
    finally:
        kernel.close()


@pytest.mark.parametrize("first", ["pass", "%load_ext task_thread"])
def test_in_a_terminal_it_is_shown_as_text(first: str, tmp_path: Path) -> None:
    asked = """
import sys
[m for m in ("task_thread_widgets", "ipywidgets", "anywidget") if m in sys.modules]
"""
    session = "\n".join(
        ["from task_thread import TaskThread", first, OWN, "Own()", "Said()", asked]
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        input=session,
        env={**environment(), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    shown = re.findall(r"Out\[\d+\]: (.*)", done.stdout)
    assert shown == ["own [created]", "said", "[]"], done.stdout + done.stderr
