"""What the tests of the coach share: each begins as if nothing had been told, and none makes it fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from programs import coached

from task_thread import coach
from task_thread._core import source
from task_thread.coach import advice, cofunctions, uses


@pytest.fixture(autouse=True)
def nothing_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    advice._logged_at.clear()
    # The other tests' modules are no part of a test's program, whatever names they use.
    monkeypatch.setattr(uses, "_imported", set)
    # Their programs have one file name, and `pass` may compile to what `return` did in the test before.
    for known in (coach._plain, cofunctions._readings, source.trees):
        known.clear()
    with coached():
        yield
    failed = [r.getMessage() for r in caplog.records if "coach failed" in r.getMessage()]
    assert not failed, "an error of the coach itself"
