"""The base of the threads measured here: the two names that the reference insists on."""

import asyncio

from task_thread import TaskThread


class Named(TaskThread):
    """A thread that can tell its name."""

    main: "asyncio.Task[None]"
    """The root's `run()`, kept so that nobody collects it."""

    def getId(self) -> str:
        return str(id(self))

    def getInfo(self) -> str:
        return f"<{self.__class__.__name__} {self.getId()}>"
