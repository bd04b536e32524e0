"""Tasks that reschedule themselves: turns/s."""

from types import ModuleType

from .turn_rate import rate

PROGRAM = "turns"


async def measure(
    program: ModuleType, tasks: int, waiting: bool, seconds: float
) -> dict[str, float]:
    return await rate(program, seconds, tasks=tasks, waiting=waiting)
