"""How the tests themselves wait: for what happens, never for an amount of time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = HERE / "benchmarks"  # what is about time is measured there, as a ratio
POLLS = "lab.py"  # whose `until` looks again after a while


def calls(*names: str, under: Path = HERE) -> Iterator[str]:
    """Where the tests call something of these names; the text of a program is no call."""
    for path in sorted(under.rglob("*.py")):
        if BENCHMARKS in path.parents or path.name == POLLS:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(names):
                yield f"{path.relative_to(HERE)}:{node.lineno}: {ast.unparse(node)}"


def test_no_browser_test_lets_an_amount_of_time_pass() -> None:
    found = [*calls("wait_for_timeout"), *calls("time.sleep", under=HERE / "browser")]
    assert found == [], "wait with `until`, `hear`, `settle` or `expect`: see browser/lab.py"


def test_no_test_is_timed() -> None:
    found = [*calls("perf_counter", "process_time", "timeit")]
    assert found == [], "it fails on a busy machine: measure it in tests/benchmarks, as a ratio"
