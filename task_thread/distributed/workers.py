"""Processes that run children: on this machine, or wherever dask has its workers."""

from __future__ import annotations

import asyncio
import sys
import time
from types import TracebackType
from typing import Any

from .._core import watchdog
from ..thread import TaskThread
from .link import Link, there
from .proxy import Proxy, proxy_of

PATIENCE = 30.0
_LOOK_AGAIN = 1.0  # seconds
_NOWHERE = "127.0.0.1:0"  # of the pages that dask serves: not its port 8787 on every network


class Workers:
    """Where children can run instead of here; make one with `Workers.local` or `Workers.dask`.

        workers = await Workers.local(2)
        await self.addChild(child, on=workers)
        ...
        await workers.close()

    `async with await Workers.local(2) as workers:` closes them at the end of the block.

    Each child goes to the worker that has the fewest of them. It is sent as it was made, before it has
    run, with its class; what it knows later comes back by signals only.
    """

    def __init__(self, client: Any, cluster: Any, patience: float) -> None:
        self._client = client
        self._cluster = cluster  # ours, to be closed; or None
        self._patience = patience
        self._home = asyncio.get_running_loop()
        self._links: dict[str, Link] = {}
        self._names: dict[str, str] = {}  # of the workers, by their addresses
        self._lost: set[str] = set()  # addresses
        self._looked = float("-inf")  # when dask was asked for the names
        self._opening = asyncio.Lock()
        self._closed = False

    @classmethod
    async def local(
        cls, number: int = 2, *, security: bool = False, patience: float = PATIENCE
    ) -> Workers:
        """Start processes on this machine.

        Args:
            number: how many.
            security: whether they and this process talk by TLS, with certificates made for them; needs
                the package `cryptography`.
            patience: seconds without an answer after which a worker is lost.

        Raises:
            ValueError: `number` is not positive.
            RuntimeError: a script lacks `if __name__ == "__main__":`.
        """
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"expected a number of workers, 1 or more, found {number!r}")
        if getattr(sys.modules.get("__mp_main__"), "__name__", "") == "__mp_main__":
            raise RuntimeError(
                "each worker imports the script that starts it, so what starts the program must not "
                'run then: put it below a line `if __name__ == "__main__":`'
            )
        from distributed import Client, LocalCluster

        def begin() -> tuple[Any, Any]:
            cluster = LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                processes=True,
                dashboard_address=_NOWHERE,
                worker_dashboard_address=_NOWHERE,
                security=security or None,
            )
            try:
                return cluster, Client(cluster, set_as_default=False, direct_to_workers=True)
            except BaseException:
                cluster.close()
                raise

        cluster, client = await asyncio.to_thread(begin)
        workers = cls(client, cluster, patience)
        await workers._look()
        return workers

    @classmethod
    async def dask(cls, client: Any, *, patience: float = PATIENCE) -> Workers:
        """Use the workers of a `dask.distributed.Client`, wherever they are.

        They need the same Python 3.x, and `task-thread[distributed]`. `close` leaves the client open.

        Raises:
            TypeError: it is no client.
        """
        from distributed import Client

        if not isinstance(client, Client):
            raise TypeError(
                f"expected a dask.distributed.Client, found {type(client).__name__}: write "
                "client = Client(cluster)"
            )
        workers = cls(client, None, patience)
        await workers._look()
        return workers

    def __reduce__(self) -> Any:
        raise TypeError("Workers can't be sent to a worker: a child there makes its own")

    def __repr__(self) -> str:
        if self._closed:
            return "<Workers, closed>"
        return f"<Workers: {', '.join(self._names.values()) or 'none yet'}>"

    async def __aenter__(self) -> Workers:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def adopt(self, child: TaskThread) -> None:
        """Let the next runs of a child take place there; `addChild(child, on=workers)` calls it.

        Raises:
            TypeError: something in it can't be sent.
            RuntimeError: these Workers were closed, or belong to another event loop, or there are none.
        """
        link = await self.link()  # its errors come before anything is changed
        before = proxy_of(child)
        if before is not None:
            before.leave()
        Proxy(self, child, link)

    async def link(self) -> Link:
        """Return the link to the worker with the fewest children."""
        if self._closed:
            raise RuntimeError("these Workers were closed: make new ones, with Workers.local(2)")
        if asyncio.get_running_loop() is not self._home:
            raise RuntimeError(
                "these Workers belong to another event loop: make them on the one where the parent runs"
            )
        async with self._opening:
            gone = any(link.gone for link in self._links.values())
            if gone or time.monotonic() - self._looked > _LOOK_AGAIN:
                await self._look()
            names = self._names
            if not names:
                raise RuntimeError("there is no worker: the cluster has none at this moment")

            def load(address: str) -> int:
                link = self._links.get(address)
                return 0 if link is None else len(link.proxies)

            address = min(names, key=load)
            link = self._links.get(address)
            if link is None:
                link = Link(self._client, address, names[address], self._home, self._patience)
                await link.open(coached=bool(watchdog.loop_beats))
                self._links[address] = link
            return link

    async def _look(self) -> None:
        """Ask dask which workers there are."""

        async def ask() -> Any:
            return await self._client.scheduler.identity()

        for address in [address for address, link in self._links.items() if link.gone]:
            del self._links[address]
            self._lost.add(address)
        found = (await there(self._client, ask()))["workers"]
        names = {address: f"worker {facts['name']}" for address, facts in found.items()}
        self._names = {
            address: names[address]
            for address in sorted(names, key=names.__getitem__)
            if address not in self._lost  # dask may not have noticed
        }
        self._looked = time.monotonic()

    async def close(self) -> None:
        """Stop what still runs there, and end the processes that `local` started."""
        if self._closed:
            return
        self._closed = True
        links = list(self._links.values())
        await asyncio.gather(*(link.close() for link in links))
        if self._cluster is not None:
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._client.close()
        self._cluster.close()
