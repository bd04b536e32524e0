"""The card of a prediction: its question, and a button for each choice.

page                    any OS thread            the kernel's main loop
{"choose": 2} ────────► _from_page ────────────► choose_soon ─► the program runs
the card is drawn anew  ◄─ the trait `card` ◄─── the prediction has changed
"""

from __future__ import annotations

from typing import Any

import traitlets

from task_thread._core.texts import brief
from task_thread.lesson.predict import Prediction, choose_soon

from .home import home_loop
from .page_code import script, style
from .page_messages import GuardedWidget, sendable
from .panel import live_part
from .refusal import Refusal


class PredictionView(GuardedWidget):
    """Shows one prediction; its page may only choose, by the number of the choice, from 1."""

    _esm = script("prediction.js")
    _css = style("theme.css", "prediction.css")

    card = traitlets.Dict(help="What the card says.").tag(sync=True)

    def __init__(self, prediction: Prediction) -> None:
        self._prediction = prediction
        super().__init__(card=_card(prediction))
        self.on_msg(self._from_page)
        prediction.listener = self._changed

    def _changed(self) -> None:
        if self.comm is not None:
            self.cell_context().run(setattr, self, "card", _card(self._prediction))

    def _from_page(self, _: object, content: Any, __: object) -> None:
        """Hand a message to the loop; called on any OS thread."""
        number = content.get("choose") if isinstance(content, dict) else None
        most = len(self._prediction.choices)
        if type(number) is not int or not 1 <= number <= most:
            self.refuse(Refusal(f"expected choose with 1 to {most}, found {brief(content)}"))
            return
        loop = home_loop()
        if loop is not None and not loop.is_closed():
            context = self.cell_context()
            loop.call_soon_threadsafe(choose_soon, self._prediction, number, context=context)

    def close(self) -> None:
        """Take the card's buttons out of the page."""
        if self._prediction.listener == self._changed:
            self._prediction.listener = None
        super().close()


_views: dict[str, PredictionView] = {}  # the newest for each question


def prediction_part(prediction: Prediction) -> dict[str, Any]:
    """Return the buttons' part of a MIME bundle."""
    view = _views.get(prediction.question)
    if view is None or view.comm is None or view._prediction is not prediction:
        if view is not None:
            view.close()
        view = _views[prediction.question] = PredictionView(prediction)
    return live_part(view)


def _card(prediction: Prediction) -> dict[str, Any]:
    card: dict[str, Any] = sendable(
        {
            "question": prediction.question,
            "choices": prediction.choices,
            "chosen": prediction.chosen,
            "right": prediction.right,
            "state": prediction.state,
            "verdict": prediction.verdict,
        }
    )
    return card
