"""The view on a small screen: JupyterLab at 700 pixels, beside its file browser."""

import pytest
from lab import settle, until
from playwright.sync_api import expect
from test_view import PANELS, PROGRAM, panel, row, shown

# What sticks out of its panel, and what lies over its neighbour in the same row.
MISPLACED = """root => {
    const seen = e => e.offsetParent && e.getClientRects().length && e.textContent;
    const wrong = [];
    const outer = root.getBoundingClientRect();
    for (const e of root.querySelectorAll('button, input, select, .tt-name, .tt-state, .sg-name')) {
        const box = e.getBoundingClientRect();
        if (box.width && (box.right > outer.right + 1 || box.left < outer.left - 1))
            wrong.push(['sticks out', e.className]);
    }
    const groups = [
        ['.tt-row', '.tt-fold, .tt-shape, .tt-name, .tt-state, .tt-turns-cell, .tt-rate-number,'
            + ' .tt-bar, .tt-where, button, .tt-pace'],
        ['.sg-edge', '.sg-upper, .sg-ways, .sg-lower, .sg-numbers'],
        ['.sg-entry', '.sg-from, .sg-to-arrow, .sg-to, .sg-time, .sg-class, .sg-waited, .sg-what'],
        ['.tt-page-header', '.tt-total, .tt-sum, .tt-lag, .tt-filter, button'],
    ];
    for (const [around, parts] of groups) for (const row of root.querySelectorAll(around)) {
        const found = [...row.querySelectorAll(parts)]
            .filter(e => e.getClientRects().length && !e.closest('button')?.contains(e.parentElement));
        const boxes = found.map(e => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 0);
        for (const [one, a] of boxes) for (const [other, b] of boxes) {
            if (one === other || one.contains(other) || other.contains(one)) continue;
            if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
                wrong.push([one.className, other.className]);
        }
    }
    // Rows of a list stand below one another.
    for (const list of root.querySelectorAll('.tt-tree, .sg-edges, .sg-list')) {
        const boxes = [...list.children].map(e => e.getBoundingClientRect()).sort((a, b) => a.top - b.top);
        boxes.forEach((box, i) => {
            if (i && box.top < boxes[i - 1].bottom - 1) wrong.push(['overlap', list.className]);
        });
    }
    return wrong;
}"""
# How much of a name is shown, as a share of what it needs.
NAMES = """root => [...root.querySelectorAll('.tt-row .tt-name')].map(e =>
    [e.textContent, e.getBoundingClientRect().width, e.querySelector('.tt-cut-head').scrollWidth
        - e.querySelector('.tt-cut-head').clientWidth])"""


@pytest.mark.parametrize("large", [False, True], ids=["", "large"])
def test_names_are_read_and_nothing_overlaps_beside_the_file_browser(open_notebook, large):
    notebook = open_notebook(cells=[PROGRAM, "game"])
    notebook.page.set_viewport_size({"width": 700, "height": 1000})
    notebook.run_all()
    view = shown(notebook)
    assert view.bounding_box()["width"] < 400
    tree = panel(view, "tree")
    if large:
        tree.get_by_role("button", name="Large").click()
    expect(row(view, "task", "serve")).to_contain_text("await asyncio.sleep(0.4)")
    settle(tree)
    names = tree.evaluate(NAMES)
    assert {name for name, *_ in names} >= {"game", "serve", "ping", "breathe"}
    assert [name for name in names if name[2] > 1] == [], "a name is cut"
    until(notebook.page, lambda: tree.evaluate(MISPLACED), [])
    for name in PANELS:
        view.get_by_role("tab", name=name.capitalize()).click()
        part = panel(view, name)
        expect(part).to_be_visible()
        if name == "signals":
            expect(part.locator(".sg-entry").first).to_be_visible()
        settle(part)
        until(notebook.page, lambda part=part: part.evaluate(MISPLACED), [])
        assert part.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), name
    # Who sent a signal to whom is read in full.
    cut = panel(view, "signals").evaluate(
        """e => [...e.querySelectorAll('.sg-entry .tt-cut-head, .sg-edge .tt-cut-head')]
            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""
    )
    assert cut == []
    notebook.screenshot(f"narrow-{'large' if large else 'usual'}")
    assert notebook.errors == []
