"""A question that is answered before the program runs, and then by the program.

    asking ─► choose ─► running ─► answered        the buttons call `choose`; so may any code
                            └────► asking          the measure failed; its error is told

The truth is measured when a choice was made, never before, and nothing here knows it: it comes from the live
program. In a notebook the question, the choice and the truth stand in the cell's output, as text too, so that
the saved notebook keeps them. A `Prediction` knows no page: `listener` is called when it changes.
"""

from __future__ import annotations

import asyncio
import html
import importlib
import inspect
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from .._core.environment import in_kernel, shell
from .._core.log import library, say
from .._core.texts import brief, describe, shown, text_of
from ..kernel.display import prediction_part
from ..only import only
from ..thread import TaskThread
from .measure import measure as measure_thread

_asked: dict[str, Prediction] = {}  # by their questions
_numbers = itertools.count(1)


class Prediction:
    """A question, its choices, what was chosen, and what was true. `predict` makes it.

    Attributes:
        question: as asked.
        choices: the texts to choose from.
        chosen: the text that was chosen first; "" before.
        truth: what was measured; `None` before.
        right: the text of the choice that fits the truth; "" if none does, or before.
        state: "asking", "running" or "answered".
    """

    def __init__(
        self,
        question: str,
        choices: Mapping[str, Any],
        measure: Callable[[], Any],
        because: str | Mapping[str, str],
    ) -> None:
        self.question = question
        self.choices = tuple(choices)
        self.chosen = ""
        self.truth: Any = None
        self.right = ""
        self.state = "asking"
        self.error = ""
        self.listener: Callable[[], object] | None = None
        self._fits = dict(choices)
        self._measure = measure
        self._because = because
        self._name = f"task-thread-prediction-{next(_numbers)}"
        self._displayed = False

    async def choose(self, choice: int | str) -> Prediction:
        """Choose, run the program, and return this prediction, which now knows the truth.

        A second choice measures again; `chosen` stays the first.

        Args:
            choice: the text of a choice, or its number, from 1.

        Raises:
            ValueError: there is no such choice.
            RuntimeError: it is being measured already.
            Exception: the error of the measure; the question can be answered again.
        """
        if isinstance(choice, int) and 1 <= choice <= len(self.choices):
            choice = self.choices[choice - 1]
        if choice not in self.choices:
            raise ValueError(
                f"expected a number from 1 to {len(self.choices)}, or one of {self.choices}, "
                f"found {brief(choice)}"
            )
        if self.state == "running":
            raise RuntimeError("the program runs already to answer this question: wait for it")
        before = self.chosen, self.state
        self.chosen, self.state, self.error = self.chosen or str(choice), "running", ""
        self._changed()
        try:
            truth = self._measure()
            if inspect.isawaitable(truth):
                truth = await truth
            right = next((text for text in self.choices if _fits(truth, self._fits[text])), "")
        except BaseException as error:
            (self.chosen, self.state), self.error = before, describe(error)
            self._changed()
            raise
        self.truth, self.right, self.state = truth, right, "answered"
        self._changed()
        return self

    @property
    def verdict(self) -> str:
        """What is said of the choice: whether it was right, what was true, and why; "" before."""
        if self.error:
            return f"The program could not answer: {self.error}. Choose again."
        if self.state != "answered":
            return "The program runs…" if self.state == "running" else ""
        if self.chosen == self.right:
            said = f"Right: {_told(self.truth)}."
        else:
            right = f"Right is “{self.right}”" if self.right else "No choice fits"
            said = f"You chose “{self.chosen}”. {right}: it was {_told(self.truth)}."
        why = self._because
        return f"{said} {why if isinstance(why, str) else why.get(self.chosen, '')}".rstrip()

    def __str__(self) -> str:
        marks = {self.chosen: "you chose"}
        if self.state == "answered":
            marks[self.right] = "you chose, right" if self.chosen == self.right else "right"
        lines = [self.question]
        for number, text in enumerate(self.choices, 1):
            lines.append(f"  {number}  {text}" + (f"   ◄ {marks[text]}" if text in marks else ""))
        name = "prediction" if shell() is None else "_"
        lines.append(self.verdict or f"Choose by its number: await {name}.choose(1)")
        return "\n".join(lines)

    __repr__ = __str__

    def to_html(self) -> str:
        """Return the same as HTML, for a page without its kernel."""
        first, *choices, last = str(self).splitlines()
        items = "".join(f"<li>{html.escape(line[5:])}</li>" for line in choices)
        return f"<p><b>{html.escape(first)}</b></p><ol>{items}</ol><p>{html.escape(last)}</p>"

    def _changed(self) -> None:
        if self.listener is not None:
            self.listener()
        if self._displayed:
            self._show(update=True)

    def _ipython_display_(self) -> None:
        self._show(update=False)
        self._displayed = True

    def _show(self, update: bool) -> None:
        """Put it into the cell's output; or what has changed into all outputs that show it."""
        shows: Any = importlib.import_module("IPython.display")
        bundle = prediction_part(self) if in_kernel() else {}
        bundle.update({"text/plain": str(self), "text/html": self.to_html()})
        if update:
            shows.update_display(bundle, raw=True, display_id=self._name)
        else:
            shows.display(bundle, raw=True, display_id=self._name)


def predict(
    question: str,
    choices: Mapping[str, Callable[[Any], object] | object],  # so that a checker knows a lambda
    *,
    thread: TaskThread | None = None,
    measure: Callable[..., Any] | None = None,
    seconds: float = 3,
    because: str | Mapping[str, str] = "",
) -> Prediction:
    """Ask before the program runs. As the last line of a cell it is a card with a button for each choice.

    Args:
        question: what will happen, in one sentence.
        choices: for each text what the truth is then: a value; a `range`, for a number from its start up
            to, and without, its stop; or a function that takes the truth and says whether it fits.
        thread: it alone runs when the truth is measured: see `task_thread.only`.
        measure: called for the truth, and awaited, with `thread` if that is given; without it the turns
            of `thread` are counted.
        seconds: for how long turns are counted.
        because: the reason, told after the choice; or a reason for each choice.

    Raises:
        TypeError, ValueError: what was given can't be asked, or can't be measured.
    """
    if not isinstance(choices, Mapping) or len(choices) < 2:
        raise ValueError(
            "expected two or more choices as a dict, each text with what the truth is then, "
            f'as {{"none": 0, "about ten": range(8, 13)}}, found {brief(choices)}'
        )
    if thread is not None and not isinstance(thread, TaskThread):
        raise TypeError(f"expected a TaskThread as thread, found {shown(thread)}")
    if measure is None and thread is None:
        raise TypeError("expected thread=, whose turns are counted, or measure=, or both")
    if measure is not None and not callable(measure):
        raise TypeError(f"expected measure= as a function, found {shown(measure)}")

    async def truth() -> Any:
        if thread is None:
            assert measure is not None
            found = measure()
        else:
            await only(thread)
            found = measure_thread(thread, seconds) if measure is None else measure(thread)
        found = await found if inspect.isawaitable(found) else found
        return found.turns if measure is None else found

    texts = {str(text): fits for text, fits in choices.items()}
    prediction = _asked[question] = Prediction(str(question), texts, truth, because)
    return prediction


def predictions() -> list[Prediction]:
    """Return the questions of this notebook, the latest of each, in the order in which they were asked."""
    return list(_asked.values())


def choose_soon(prediction: Prediction, number: int) -> None:
    """Choose on the running loop, for a button; an error is told on the card and in the log."""

    async def choose() -> None:
        try:
            await prediction.choose(number)
        except Exception as error:
            say(library, logging.ERROR, "%s", prediction.question, error=error)

    task = asyncio.get_running_loop().create_task(choose())
    _choosing.add(task)
    task.add_done_callback(_choosing.discard)


_choosing: set[asyncio.Task[None]] = set()  # asyncio itself holds them weakly


def _fits(truth: Any, expected: Any) -> bool:
    if isinstance(expected, range):
        return bool(expected.start <= truth < expected.stop)
    if callable(expected):
        return bool(expected(truth))
    return bool(truth == expected)


def _told(truth: Any) -> str:
    if isinstance(truth, float):
        return f"{truth:.1f}"
    if isinstance(truth, int) and not isinstance(truth, bool):
        return f"{truth:,}"
    return text_of(truth)
