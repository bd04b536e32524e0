"""The card of a prediction: what a page sees of it, and the one thing that a page may do."""

from __future__ import annotations

import asyncio
import logging

import pytest
import task_thread_widgets.page_messages
import task_thread_widgets.prediction_view
from task_thread_widgets.prediction_view import PredictionView, prediction_part

from task_thread.lesson import predict


def asked(question="How many?"):
    return predict(question, {"none": 0, "three": 3}, measure=lambda: 3, because="So it is.")


@pytest.fixture
def at_home(monkeypatch):
    """The loop of the test is the kernel's."""
    for module in (task_thread_widgets.prediction_view, task_thread_widgets.page_messages):
        monkeypatch.setattr(module, "home_loop", asyncio.get_running_loop)


def say(view, content):
    view.comm.callback(
        {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
    )


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def test_a_button_chooses_and_the_card_tells_the_truth(at_home):
    prediction = asked()
    view = PredictionView(prediction)
    assert list(view.card["choices"]) == ["none", "three"]
    assert (view.card["state"], view.card["verdict"]) == ("asking", "")
    say(view, {"choose": 1})
    await until(lambda: prediction.state == "answered")
    assert (view.card["chosen"], view.card["right"]) == ("none", "three")
    assert view.card["verdict"] == "You chose “none”. Right is “three”: it was 3. So it is."


@pytest.mark.parametrize(
    "content", [None, {}, {"choose": 0}, {"choose": 3}, {"choose": "1"}, {"choose": True}, [1]]
)
async def test_a_page_can_ask_for_nothing_else(at_home, caplog, content):
    prediction = asked()
    view = PredictionView(prediction)
    with caplog.at_level(logging.WARNING, "task_thread.widgets"):
        say(view, content)
        await until(lambda: caplog.records)
    assert "expected choose with 1 to 2, found" in caplog.text
    assert prediction.state == "asking"


async def test_a_page_can_not_write_the_card(at_home, caplog):
    view = PredictionView(asked())
    before = dict(view.card)
    update = {"method": "update", "state": {"card": {"question": "!"}}, "buffer_paths": []}
    view.comm.callback({"content": {"data": update}, "buffers": []})
    await until(lambda: caplog.records)
    assert view.card == before


async def test_the_same_question_asked_again_has_a_card_of_its_own_and_the_old_one_goes(at_home):
    first, second = asked(), asked()
    [old] = prediction_part(first).values()
    assert prediction_part(first) == {"application/vnd.jupyter.widget-view+json": old}
    [new] = prediction_part(second).values()
    assert new["model_id"] != old["model_id"]
    assert first.listener is None
