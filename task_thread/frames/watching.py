"""Keeps the traces of the trees that a panel shows, for as long as somebody looks at it.

    a panel is seen ─► match ─► watch(life) ─► ... ─► nobody looks: release ─► unwatch(life)
    a task is selected ─► Study.of ─► match, study(driver) ─► ... ─► leave

Invariant: each `watch` is answered by one `unwatch` of the same run of the same tree. A tree that was
run again records anew; it is watched anew. A tree on another loop is watched and left there.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._core.context import life_of
from .._core.dispatcher import Dispatcher
from .._core.driver import Driver
from .._core.environment import running_loop
from .._core.lifecycle import Life
from .._core.trace import Profile, Trace, unwatch, watch
from .._core.tree import root_of
from ..thread import TaskThread


class _Watched:
    """One tree in one run."""

    def __init__(self, life: Life, dispatcher: Dispatcher, full: bool) -> None:
        self.life = life
        self.dispatcher = dispatcher
        self.full = full
        self.trace: Trace | None = None
        self._wanted = True
        self._on_loop(self._watch)

    def same(self, life: Life) -> bool:
        """Whether the tree of a thread is this one, in this run."""
        return life is self.life and life.dispatcher is self.dispatcher

    def release(self) -> None:
        self._wanted = False
        self._on_loop(self._unwatch)

    def use(self, full: bool) -> None:
        self._on_loop(lambda: self._use(full))

    def _use(self, full: bool) -> None:
        if self.trace is not None and self.life.dispatcher is self.dispatcher and self.life.live:
            watch(self.life, full)
            unwatch(self.life, self.full)
        self.full = full

    def _watch(self) -> None:
        if self._wanted and self.life.live and self.life.dispatcher is self.dispatcher:
            self.trace = watch(self.life, self.full)

    def _unwatch(self) -> None:
        trace, self.trace = self.trace, None
        # Of a tree that was run again the old trace went with the old run.
        if trace is not None and self.life.dispatcher is self.dispatcher:
            unwatch(self.life, self.full)

    def _on_loop(self, call: object) -> None:
        assert callable(call)
        loop = self.dispatcher.loop
        if running_loop() is loop or loop.is_closed():
            call()
            return
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:  # closed meanwhile, and its threads with it
            pass


class Watching:
    """The trees that a panel watches.

    Args:
        full: whether each step is to be recorded; if not, it is as somebody else asks for.
    """

    def __init__(self, full: bool = True) -> None:
        self.full = full
        self._watched: dict[int, _Watched] = {}  # by the serial number of the thread on top
        self._ended: list[Trace] = []

    def match(self, threads: Iterable[TaskThread]) -> list[Trace]:
        """Watch the trees of these threads, and no others.

        Returns:
            Their traces; that of a tree on another loop comes a little later.
        """
        before, self._watched = self._watched, {}
        gone: list[_Watched] = []
        for thread in threads:
            # The thread on top outlives all others: recording can be ended through it.
            life = root_of(life_of(thread))
            if life.serial in self._watched or not life.live or life.dispatcher is None:
                continue
            known = before.pop(life.serial, None)
            if known is not None and not known.same(life):
                gone.append(known)
                known = None
            self._watched[life.serial] = known or _Watched(life, life.dispatcher, self.full)
        gone += before.values()
        self._ended = [watched.trace for watched in gone if watched.trace is not None]
        for watched in gone:
            watched.release()
        return [w.trace for w in self._watched.values() if w.trace is not None]

    def use(self, full: bool) -> None:
        """Let each step be recorded from now on, or only what others ask for."""
        if full is not self.full:
            self.full = full
            for watched in self._watched.values():
                watched.use(full)

    def take_ended(self) -> list[Trace]:
        """Return, once, the traces that the last `match` let go of.

        What ended a tree was recorded after its reader had looked last, and is read there.
        """
        ended, self._ended = self._ended, []
        return ended

    def release(self) -> None:
        """Watch nothing any more."""
        self.match(())
        self._ended = []


class Study:
    """The profile of the one task that is selected in a panel, for as long as somebody looks at it.

    Attributes:
        profile: of the task that was asked for last; `None` while nothing is measured.
    """

    def __init__(self) -> None:
        self.profile: Profile | None = None
        self._watching = Watching()
        self._trace: Trace | None = None
        self._serial = 0  # under which the task is studied: its row may pass to another one

    def of(self, driver: Driver) -> Profile | None:
        """Measure a task from now on, and no other; return its profile.

        Returns:
            `None` for one of another process; and for a moment for one on another loop.
        """
        life = None if driver.is_remote else driver.owner
        traces = [] if life is None else self._watching.match([life.thread])
        trace = traces[0] if traces else None
        if trace is not self._trace or driver.serial != self._serial:
            self._leave_profile()
            if trace is not None:
                self._trace, self._serial = trace, driver.serial
                self.profile = trace.study(driver)
        return self.profile

    def leave(self) -> None:
        """Measure nothing any more."""
        self._leave_profile()
        self._watching.release()

    def _leave_profile(self) -> None:
        if self._trace is not None:
            self._trace.leave(self._serial)
        self._trace = self.profile = None
