"""A recording as one HTML file, as a figure, and as a widget; the browser's part is in tests/browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from properties import virtual_time
from recording.a_program import Top
from task_thread_widgets import ReplayView, export_figure
from task_thread_widgets.recorded_page import name_of, packed, page
from task_thread_widgets.replay_view import MOST_SAVED
from task_thread_widgets.replay_view import ReplayView as View

from task_thread import replay
from task_thread.recording import RecordingError, export_html

HOSTILE = "</script><script>document.title='XSS'</script><img src=x onerror=alert(1)>\ud800\0&quot;"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "top.ttr"

    async def main(loop: virtual_time.VirtualLoop) -> None:
        top = Top()
        top.record(path)
        running = loop.create_task(top.run())
        await virtual_sleep(5)
        await top.stop()
        await running

    from asyncio import sleep as virtual_sleep

    virtual_time.run(main)
    return path


def unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def scripts(text: str) -> list[str]:
    return re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)


def test_the_file_holds_the_whole_film_and_nothing_that_a_browser_would_fetch(
    recording: Path, tmp_path: Path
) -> None:
    export_html(recording, tmp_path / "top.html", at=1.5)
    text = (tmp_path / "top.html").read_text(encoding="utf-8")
    film, code, boot = scripts(text)
    with replay(recording) as read:
        assert unpacked(film) == json.loads(json.dumps(read.film()))
        assert html.escape(str(read.at(read.seconds))) in text
    assert 'id="film" data-at="1.5"' in text
    assert not re.search(r"(?:src|href)=|https?:|url\(|@import|\bimport\(", boot + style_of(text))
    assert "fetch(" not in gzip.decompress(base64.b64decode(code)).decode()


def style_of(text: str) -> str:
    found = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert found
    return found[1]


def test_its_policy_lets_its_own_two_scripts_run_and_nothing_else(
    recording: Path, tmp_path: Path
) -> None:
    export_html(recording, tmp_path / "top.html")
    text = (tmp_path / "top.html").read_text(encoding="utf-8")
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert found
    policy = dict(part.strip().split(" ", 1) for part in found[1].split(";"))
    _, code, boot = scripts(text)
    both = (boot, gzip.decompress(base64.b64decode(code)).decode())
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in both]
    assert policy == {
        "default-src": "'none'",
        "script-src": " ".join(f"'sha256-{one}'" for one in hashes),
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_hostile_texts_are_text() -> None:
    film = {"format": 1, "about": {"name": HOSTILE}, "log": [HOSTILE], HOSTILE: HOSTILE}
    text = page(packed(film), name_of(film), "</pre><script>alert(1)</script>\ud800")
    assert len(scripts(text)) == 3
    assert "<script>alert" not in text
    assert "<title>&lt;/script&gt;" in text
    assert unpacked(scripts(text)[0])["log"] == [HOSTILE.replace("\ud800", "\ufffd")]


def test_code_and_styles_are_small() -> None:
    """The code and the styles of the page, without a film."""
    assert len(page("", "it", "")) < 200_000


def test_a_figure_is_a_block_with_the_film_and_a_module_with_code_and_styles(
    recording: Path, tmp_path: Path
) -> None:
    export_figure(recording, tmp_path / "top.md", at=2)
    first, state, last = (tmp_path / "top.md").read_text(encoding="utf-8").splitlines()
    assert (first, last) == ("```{anywidget} replay.mjs", "```")
    assert json.loads(state)["at"] == 2
    with replay(recording) as read:
        assert unpacked(json.loads(state)["film"]) == json.loads(json.dumps(read.film()))
    code = (tmp_path / "replay.mjs").read_text(encoding="utf-8")
    assert not re.search(r"^import\b", code, re.MULTILINE)
    assert code.count("export default") == 1
    assert ".task-thread .rp-range" in code


def test_a_figure_names_its_module_as_other_folders_find_it(
    recording: Path, tmp_path: Path
) -> None:
    export_figure(recording, tmp_path / "top.md", module="/recordings/replay.mjs")
    first = (tmp_path / "top.md").read_text(encoding="utf-8").splitlines()[0]
    assert first == "```{anywidget} /recordings/replay.mjs"
    assert (tmp_path / "replay.mjs").exists()
    for module in ("", "a b", "replay.mjs\n```"):
        with pytest.raises(ValueError, match="expected a path without spaces as module"):
            export_figure(recording, tmp_path / "other.md", module=module)
    assert not (tmp_path / "other.md").exists()


@pytest.mark.parametrize("export", [export_html, export_figure])
def test_what_is_no_recording_is_refused_and_nothing_written(export: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("something else")
    with pytest.raises(RecordingError):
        export(other, tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        export(tmp_path / "missing.ttr", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_view_sends_the_film_and_leaves_the_page_in_the_notebook(recording: Path) -> None:
    view = ReplayView(recording, at=1)
    with replay(recording) as read:
        assert unpacked(view.film) == json.loads(json.dumps(read.film()))
        still = str(read.at(read.seconds))
    data, _ = view._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert still in data["text/plain"]
    inner = re.search(r'srcdoc="([^"]*)"', data["text/html"])
    assert inner
    assert unpacked(scripts(html.unescape(inner[1]))[0]) == unpacked(view.film)
    assert 'sandbox="allow-scripts"' in data["text/html"]
    assert html.escape(still) in data["text/html"].split("</iframe>")[1]
    view.close()


def test_of_a_long_recording_a_notebook_keeps_the_still_picture(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("task_thread_widgets.replay_view.MOST_SAVED", 1000)
    view = ReplayView(recording)
    shown = view._repr_mimebundle_()[0]["text/html"]
    assert "iframe" not in shown
    assert "export_html" in shown
    assert MOST_SAVED == 1_000_000
    view.close()


def test_one_that_is_too_long_for_a_page_is_refused(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("task_thread_widgets.replay_view.MOST_SHOWN", 1000)
    with pytest.raises(
        ValueError, match=r"at most 1,000 characters, found [\d,]+: record with seconds="
    ):
        ReplayView(recording)


def test_its_button_writes_the_file_beside_the_recording(recording: Path) -> None:
    view = View(recording)
    told: list[Any] = []
    view.send = lambda content, buffers=None: told.append(content)  # type: ignore[method-assign]
    assert view.saves_as == "top.html"
    view._from_page(view, {"kind": "save"}, [])
    written = recording.with_suffix(".html")
    assert told == [{"kind": "told", "text": f"saved as {written}"}]
    assert unpacked(scripts(written.read_text(encoding="utf-8"))[0]) == unpacked(view.film)
    written.unlink()
    written.mkdir()
    view._from_page(view, {"kind": "save"}, [])
    assert told[-1]["text"].startswith("could not be saved: IsADirectoryError")
    for nonsense in (None, [], {"kind": "other"}, {"save": 1}):
        view._from_page(view, nonsense, [])
    assert len(told) == 2
    written.rmdir()
    view.close()


def test_a_page_may_set_nothing(recording: Path) -> None:
    view = ReplayView(recording)
    assert view.page_sets == frozenset()
    with replay(recording) as read:
        other = ReplayView(read)
    assert other.saves_as == ""  # it knows of no file
    view.close()
    other.close()
