"""The table of the kinds of advice: README's, the code's and the files' are one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from students import student

from task_thread import TaskThread, coach
from task_thread._core import instruments, watchdog
from task_thread.coach import kinds
from task_thread.coach.advice import Advice, give
from task_thread.coach.rule import Rule

README = Path(__file__).resolve().parents[2] / "README.md"
PROBES = {
    probe.name
    for module in (instruments, watchdog)
    for probe in vars(module).values()
    if isinstance(probe, instruments.Probe)
}


def test_the_readme_has_the_table() -> None:
    table = README.read_text(encoding="utf-8").partition("## The coach\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(.*?)` \| (.*) \| (.*) \|$", table, re.MULTILINE)
    assert sorted(rows) == sorted(rule[:3] for rule in kinds.RULES)


def test_an_advice_says_which_kinds_there_are() -> None:
    assert Advice.__doc__ is not None
    listed = re.findall('"([a-z-]+)"', Advice.__doc__)
    assert sorted(listed) == sorted(rule.kind for rule in kinds.RULES)


def test_each_kind_has_a_file_of_its_name() -> None:
    folder = Path(kinds.__file__).parent
    for rule in kinds.RULES:
        name = "awaits" if rule.kind == "await" else rule.kind.replace("-", "_")
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert text.startswith(f'"""`{rule.kind}`: ')


def test_each_listens_to_probes_that_there_are_and_the_coach_to_all_of_theirs() -> None:
    heard = {probe for rule in kinds.RULES for probe in rule.heard}
    assert heard <= PROBES
    assert {probe.name for probe in instruments.MISTAKES} <= heard
    for probe in instruments.MISTAKES:
        assert callable(getattr(coach, probe.name))


def test_a_rule_that_has_said_it_all_is_the_last_and_one_that_fails_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def rule(kind: str, answer: object) -> Rule:
        def judge(thread: TaskThread) -> object:
            asked.append(kind)
            if isinstance(answer, Exception):
                raise answer
            give(thread._life, kind, "once is enough")
            return answer

        return Rule(kind, "", "", heard={"task_swallowed": judge})

    rules = (rule("a", ValueError("broken")), rule("b", None), rule("c", True), rule("d", None))
    monkeypatch.setattr(kinds, "RULES", rules)
    thread = student("thread = TaskThread()")["thread"]
    coach.task_swallowed(thread)
    assert asked == ["a", "b", "c"]
    assert [advice.kind for advice in thread.advice()] == ["b", "c"]
    assert "the coach failed; the program is not affected" in caplog.text
    caplog.clear()  # conftest.py looks for it
