"""The page code as anywidget gets it: one file, made of modules that node tests."""

import re
import shutil
import subprocess

import pytest
from task_thread_widgets.page_code import STATIC, modules, script, style

PAGES = ("view.js", "prediction.js", "replay.js")
PANELS = [*sorted(path.name for path in STATIC.glob("*_panel.js")), *PAGES]
TOP = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function) (\w+)", re.MULTILINE)


def test_there_are_panels():
    assert "tree_panel.js" in PANELS


@pytest.mark.parametrize("panel", PANELS)
def test_no_two_modules_of_a_panel_share_a_name(panel):
    owners: dict[str, str] = {}
    for module in modules(panel):
        for name in TOP.findall((STATIC / module).read_text(encoding="utf-8")):
            assert name not in owners, f"{name} is in {owners[name]} and in {module}"
            owners[name] = module


@pytest.mark.parametrize("panel", PANELS)
def test_the_joined_file_imports_nothing_and_exports_one_thing(panel):
    code = script(panel)
    assert not re.search(r"^import\b", code, re.MULTILINE)
    assert re.fullmatch(r"[\s\S]*^export default [^\n]+;\n", code, re.MULTILINE)
    assert len(re.findall(r"^export\b", code, re.MULTILINE)) == 1


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_the_joined_file_can_be_parsed(panel, tmp_path):
    path = tmp_path / "panel.mjs"
    path.write_text(script(panel), encoding="utf-8")
    checked = subprocess.run(["node", "--check", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_markup_is_never_made_of_text():
    for path in STATIC.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML", path.read_text(encoding="utf-8")
        ), path


def test_styles_stay_inside_our_own_elements():
    assert "theme.css" not in style("theme.css")
    for path in STATIC.glob("*.css"):
        bare = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        # The steps of an animation are selectors of nothing; its name is known to the whole page.
        for name in re.findall(r"@keyframes\s+(\S+)", bare):
            assert re.match(r"(tt|tl|sg)-", name), (path.name, name)
        bare = re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", bare)
        for selector in re.findall(r"^ *([^{}@;]+?)\s*\{", bare, re.MULTILINE):
            assert ".task-thread" in selector, (path.name, selector)
