"""What a check tells: a `Report` if all went well, a `CheckFailed` with a sentence if not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._core.lines import Place

KINDS = (
    "assert", "expectation", "error", "deadlock", "deadline", "endless", "left running",
    "swallowed cancellation", "time.sleep", "input", "exit",
)  # fmt: skip
"""What a `CheckFailed` can be of."""


@dataclass(frozen=True)
class Report:
    """What happened while a program was checked.

    Attributes:
        seconds: how long it took on its own clock (virtual seconds, unless checked with `real=True`).
        took: how long it took on the machine's clock, in seconds.
        result: what the program returned.
        output: what it printed.
        errors: what it wrote to stderr, log lines that no handler took among it.
        log: what its threads logged, as "NAME - LEVEL - message".
        notes: what else was noticed: tasks that failed, coroutines that nobody awaited.
    """

    seconds: float
    took: float
    result: Any = None
    output: str = ""
    errors: str = field(default="", repr=False)
    log: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.output.splitlines()

    def __str__(self) -> str:
        text = f"passed: {self.seconds:.6g} s on the program's clock, in {self.took:.2g} s"
        return "\n".join([text, *(f"  noticed: {note}" for note in self.notes)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))  # in a notebook: the sentence, not the fields


class CheckFailed(AssertionError):
    """A program did not do what was expected; its text says what, what was found, and where.

    Attributes:
        kind: what went wrong, in a word or two; see `check` for the list.
        place: file name, line and function where it did, or `None`.
        report: what happened until then, or `None` where no check was running.
    """

    def __init__(
        self,
        text: str,
        kind: str = "expectation",
        place: Place | None = None,
        report: Report | None = None,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.place = place
        self.report = report

    def _render_traceback_(self) -> list[str]:
        """Show it in a notebook: the sentence, without the way through the code that checked."""
        lines = [f"{type(self).__name__}: {self}"]
        if self.kind == "error" and self.__cause__ is not None:
            import traceback

            lines += ["", *"".join(traceback.format_exception(self.__cause__)).splitlines()]
        return lines


class CheckWarning(UserWarning):
    """Something was noticed while a program was checked that passed all the same."""
