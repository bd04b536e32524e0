"""What a plain `assert` compared, where pytest does not rewrite it: in code given as text."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from task_thread.testing import CheckFailed, check

numbers = 0


def says(text: str, **names: Any) -> str:
    """Run a program that is given as text, as one typed in a cell is."""
    global numbers  # noqa: PLW0603
    numbers += 1
    name = f"<cell {numbers}>"
    text = "async def program():\n" + "".join(f"    {line}\n" for line in text.splitlines())
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space = {"__name__": "typed", **names}
    exec(compile(text, name, "exec"), space)
    with pytest.raises(CheckFailed) as failed:
        check(space["program"])
    assert failed.value.kind == "assert"
    return str(failed.value)


class Thing:
    count = 2
    looked = 0

    @property
    def list(self) -> Any:
        return [1, 2]

    def touch(self) -> int:
        self.looked += 1
        return 1


def test_both_sides_are_told() -> None:
    text = says("wanted = 3\nassert thing.count == wanted", thing=Thing())
    assert text.startswith(
        "expected `thing.count == wanted`, found that thing.count is 2 and wanted is 3\n"
        "  at line 3 of <cell"
    )


def test_constants_are_not_repeated() -> None:
    text = says("assert len(thing.list) == 3", thing=Thing())
    assert "expected `len(thing.list) == 3`, found that len(thing.list) is 2\n" in text
    text = says("assert thing.list == [1, -3]", thing=Thing())
    assert "expected `thing.list == [1, -3]`, found that thing.list is [1, 2]\n" in text


def test_one_that_is_no_comparison() -> None:
    assert "expected `[]`, found that it is []" in says("assert []")
    assert "expected `not thing.count`, found that it is False" in says(
        "assert not thing.count", thing=Thing()
    )


def test_code_of_the_program_is_not_run_again() -> None:
    thing = Thing()
    text = says("assert thing.touch() == 5", thing=thing)
    assert "expected `thing.touch() == 5`, which is not so" in text
    assert thing.looked == 1
    assert "which is not so" in says("assert len([1]) == 2", len=lambda x: 1)


def test_its_own_text_wins() -> None:
    assert says("assert False, 'my own text'").startswith("my own text\n")


def test_one_over_several_lines() -> None:
    assert "expected `1 + 1 == 3`" in says("assert (\n    1 + 1\n    == 3\n)")


def test_a_cell_with_a_magic_is_understood() -> None:
    global numbers  # noqa: PLW0603
    numbers += 1
    name = f"<cell {numbers}>"
    text = "async def program():\n    assert 1 == 2\n"
    linecache.cache[name] = (0, None, [*text.splitlines(True), "%magic\n"], name)
    space: dict[str, Any] = {}
    exec(compile(text, name, "exec"), space)
    with pytest.raises(CheckFailed, match="expected `1 == 2`"):
        check(space["program"])


def test_a_long_value_is_shortened() -> None:
    assert len(says("assert list(range(10**5)) == []")) < 600
