"""What holds for every tree of threads, whatever is done to it and in whatever order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings

from .known import KNOWN
from .narrow_strategies import brake_programs, farewell_programs
from .perform import all_delivered, perform
from .plans import Program
from .strategies import NORMAL, programs


def often(examples: int) -> Callable[[Callable[[Program], None]], Callable[[Program], None]]:
    """The same examples in each run, or as much less as the profile says; `soak` looks for others."""
    examples = examples * settings.default.max_examples // 100
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


@often(300)
@given(program=programs(NORMAL))
def test_any_program_ends_in_order_and_keeps_to_the_model(program: Program) -> None:
    """Starts, stops, failures, cancellations, children, signals and pacings, all at once."""
    perform(program)


@often(150)
@given(program=brake_programs(NORMAL))
def test_a_task_takes_the_turns_that_its_brake_allows(program: Program) -> None:
    """None while it is paused, one for each step, and not more than its ceiling."""
    perform(program)


@often(150)
@given(program=farewell_programs(NORMAL))
def test_what_was_sent_before_a_stop_is_handled(program: Program) -> None:
    """In whatever tree, and whichever of its threads is stopped."""
    all_delivered(perform(program))


@pytest.mark.parametrize("name", KNOWN)
def test_what_once_went_wrong_goes_well(name: str) -> None:
    perform(KNOWN[name])
