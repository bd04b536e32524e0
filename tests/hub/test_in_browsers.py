"""Two students in real browsers, who log in at the hub's page: each has a view that lives and obeys."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from a_hub import Hub, logged_in
from alive import CELLS, FIRST, ROOTS, assert_alive_and_obedient
from lab import Notebook, until
from playwright.sync_api import Browser, expect
from values import TEACHER

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_each_sees_and_steers_their_own_program(browser: Browser, hub: Hub) -> None:
    with ExitStack() as stack:
        opened, views = [], []
        for name in ("dan", "joe"):
            server = hub.user(name)
            (server.root / FIRST).write_bytes((NOTEBOOKS / FIRST).read_bytes())
            context = stack.enter_context(logged_in(browser, server))
            notebook = stack.enter_context(closing(Notebook(server, context, FIRST)))
            for index in sorted(CELLS.values())[:8]:  # as far as the greetings of `hello`
                notebook.run_cell(index)
            view = notebook.add_cell("from task_thread_widgets import ThreadView\nThreadView()")
            views.append(notebook.cell(view).locator(".task-thread-view"))
            opened.append(notebook)
        dan, joe = opened
        assert_alive_and_obedient(views[0], dan.kernel, "hub")
        assert [dan.kernel.evaluate(ROOTS), joe.kernel.evaluate(ROOTS)] == [[], ["hello"]]
        thread = views[1].locator('[role=treeitem][data-kind=thread][data-id="hello"]')
        expect(thread).to_have_attribute("data-state", "running")
        views[1].get_by_role("button", name="Stop hello").click()
        expect(thread).to_have_attribute("data-state", "stopped")
        until(joe.page, lambda: joe.kernel.evaluate(ROOTS), [])
        assert [*dan.errors, *joe.errors] == []


def test_a_teacher_works_on_the_server_that_is_kept_from_others(browser: Browser, hub: Hub) -> None:
    server = hub.user(TEACHER, "class")
    (server.root / FIRST).write_bytes((NOTEBOOKS / FIRST).read_bytes())
    with (
        logged_in(browser, server) as context,
        closing(Notebook(server, context, FIRST)) as notebook,
    ):
        assert notebook.text(notebook.add_cell("6 * 7")) == "42"
