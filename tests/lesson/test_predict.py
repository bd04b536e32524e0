"""A prediction is made before the program runs, and the program answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from task_thread import TaskThread, reCreate, reSchedule, threads
from task_thread.lesson import Prediction, predict, predictions
from task_thread.lesson.predict import _asked, choose_soon
from task_thread.testing import virtual_time


@pytest.fixture(autouse=True)
def nothing_asked() -> Iterator[None]:
    _asked.clear()
    yield
    _asked.clear()


class Ticking(TaskThread):
    async def enter__(self) -> None:
        self.tasks.tick = await reCreate(None, self.tick)

    async def tick(self) -> None:
        await asyncio.sleep(1)
        self.tasks.tick = await reSchedule(self.tick)


def asked(truth: Any, **more: Any) -> Prediction:
    choices = {"none": 0, "a few": range(1, 10), "many": lambda turns: turns >= 10}
    return predict("How many?", choices, measure=lambda: truth, **more)


@virtual_time
async def test_the_truth_comes_from_the_program_which_runs_alone_once_a_choice_was_made() -> None:
    other, ticking = Ticking(), Ticking()
    other.start()
    prediction = predict(
        "How many turns in 5 s?",
        {"none": 0, "four or five": range(4, 6)},
        thread=ticking,
        seconds=5.5,
        because="Each turn sleeps for a second.",
    )
    assert (prediction.state, ticking.running, prediction.truth) == ("asking", False, None)
    await prediction.choose("four or five")
    assert threads() == [ticking]
    assert (prediction.truth, prediction.right) == (5, "four or five")
    assert prediction.verdict == "Right: 5. Each turn sleeps for a second."
    await ticking.stop()
    await ticking.join()


@pytest.mark.parametrize(
    ("truth", "choice", "right", "verdict"),
    [
        (0, "none", "none", "Right: 0."),
        (3, 1, "a few", "You chose “none”. Right is “a few”: it was 3."),
        (12_345, "a few", "many", "You chose “a few”. Right is “many”: it was 12,345."),
        (9.5, 2, "a few", "Right: 9.5."),
        (-1, 2, "", "You chose “a few”. No choice fits: it was -1."),
    ],
)
async def test_the_choice_that_fits_the_truth_is_right(
    truth: Any, choice: Any, right: str, verdict: str
) -> None:
    prediction = await asked(truth).choose(choice)
    assert (prediction.right, prediction.verdict) == (right, verdict)


async def test_a_measure_is_given_the_thread() -> None:
    ticking = Ticking()
    given: list[TaskThread] = []
    prediction = predict("Who?", {"one": 1, "none": 0}, thread=ticking, measure=given.append)
    await prediction.choose("one")
    assert given == [ticking]
    await ticking.stop()
    await ticking.join()


async def test_a_wrong_answer_is_answered_with_its_reason() -> None:
    reasons = {"none": "A cell that awaits lets others run.", "many": "Each tick takes a second."}
    prediction = await asked(3, because=reasons).choose("many")
    assert prediction.verdict == (
        "You chose “many”. Right is “a few”: it was 3. Each tick takes a second."
    )


async def test_without_buttons_it_is_text_with_numbers() -> None:
    prediction = asked(0, because="So it is.")
    assert str(prediction) == (
        "How many?\n  1  none\n  2  a few\n  3  many\n"
        "Choose by its number: await prediction.choose(1)"
    )
    await prediction.choose(2)
    assert str(prediction) == (
        "How many?\n  1  none   ◄ right\n  2  a few   ◄ you chose\n  3  many\n"
        "You chose “a few”. Right is “none”: it was 0. So it is."
    )


async def test_a_second_choice_measures_again_and_the_first_is_kept() -> None:
    prediction = await asked(3).choose("many")
    await prediction.choose("a few")
    assert (prediction.chosen, prediction.right) == ("many", "a few")


async def test_a_program_that_can_not_answer_is_told_and_may_be_asked_again() -> None:
    truths = iter([None, 3])

    def measured() -> int:
        truth = next(truths)
        if truth is None:
            raise OSError("no network")
        return truth

    prediction = predict("How many?", {"none": 0, "three": 3}, measure=measured)
    with pytest.raises(OSError, match="no network"):
        await prediction.choose("none")
    assert (prediction.state, prediction.chosen) == ("asking", "")
    assert prediction.verdict == (
        "The program could not answer: OSError: no network. Choose again."
    )
    await prediction.choose("three")
    assert prediction.verdict == "Right: 3."


async def test_a_cancelled_measure_can_be_asked_again() -> None:
    forever = asyncio.get_running_loop().create_future()
    prediction = predict("How long?", {"long": 1, "short": 0}, measure=lambda: forever)
    choosing = asyncio.ensure_future(prediction.choose("long"))
    await asyncio.sleep(0)
    assert prediction.state == "running"
    with pytest.raises(RuntimeError, match="runs already"):
        await prediction.choose("short")
    choosing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await choosing
    assert prediction.state == "asking"


async def test_a_button_gets_errors_logged(caplog: pytest.LogCaptureFixture) -> None:
    changes: list[str] = []

    def fails() -> None:
        raise OSError("no network")

    prediction = predict("How many?", {"none": 0, "three": 3}, measure=fails)
    told = asyncio.Event()

    def changed() -> None:
        changes.append(prediction.state)
        if prediction.error:
            told.set()

    prediction.listener = changed
    choose_soon(prediction, 1)
    await told.wait()
    assert changes == ["running", "asking"]
    await asyncio.sleep(0)
    assert "How many?" in caplog.text


@pytest.mark.parametrize("choice", [0, 4, "some", None, -1])
async def test_what_is_no_choice_is_refused(choice: Any) -> None:
    with pytest.raises(ValueError, match="expected a number from 1 to 3, or one of"):
        await asked(1).choose(choice)


def test_as_html_every_text_is_escaped() -> None:
    prediction = predict("<b>?", {"<i>": 0, "b": 1}, measure=lambda: 0)
    page = prediction.to_html()
    assert "&lt;i&gt;" in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("choices", "more", "error", "says"),
    [
        ({"one": 1}, {"measure": int}, ValueError, "two or more choices"),
        (["one", "two"], {"measure": int}, ValueError, "as a dict"),
        ({"a": 1, "b": 2}, {}, TypeError, "expected thread="),
        ({"a": 1, "b": 2}, {"thread": 3}, TypeError, "expected a TaskThread"),
        ({"a": 1, "b": 2}, {"measure": 3}, TypeError, "as a function"),
    ],
)
def test_what_can_not_be_asked_is_refused(
    choices: Any, more: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        predict("?", choices, **more)


async def test_all_predictions_are_listed_the_latest_of_each_question() -> None:
    asked(1)
    again = await asked(3).choose(1)
    other = predict("And?", {"a": 1, "b": 2}, measure=lambda: 1)
    assert predictions() == [again, other]
