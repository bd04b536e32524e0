"""Two workers for all tests of this folder but those that harm them."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """dask's client of two processes."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        gc.collect()
        gc.freeze()  # each test's collection need not look at it
        yield client


@pytest.fixture
async def workers(client: Any) -> AsyncIterator[Any]:
    """Workers for one test; what it leaves there is stopped."""
    from task_thread.distributed import Workers

    async with await Workers.dask(client) as workers:
        yield workers
