"""A signal to and fro between parent and child: round trips/s."""

from types import ModuleType

from .turn_rate import rate

PROGRAM = "ping_pong"


async def measure(program: ModuleType, seconds: float) -> dict[str, float]:
    return await rate(program, seconds)
