"""Random trees with children here and on workers, by one model; and random ends of workers."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from link_harm import harm
from link_model import Plan, perform

pytest.importorskip("distributed", reason="dask.distributed is not installed")

leaves = st.builds(
    Plan, there=st.booleans(), kids=st.just([]), limit=st.sampled_from([0, 1, 7, 100])
)
trees = st.recursive(
    leaves,
    lambda kids: st.builds(
        Plan,
        there=st.booleans(),
        kids=st.lists(kids, max_size=3),
        limit=st.sampled_from([0, 1, 7, 100]),
    ),
    max_leaves=6,
)


@st.composite
def programs(draw: st.DrawFn) -> tuple[Plan, list[Any]]:
    plan = Plan(kids=draw(st.lists(trees, min_size=1, max_size=4)))
    path = st.sampled_from([path for path, _ in plan.paths()])
    acts = st.one_of(
        st.tuples(st.just("burst"), path, st.integers(1, 300)),
        st.tuples(st.just("shout"), path, st.integers(1, 300)),
        st.tuples(st.just("halt"), st.sampled_from([(n,) for n in range(len(plan.kids))])),
    )
    return plan, draw(st.lists(acts, max_size=8))


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=programs())
def test_no_signal_is_lost_doubled_or_out_of_order(client: Any, program: tuple[Plan, Any]) -> None:
    from task_thread.distributed import Workers

    async def run() -> None:
        async with await Workers.dask(client) as workers:
            await perform(*program, workers)

    asyncio.run(run())


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_of_a_worker_that_ends_in_the_middle_the_rest_is_counted(how: str) -> None:
    from task_thread.distributed import Workers

    patience = 30.0 if how == "kill" else 5.0
    async with await Workers.local(2, patience=patience) as workers:
        await harm(random.Random(7), workers, how)
