"""The same properties over and over, with other and larger programs, until the time is over.

    python -m tests.properties.soak                    ten minutes
    SOAK_SECONDS=3600 python -m tests.properties.soak  an hour

A property that fails is shown with the shortest program found that breaks it, and left out after that.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .narrow_strategies import brake_programs, farewell_programs
from .perform import all_delivered, perform
from .plans import Program
from .strategies import DEEP, NORMAL, programs

SECONDS = 600.0
BATCH = 200  # examples of one property before the next one takes its turn

Property = tuple[str, st.SearchStrategy[Program], Callable[[Program], Any]]

PROPERTIES: list[Property] = [
    ("any program", programs(NORMAL), perform),
    ("any large program", programs(DEEP), perform),
    ("pacings", brake_programs(DEEP), perform),
    ("last signals", farewell_programs(DEEP), lambda program: all_delivered(perform(program))),
]


class Soak:
    """Runs properties in turn and counts their examples.

    Args:
        seconds: when they are over, no further example begins.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = time.monotonic()
        self.examples = 0
        self.failures = 0

    def over(self) -> bool:
        return time.monotonic() - self.began >= self.seconds

    def run(self) -> None:
        """Run batches of each property in turn until the time is over."""
        left = list(PROPERTIES)
        while left and not self.over():
            left = [prop for prop in left if self.over() or self._holds(prop)]
            print(self.summary(), flush=True)

    def _holds(self, prop: Property) -> bool:
        name, drawn, check = prop
        failing = False

        def example(program: Program) -> None:
            nonlocal failing
            if self.over() and not failing:  # what failed may be shrunk over the time
                return
            self.examples += 1
            try:
                check(program)
            except BaseException:
                failing = True
                raise

        batch = settings(
            max_examples=BATCH,
            deadline=None,
            derandomize=False,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )(given(program=drawn)(example))
        try:
            batch()
        except Exception:
            self.failures += 1
            print(f"\nsoak: FAILED, {name}\n{traceback.format_exc()}", flush=True)
            return False
        return True

    def summary(self) -> str:
        """One line that says how far it came."""
        seconds = time.monotonic() - self.began
        return f"soak: {self.examples} examples in {seconds:.0f} s, {self.failures} failures"


def main() -> int:
    """Soak for SOAK_SECONDS; the exit status is 1 if a property failed."""
    soak = Soak(float(os.environ.get("SOAK_SECONDS") or SECONDS))
    try:
        soak.run()
    except KeyboardInterrupt:
        print("soak: interrupted")
    print(soak.summary())
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
