"""What is told of messages that were refused: each of the first few, then a number."""

from task_thread_widgets import TreePanel
from task_thread_widgets.refusal import MOST_LOGGED, TOGETHER

from task_thread import TaskThread

EACH = (
    "a message of the page was refused: "
    "expected hello, visible, hidden, beat, rows, bye or do, found 'eval'"
)


def told(caplog):
    return [record.message for record in caplog.records]


async def test_a_flood_is_told_as_a_number(loop, page, caplog):
    watcher = page(TreePanel(TaskThread()))
    for _ in range(500):
        watcher.say("eval")
    assert told(caplog) == [EACH] * MOST_LOGGED
    loop.advance(TOGETHER)
    assert told(caplog)[MOST_LOGGED:] == [
        f"{500 - MOST_LOGGED} more messages of the page were refused"
    ]
    assert loop.timers == 0
    watcher.say("eval")
    assert told(caplog)[-1] == EACH, "what comes later is told in full again"


async def test_few_refusals_are_told_in_full_and_leave_no_timer(loop, page, caplog):
    watcher = page(TreePanel(TaskThread()))
    for _ in range(2):
        for _ in range(MOST_LOGGED):
            watcher.say("eval")
        assert loop.timers == 0
        loop.advance(TOGETHER + 1)
    assert told(caplog) == [EACH] * 2 * MOST_LOGGED


async def test_a_panel_that_closes_tells_what_it_had_counted(loop, page, caplog):
    panel = TreePanel(TaskThread())
    watcher = page(panel)
    for _ in range(MOST_LOGGED + 2):
        watcher.say("eval")
    panel.close()
    assert told(caplog)[MOST_LOGGED:] == ["2 more messages of the page were refused"]
    loop.advance(TOGETHER)
    assert len(told(caplog)) == MOST_LOGGED + 1
