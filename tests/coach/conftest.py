"""What the tests of the coach share: each begins as if nothing had been told, and none makes it fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from task_thread.coach import advice


@pytest.fixture(autouse=True)
def nothing_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    advice._logged_at.clear()
    yield
    failed = [r.getMessage() for r in caplog.records if "coach failed" in r.getMessage()]
    assert not failed, "an error of the coach itself"
