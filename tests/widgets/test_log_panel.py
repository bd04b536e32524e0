"""The log panel: which lines it keeps, to whom they belong, and what it tells the page."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import logging.config
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from task_thread_widgets import LogPanel

from task_thread import MessageSignal, TaskThread, reCreate
from task_thread._core import log
from task_thread.coach.advice import give
from task_thread.frames.log_lines import LogLines


class Cook(TaskThread):
    """Logs what a test asks it to, in a task or in a handler."""

    def __init__(self, name: str = "cook", parent: TaskThread | None = None) -> None:
        self.name = name
        super().__init__(parent)

    def getId(self) -> str:
        return self.name

    def initVars__(self) -> None:
        self.orders: asyncio.Queue[Callable[[], Any]] = asyncio.Queue()

    async def enter__(self) -> None:
        self.tasks.work = await reCreate(None, self.work__)

    async def work__(self) -> None:
        while True:
            (await self.orders.get())()

    async def signalHandler__(self, signal: Any) -> None:
        if signal.getMessage() == "fail":
            raise KeyError("salt")
        self.logger.warning("heard %s", signal.getMessage())


class Waiter(Cook):
    pass


def say(thread: Cook, text: str) -> None:
    """Let a thread's task log a line."""
    thread.orders.put_nowait(lambda: thread.logger.info(text))


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """As in a kernel, INFO shows; and no listener is left behind."""
    for name in ("Cook", "Waiter"):
        logging.getLogger(name).setLevel(logging.INFO)
    yield
    assert log.listeners == []


@pytest.fixture
def lines() -> Iterator[Callable[..., LogLines]]:
    """Makes `LogLines` that are closed at the end."""
    made: list[LogLines] = []

    def make(*args: Any, **options: Any) -> LogLines:
        made.append(LogLines(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@asynccontextmanager
async def alive(*threads: Cook) -> AsyncIterator[None]:
    for thread in threads:
        await asyncio.wrap_future(thread.control.start())
    try:
        yield
    finally:
        for thread in threads:
            await thread.stop()
            await thread.join()


async def settle() -> None:
    """Let what is due happen: nothing here waits for time."""
    for _ in range(10):
        await asyncio.sleep(0)


def told(lines: LogLines, now: float = 0.0, full: bool = True) -> list[list[Any]]:
    frame = lines.frame(now, full)
    found: list[list[Any]] = [] if frame is None else frame.facts["lines"]
    return found


def who(line: list[Any]) -> tuple[Any, ...]:
    """Level, thread, slot and text of a line."""
    return (line[3], line[5], line[6], line[7])


async def test_a_line_says_when_how_severe_which_thread_which_slot_and_what(lines):
    cook = Cook()
    kept = lines(cook)
    async with alive(cook):
        say(cook, "soup")
        await settle()
        await cook.insertSignal(MessageSignal(cook, "hi"))
        await settle()
    soup, hi = told(kept)
    assert who(soup) == ("INFO", "cook", "work", "soup")
    assert who(hi) == ("WARNING", "cook", "", "heard hi")
    assert [soup[0], hi[0]] == [1, 2]
    assert soup[1] > 1e9 and soup[2] == 20
    assert soup[4] == cook._life.serial


async def test_only_lines_of_the_thread_and_of_those_below_it_are_kept(lines):
    cook, other = Cook(), Cook("other")
    child = Waiter("waiter", parent=cook)
    mine, all_of_them, childs = lines(cook), lines(), lines(child)
    async with alive(cook, other):
        await cook.addChild(child)
        await child.run()
        for thread in (cook, other, child):
            say(thread, "here")
        await settle()
    assert {line[5] for line in told(mine)} == {"cook", "waiter"}
    assert {line[5] for line in told(all_of_them)} == {"cook", "other", "waiter"}
    assert {line[5] for line in told(childs)} == {"waiter"}


async def test_an_error_of_a_task_is_told_with_its_frames_and_holds_none(lines):
    cook = Cook()
    kept = lines(cook)

    def burn() -> None:
        try:
            int("salt")
        except ValueError as error:
            raise RuntimeError("burnt") from error

    async with alive(cook):
        cook.orders.put_nowait(burn)
        await settle()
        (*_, text, errors), advice = told(kept)
        assert who(advice)[0] == "ADVICE"
        assert text == "cook: work failed: RuntimeError: burnt"
        assert [error for error, _ in errors] == [
            "RuntimeError: burnt",
            "ValueError: invalid literal for int() with base 10: 'salt'",
        ]
        frames = errors[0][1]
        assert [(f[2], f[4]) for f in frames] == [
            ("_drive", False),
            ("work__", True),
            ("burn", True),
        ]
        assert frames[-1][0] == "test_log_panel.py"
        assert frames[-1][3] == 'raise RuntimeError("burnt") from error'
        line = told(kept)[0]
        assert json.loads(json.dumps(line)) == line, "nothing but text and numbers is kept"


async def test_advice_is_marked_and_belongs_to_its_task(lines):
    cook = Cook()
    kept = lines(cook)
    async with alive(cook):
        (driver,) = cook._life.drivers
        give(cook._life, "blocked", "work: too long", slot="work", actor=driver)
        give(cook._life, "same-id", "two of a name")
    assert [(*who(line), line[2]) for line in told(kept)] == [
        ("ADVICE", "cook", "work", "work: too long", 30),
        ("ADVICE", "cook", "", "two of a name", 30),
    ]
    assert "ADVICE  cook work: work: too long" in kept.text()


async def test_errors_of_hooks_and_handlers_belong_to_their_thread(lines):
    class Broken(Cook):
        async def enter__(self) -> None:
            raise ValueError("no gas")

    cook, broken = Cook("a"), Broken("b")
    kept = lines()
    async with alive(cook):
        await cook.insertSignal(MessageSignal(cook, "fail"))
        await settle()
        with pytest.raises(ValueError, match="no gas"):
            await broken.run()
    assert [(*who(line)[:3], line[8][0][0]) for line in told(kept) if line[8]] == [
        ("ERROR", "a", "", "KeyError: 'salt'"),
        ("ERROR", "b", "", "ValueError: no gas"),
    ]


def _its_own(cook: Cook) -> None:
    cook.logger = logging.getLogger("kitchen")
    cook.logger.setLevel(logging.INFO)


def _below_its_own(cook: Cook) -> None:
    Cook("other").logger = logging.getLogger("kitchen")
    cook.logger = logging.getLogger("kitchen.stove")


def _adapted(cook: Cook) -> None:
    _its_own(cook)
    cook.logger = logging.LoggerAdapter(logging.LoggerAdapter(cook.logger, {}), {})


def _configured(cook: Cook) -> None:
    named = {"level": "INFO", "handlers": ["null"], "propagate": False}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"null": {"class": "logging.NullHandler"}},
            "loggers": {"Cook": named},
        }
    )


def _without_handlers(cook: Cook) -> None:
    cook.logger.handlers.clear()


@pytest.fixture
def as_before() -> Iterator[None]:
    logger = logging.getLogger("Cook")
    handlers, propagates = logger.handlers[:], logger.propagate
    yield
    logger.handlers[:], logger.propagate = handlers, propagates


@pytest.mark.parametrize(
    "logs",
    [_its_own, _below_its_own, _adapted, _configured, _without_handlers],
)
async def test_a_thread_is_heard_once_whatever_logger_and_handlers_it_has(lines, as_before, logs):
    cook = Cook()
    kept, all_of_them = lines(cook), lines()
    async with alive(cook):
        say(cook, "before")
        await settle()
        logs(cook)
        say(cook, "after")
        await settle()
        cook.logger.info("from a cell")
        await cook.insertSignal(MessageSignal(cook, "fail"))
        await settle()
    found = [line[7] for line in told(kept)]
    assert found == [
        "before",
        "after",
        "from a cell",
        "cook: signalHandler__ failed: KeyError: 'salt'",
    ]
    assert [line[7] for line in told(all_of_them)] == found


async def test_a_line_logged_in_a_cell_belongs_to_the_only_thread_of_that_logger(lines):
    cook, waiter = Cook(), Waiter("w1")
    kept, all_of_them = lines(cook), lines()
    async with alive(cook, waiter):
        cook.logger.info("from outside")
        waiter.logger.info("of another thread")
        second = Waiter("w2")
        async with alive(second):
            all_of_them._loggers.clear()
            all_of_them._loggers_at = float("-inf")
            waiter.logger.info("which one?")
            waiter.logger.info("w2: this one")
    assert [who(line)[1:] for line in told(kept)] == [("cook", "", "from outside")]
    assert [who(line)[1:] for line in told(all_of_them)] == [
        ("cook", "", "from outside"),
        ("w1", "", "of another thread"),
        ("", "", "which one?"),
        ("w2", "", "w2: this one"),
    ]


async def test_records_come_from_any_os_thread(lines):
    cook = Cook()
    kept = lines(cook)

    def shout(number: int) -> None:
        for turn in range(50):
            cook.logger.info("%d %d", number, turn)

    async with alive(cook):
        shouters = [threading.Thread(target=shout, args=(n,)) for n in range(4)]
        for shouter in shouters:
            shouter.start()
        for shouter in shouters:
            shouter.join()
    assert [line[0] for line in told(kept)] == list(range(1, 201))
    assert {line[5] for line in told(kept)} == {"cook"}


async def test_a_get_id_that_logs_does_not_log_for_ever(lines):
    class Chatty(Cook):
        def getId(self) -> str:
            logging.getLogger("Cook").info("asked for its id")
            return "chatty"

    logging.getLogger("Chatty").setLevel(logging.INFO)
    chatty = Chatty()
    kept = lines(chatty)
    async with alive(chatty):
        say(chatty, "hello")
        await settle()
    assert "hello" in [line[7] for line in told(kept)]
    assert len(told(kept)) < 50


async def test_a_line_asks_its_thread_alone_however_many_are_shown(lines):
    asked = []

    class Counted(Cook):
        def getId(self) -> str:
            asked.append(self.name)
            return self.name

    logging.getLogger("Counted").setLevel(logging.INFO)
    shown = [Counted(f"cook {number}") for number in range(100)]
    kept = [lines(cook) for cook in shown]
    assert len(log.listeners) == 1
    async with alive(shown[7]):
        asked.clear()
        say(shown[7], "soup")
        await settle()
        assert asked == ["cook 7"]
    assert [who(line)[3] for line in told(kept[7])][-1] == "soup"
    assert told(kept[8]) == []
    for one in kept:
        one.close()
    assert log.listeners == []


def test_what_is_printed_elsewhere_does_not_change(lines, capsys):
    cook = Cook()
    lines(cook)
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        cook.logger.info("once")
    finally:
        root.handlers = handlers
    assert capsys.readouterr().err == "Cook - INFO - once\n"
    assert [type(h).__name__ for h in cook.logger.handlers] == ["_Fallback"]


def test_a_listener_that_fails_is_reported_and_the_line_is_still_printed(capsys):
    def fail(record: logging.LogRecord) -> None:
        raise ValueError("deaf")

    cook = Cook()
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    log.listeners.append(fail)
    try:
        cook.logger.info("still here")
    finally:
        log.listeners.remove(fail)
        root.handlers = handlers
    err = capsys.readouterr().err
    assert "ValueError: deaf" in err
    assert err.endswith("Cook - INFO - still here\n")


def test_a_line_whose_arguments_do_not_fit_is_kept(lines, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    cook = Cook()
    kept = lines(cook)
    cook.logger.info("%d dishes", "many")
    assert told(kept)[0][7].startswith("%d dishes (TypeError: ")


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, RecursionError])
def test_a_line_whose_text_cannot_be_asked_for_is_kept_and_ends_nobody(lines, error):
    class Silent:
        def __str__(self) -> str:
            raise error("no text")

    kept = lines(Cook())
    record = logging.makeLogRecord({"name": "Cook", "msg": "%s, %s", "args": (1, Silent())})
    bare = logging.makeLogRecord({"name": "Cook", "msg": Silent()})
    for one in (record, bare):
        log.listeners[0](one)
    assert [line[7] for line in told(kept)] == [
        f"%s, %s ({error.__name__}: no text)",
        f"Silent ({error.__name__}: no text)",
    ]


def test_lines_are_told_as_increments_and_all_that_are_kept_when_asked(lines):
    cook = Cook()
    kept = lines(cook, ring=5)
    for n in range(3):
        cook.logger.info("line %d", n)
    assert [line[0] for line in told(kept, full=True)] == [1, 2, 3]
    assert kept.frame(1.0, False) is None
    for n in range(3, 7):
        cook.logger.info("line %d", n)
    frame = kept.frame(2.0, False)
    assert frame is not None
    assert [line[0] for line in frame.facts["lines"]] == [4, 5, 6, 7]
    assert (frame.facts["added"], frame.facts["dropped"]) == (7, 2)
    assert [line[0] for line in told(kept, full=True)] == [3, 4, 5, 6, 7]


def test_a_flood_tells_only_the_newest_lines_and_few_of_them(lines):
    cook = Cook()
    kept = lines(cook)
    told(kept)
    sent = 0
    now = 0.0
    for _ in range(100):  # 10 s of 5,000 lines/s
        for n in range(500):
            cook.logger.info("a line as long as lines are, number %d", n)
        now += 0.1
        new = told(kept, now, full=False)
        if new:
            assert new[-1][0] == kept.added, "the newest one is among them"
        sent += sum(100 + len(line[7]) for line in new)
    assert sent < 10 * 50_000, "characters in 10 s"
    assert len(told(kept)) == 1000


def test_very_long_lines_are_cut(lines):
    cook = Cook()
    kept = lines(cook)
    cook.logger.info("x" * 100_000)
    assert len(told(kept)[0][7]) == 2000


async def test_a_thread_that_was_logged_of_is_not_held(lines):
    kept = lines()
    cook = Cook()
    async with alive(cook):
        say(cook, "soup")
        await settle()
    assert told(kept)
    gone = weakref.ref(cook)
    del cook
    await settle()
    gc.collect()
    assert gone() is None
    assert who(told(kept)[0])[1:] == ("cook", "work", "soup")


def test_the_panel_sends_lines_only_while_it_is_seen_and_keeps_them_always(loop, page):
    cook = Cook()
    panel = LogPanel(cook)
    watcher = page(panel)
    cook.logger.info("before anybody looked")
    loop.advance(10)
    assert watcher.got() == []
    watcher.say("hello", seen=True)
    loop.advance(0.1)
    ((first,),) = [m["facts"]["lines"] for m in watcher.got()[:1]]
    assert first[7] == "before anybody looked"
    cook.logger.info("while somebody looks")
    loop.advance(0.2)
    new = [line for m in watcher.got() for line in m["facts"].get("lines", ())]
    assert [line[7] for line in new] == ["while somebody looks"]
    watcher.say("hidden")
    cook.logger.info("in the dark")
    loop.advance(5)
    assert watcher.got() == []
    watcher.say("visible")
    loop.advance(0.1)
    assert len(watcher.got()[0]["facts"]["lines"]) == 3
    panel.close()


def test_clearing_takes_the_lines_away_for_good_and_no_more_than_there_are(loop, page):
    cook = Cook()
    panel = LogPanel(cook)
    watcher = page(panel)
    watcher.say("hello", seen=True)
    cook.logger.info("one")
    cook.logger.info("two")
    panel.cleared = 1
    loop.advance(0.1)
    told_lines = [line[7] for m in watcher.got() for line in m["facts"].get("lines", ())]
    assert told_lines == ["two"]
    panel.cleared = 10**9  # a page may say anything
    assert panel.cleared == 2
    cook.logger.info("three")
    watcher.say("visible")
    loop.advance(0.2)
    facts = watcher.got()[-1]["facts"]
    assert [line[7] for line in facts["lines"]] == ["three"]
    assert facts["dropped"] == 0
    panel.close()


def test_the_panel_shows_itself_as_text_where_there_is_no_page():
    cook = Cook()
    panel = LogPanel(cook)
    cook.logger.warning("<hot>")
    bundle, _ = panel._repr_mimebundle_()
    assert bundle["text/plain"].endswith("WARNING cook: <hot>")
    assert bundle["text/html"].endswith("WARNING cook: &lt;hot&gt;</pre>")
    panel.close()
    assert log.listeners == []


def test_what_is_not_a_thread_is_refused():
    with pytest.raises(TypeError, match="expected a TaskThread, or nothing for all of them, found"):
        LogPanel("cook")  # type: ignore[arg-type]
