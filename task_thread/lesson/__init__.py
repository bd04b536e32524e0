"""What a lesson needs beside a program: a question before it runs, and figures while it does.

    from task_thread.lesson import listen, measure, predict

    predict(
        "How many turns in 3 seconds?",
        {"three": 3, "five or six": range(5, 7), "a thousand and more": lambda turns: turns > 1000},
        thread=clock,
        because="Each turn sleeps for half a second.",
    )
    print(await measure(clock, seconds=2))     # 4 turns in 2.0 s: 2.0 turns/s, 1% of a processor
    print(await listen(clock, seconds=2))      # []: the coach has nothing to say

`task_thread.only` is the fourth: one program at a time.
"""

from __future__ import annotations

from .listen import listen
from .measure import Measured, measure
from .predict import Prediction, predict, predictions

__all__ = ["predict", "predictions", "Prediction", "measure", "Measured", "listen"]  # noqa: RUF022
