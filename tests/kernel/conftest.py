"""A real Jupyter kernel for a whole file of tests, made clean after each of them.

The files in `_ON_EACH` are run on each ipykernel of `kernel_venvs.py`, the others on the one that is
here. `TASK_THREAD_KERNEL=6.29 pytest tests/kernel` runs them all on another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_kernel import Kernel
from kernel_venvs import HERE, chosen, names

# What depends on how a kernel runs cells, handles interrupts and hands on messages.
_ON_EACH = {"test_cells", "test_display", "test_interrupt", "test_messages"}

_CLEAN = """
for _thread in __import__("task_thread").threads():
    await _thread.stop()
    await _thread.join()
del _thread
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "module_kernel" in metafunc.fixturenames:
        each = metafunc.module.__name__.rpartition(".")[2] in _ON_EACH and chosen() == HERE
        metafunc.parametrize(
            "module_kernel", names() if each else [chosen()], indirect=True, scope="module"
        )


@pytest.fixture(scope="module")
def module_kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    kernel = Kernel(request.param)
    try:
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def kernel(module_kernel: Kernel) -> Iterator[Kernel]:
    module_kernel.run("_thread = None\nfrom task_thread import *\nimport asyncio, task_thread")
    yield module_kernel
    module_kernel.run("_thread = None\n" + _CLEAN)
    module_kernel.run("%reset -f")
