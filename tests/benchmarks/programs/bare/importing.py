"""A program of bare asyncio imports nothing more."""

LIBRARY = "asyncio"
