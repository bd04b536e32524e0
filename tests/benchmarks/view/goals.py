"""The budget of the live view: what is measured, and how much of it is allowed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A line of the budget."""

    key: str
    title: str
    unit: str
    most: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        return f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}"

    def is_met(self, value: float) -> bool:
        """Whether a measured value is within the budget."""
        return value <= self.most if self.most is not None else value >= (self.least or 0)


BUDGET = (
    Goal("cpu", "kernel CPU above the same program with no view", "points", most=5),
    Goal("messages", "messages per panel and frame", "", most=1),
    Goal("traffic", "comm traffic, all panels", "kB/s", most=150),
    Goal("beside_median", "a trivial cell asked beside the server, median", "ms", most=10),
    Goal("beside_p95", "a trivial cell asked beside the server, 95th percentile", "ms", most=25),
    Goal("cell_median", "a trivial cell in the page, median", "ms", most=10),
    Goal("cell_p95", "a trivial cell in the page, 95th percentile", "ms", most=25),
    Goal("page", "frames the page draws", "/s", least=50),
    Goal("handler", "handler, the slowest panel", "ms/frame", most=4),
)

ALONE = (
    Goal("stop", "Stop pressed to thread stopped, idle kernel", "ms", most=150),
    Goal("hidden_messages", "view hidden or closed: messages", "", most=0),
    Goal("hidden_samples", "view hidden or closed: samples", "", most=0),
)
