"""Recording and replaying in a real JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path

from lab import settle, until
from playwright.sync_api import Locator, expect
from test_view import PROGRAM, panel, shown


def slider(replay: Locator) -> Locator:
    return replay.get_by_role("slider", name="Moment")


def slot(replay: Locator, name: str) -> Locator:
    return replay.locator(f'[role="treeitem"][data-slot="{name}"]').first


def test_a_view_is_recorded_and_replayed_above_its_panels(open_notebook, server):
    notebook = open_notebook(cells=[PROGRAM, "game", "game.stop();"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = shown(notebook)
    view.get_by_role("button", name="Record", exact=True).click()
    expect(view.get_by_role("button", name="Stop recording")).to_be_visible()
    expect(view.locator(".tt-keep-note", has_text="recording to game-")).to_be_visible()
    turns = slot(view, "serve").locator(".tt-turns")
    before = int(turns.text_content())
    expect(turns).to_have_text(
        re.compile(rf"^({'|'.join(str(before + n) for n in range(4, 60))})$")
    )
    view.get_by_role("button", name="Stop recording").click()
    note = view.locator(".tt-keep-note", has_text="shows it again")
    expect(note).to_be_visible()
    found = re.search(r"ReplayView\('(.*?\.ttr)'\)", note.text_content())
    assert found and (Path(server.root) / found[1]).is_file()

    view.get_by_role("button", name="Replay", exact=True).click()
    replay = view.locator(".task-thread-replay")
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
    assert (
        replay.get_by_role("button", name=re.compile("^(Stop|Pause|Step|Send|Start)")).count() == 0
    )
    slider(replay).focus()
    notebook.page.keyboard.press("End")
    replayed = slot(replay, "serve").locator(".tt-turns")
    until(notebook.page, lambda: int(replayed.text_content()) >= before + 3)
    at_end = replayed.text_content()
    notebook.page.keyboard.press("ArrowLeft")
    notebook.page.keyboard.press("Home")
    expect(replayed).not_to_have_text(at_end)
    notebook.screenshot("replay-in-a-view")
    view.get_by_role("button", name="Close the replay").click()
    expect(replay).to_have_count(0)


REPLAY = """
import glob
from task_thread_widgets import ReplayView
ReplayView(sorted(glob.glob("kept*.ttr"))[-1])
"""


def test_a_replay_needs_no_thread_and_follows_the_theme(open_notebook, server):
    notebook = open_notebook(
        cells=[
            PROGRAM.replace("game.start()", 'kept = game.record("kept.ttr")\ngame.start()'),
            "import asyncio\nawait asyncio.sleep(1.5)\nawait game.stop()\nawait game.join()\ndel game, kept",
            REPLAY,
        ]
    )
    notebook.run_all()
    assert notebook.failed_cells() == []
    replay = notebook.cell(2).locator(".task-thread-replay")
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
    replay.scroll_into_view_if_needed()
    replay.get_by_role("button", name="Next signal").click()
    expect(panel(replay, "timeline").locator(".tl-name", has_text="serve")).to_be_visible()
    slider(replay).focus()
    notebook.page.keyboard.press("End")
    replay.get_by_role("tab", name="Log").click()
    expect(panel(replay, "log").locator(".tt-log-line").first).to_be_visible()
    replay.get_by_role("tab", name="Source").click()
    expect(panel(replay, "source").locator(".tt-src-line[data-line]").first).to_be_visible()
    replay.get_by_role("tab", name="Timeline").click()
    light = replay.locator(".rp-bar").evaluate("bar => getComputedStyle(bar).backgroundColor")
    notebook.set_theme("dark")
    expect(replay.locator(".rp-bar")).not_to_have_css("background-color", light)
    settle(replay)
    notebook.screenshot("replay-view-dark")
    notebook.set_theme("light")
    replay.get_by_role("button", name="Save as HTML").click()
    expect(replay.locator(".rp-told")).to_contain_text("saved as")
    assert (Path(server.root) / "kept.html").stat().st_size > 50_000
    notebook.screenshot("replay-view-light")


FAILS = (
    PROGRAM.replace("game.start()", "")
    + """
class Falls(Game):
    async def serve__(self):
        await asyncio.sleep(0.5)
        raise ValueError("dropped")

falls = Falls("falls")
falls.start()
falls
"""
)


def test_the_last_seconds_before_an_error_are_replayed(open_notebook):
    notebook = open_notebook(
        cells=["import task_thread\n%load_ext task_thread\n%taskthreads record on", FAILS]
    )
    notebook.run_all()
    view = shown(notebook)
    failed = slot(view, "serve")
    expect(failed).to_have_attribute("data-state", "failed")
    button = failed.get_by_role("button", name="Replay the last seconds")
    expect(button).to_be_visible()
    notebook.screenshot("replay-button-in-the-tree")
    button.click()
    replay = view.locator(".task-thread-replay")
    replay.get_by_role("button", name="Next failure").click()
    expect(slot(replay, "serve")).to_have_attribute("data-state", "failed")
    replay.get_by_role("button", name="Back by a turn").click()
    expect(slot(replay, "serve")).to_have_attribute("data-state", "waiting")
    notebook.screenshot("replay-of-a-failure")
    view.get_by_role("button", name="Close the replay").click()
    expect(replay).to_have_count(0)
    # Beside the error in the log, and beside the coach's advice.
    view.get_by_role("tab", name="Log", exact=True).click()
    log = panel(view, "log")
    for tone in ("error", "advice"):
        line = log.locator(f'.tt-log-line[data-tone="{tone}"]').first
        line.get_by_role("button", name="Replay the last seconds").click()
        expect(replay.get_by_role("button", name="Play")).to_be_visible()
        notebook.screenshot(f"replay-from-the-log-{tone}")
        view.get_by_role("button", name="Close the replay").click()
        expect(replay).to_have_count(0)
