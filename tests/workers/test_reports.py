"""What is known here of threads and tasks elsewhere, in whichever order the reports come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from far import Parent, soon

pytest.importorskip("distributed", reason="dask.distributed is not installed")


def facts(serial: int, above: int, name: str, state: str = "running") -> Any:
    from task_thread.distributed.facts import ThreadFacts

    return ThreadFacts(1, serial, above, name, "", "Far", state, "", 0, 0, 0, (0, 0), ())


async def test_a_report_that_was_overtaken_tells_what_the_newer_one_did_not() -> None:
    from task_thread.distributed.shadows import Shadows

    parent = Parent()
    parent.start()
    await soon(lambda: parent.running)
    ended: list[int] = []

    async def end_below(serial: int) -> None:
        ended.append(serial)

    proxy: Any = SimpleNamespace(
        thread=parent, worker="worker 0", pack=lambda signal: None, end_below=end_below
    )
    shadows = Shadows(proxy)
    shadows.take(1, [facts(10, 0, "top"), facts(11, 10, "ann"), facts(12, 10, "bob")], [])
    shadows.take(3, [facts(11, 10, "ann, renamed")], [12])
    # Made before, and comes later.
    shadows.take(2, [facts(11, 10, "old"), facts(12, 10, "gone"), facts(13, 10, "new")], [])
    await soon(lambda: {child.getId() for child in parent.children} == {"ann, renamed", "new"})
    shadows.end()
    await parent.stop()
    await parent.join()
