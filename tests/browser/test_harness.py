"""The harness itself: what every other browser test relies on."""

import pytest

BUTTON = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """
    function render({ model, el }) {
        const button = document.createElement('button');
        button.className = 'counter';
        const show = () => { button.textContent = `count ${model.get('count')}`; };
        button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes(); };
        model.on('change:count', show);
        show();
        el.append(button);
    }
    export default { render };
    """
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
'''


def test_a_click_in_the_page_reaches_the_kernel_and_back(open_notebook):
    notebook = open_notebook(cells=[BUTTON])
    notebook.run_all()
    assert notebook.failed_cells() == []
    button = notebook.cell(0).locator(".counter")
    button.click()
    button.click()
    notebook.page.get_by_text("count 2").wait_for()
    notebook.kernel.until("counter.count", 2)

    notebook.kernel.execute("counter.count = 41")
    notebook.page.get_by_text("count 41").wait_for()
    assert notebook.errors == []


def test_run_all_waits_for_the_last_cell_and_names_the_failed_ones(open_notebook):
    notebook = open_notebook(
        cells=["import asyncio\nawait asyncio.sleep(0.5)\nprint('slow')", "1 / 0"]
    )
    notebook.run_all()
    assert notebook.text(0) == "slow\n"
    assert notebook.failed_cells() == ["1: ZeroDivisionError: division by zero"]


def test_a_cell_can_be_added_and_run_and_edited(open_notebook):
    notebook = open_notebook(cells=["x = 1"])
    notebook.run_all()
    index = notebook.add_cell("print(x + 1)")
    assert (index, notebook.text(index)) == (1, "2\n")
    notebook.set_source(index, "print(x + 2)")
    notebook.run_cell(index)
    assert notebook.text(index) == "3\n"


def test_the_kernel_answers_about_its_asyncio_tasks_and_tells_errors(open_notebook):
    notebook = open_notebook(
        cells=["import asyncio\ntask = asyncio.create_task(asyncio.sleep(60), name='left over')"]
    )
    notebook.run_all()
    names = "[t.get_name() for t in asyncio.all_tasks()]"
    assert "left over" in notebook.kernel.evaluate(names)
    notebook.kernel.execute("task.cancel()\nawait asyncio.sleep(0)")
    assert "left over" not in notebook.kernel.evaluate(names)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        notebook.kernel.evaluate("1 / 0")


def test_the_page_goes_dark_and_survives_a_reload(open_notebook):
    notebook = open_notebook(cells=["'hello'"], theme="dark")
    notebook.run_all()
    background = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')"
    dark = notebook.page.evaluate(background)
    notebook.set_theme("light")
    assert notebook.page.evaluate(background) != dark
    notebook.save()
    notebook.reload()
    assert notebook.text(0) == "'hello'"


def test_a_second_page_shares_the_kernel(open_notebook):
    first = open_notebook(cells=["x = 5"])
    first.run_all()
    second = open_notebook()
    assert second.kernel.evaluate("x") == 5
