"""Lets a program come to rest, or get up to speed, before it is measured."""

import asyncio


async def settle(seconds: float = 0.1) -> None:
    """Waits so long, and thereby lets everything that has been started run."""
    await asyncio.sleep(seconds)
