"""The model: what a random program may see of its threads, tasks and signals, and what it may not.

It is told everything by `probe` and `acts` as it happens, and notes a violation instead of raising it,
since whatever is raised in the code of a thread is the library's to catch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from task_thread import Signal
from task_thread.states import ThreadState

if TYPE_CHECKING:
    from .acts import Acts
    from .probe import Probe
    from .virtual_time import VirtualLoop

ARROWS = {
    (None, "created"),
    ("created", "starting"),
    ("starting", "running"),
    ("starting", "stopping"),
    ("running", "stopping"),
    ("stopping", "stopped"),
    ("stopping", "failed"),
    ("stopped", "starting"),
    ("failed", "starting"),
}
ENDED = (ThreadState.STOPPED, ThreadState.FAILED)

DRAIN, EXIT = 0.5, 1.0  # seconds; the probes' `drain_timeout` and `exit_timeout`
# Each bounded step of a stop, one after the other: enter__ that is cut, handlers that are cut, exit__,
# its tasks, and those of failed children, each cancelled and then abandoned; its last signals.
LEVEL = 2 * DRAIN + 2 * DRAIN + 2 * EXIT + EXIT + 2 * EXIT + DRAIN
SLACK = 2.0  # seconds that the code itself may take: a turn that awaits nothing takes 10 ms


class Planned(Exception):
    """An error that the program asked for."""


class Numbered(Signal):
    """A signal that knows as the how-manieth of each edge it was sent.

    An edge is a thread and whether the signal goes up from it.
    """

    def __init__(self) -> None:
        self.stamps: dict[tuple[Probe, bool], int] = {}
        self.handled: set[tuple[Probe, bool]] = set()


class TaskModel:
    """One rescheduling task, from `reCreate` to its end."""

    def __init__(self, owner: ThreadModel, slot: str, plan: Any) -> None:
        self.owner = owner
        self.run = owner.run
        self.slot = slot
        self.plan = plan
        self.handle: asyncio.Task[Any] | None = None
        self.turns = 0
        self.in_turn = False
        self.no_more: str | None = None  # why it must take no further turn
        self.budget: int | None = None  # turns that it may still begin; None for any number
        self.hz = 0.0
        self.begun: list[float] = []  # when its turns began, since its pace was set
        self.failures = self.told = 0
        self.unsure = False  # whether it failed
        self.elder: TaskModel | None = None  # whose turns it goes on with, once that one has ended

    def __str__(self) -> str:
        return f"{self.owner.probe}.{self.slot}"

    @property
    def live(self) -> bool:
        return self.handle is not None and not self.handle.done()

    @property
    def ended_by_itself(self) -> bool:
        """Whether it has ended in this run and nobody ended it, so that its slot's next task goes on."""
        if self.no_more is not None or self.run != self.owner.run:
            return False
        told_now = self.handle is asyncio.current_task() and not self.in_turn  # in taskFailed__
        return told_now or (self.handle is not None and not self.live)

    def take_over(self, elder: TaskModel) -> None:
        """Go on in the row of the one that was in the slot."""
        self.budget, self.hz, self.begun = elder.budget, elder.hz, elder.begun
        self.elder = elder
        self.count_on()

    def count_on(self) -> None:
        """Add the turns of the one before it, if that has ended."""
        if self.elder is not None and not self.elder.live:
            self.turns += self.elder.turns
            self.elder = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Checks the beginning of a turn; around all of its code."""
        self.count_on()
        world = self.owner.world
        here = asyncio.current_task()
        if self.handle is None:
            self.handle = here
        world.require(self.handle is here, "%s turns in another asyncio task", self)
        world.require(not self.in_turn, "two turns of %s overlap", self)
        world.require(self.no_more is None, "%s takes a turn although %s", self, self.no_more)
        state = self.owner.probe.state
        world.require(state.live, "%s takes a turn although its thread is %s", self, state)
        world.require(self.run == self.owner.run, "%s outlived the run of its thread", self)
        if self.budget is not None:
            world.require(self.budget > 0, "%s takes a turn although it is paused", self)
            self.budget -= 1
        if self.hz:
            self._check_pace(world.loop.time())
        self.in_turn = True
        try:
            yield
            self.turns += 1
        finally:
            self.in_turn = False

    def _check_pace(self, now: float) -> None:
        # Late by less than a period, the next turn comes in time; so one turn too many at the most.
        for back, then in enumerate(reversed(self.begun)):
            self.owner.world.require(
                now - then >= back / self.hz - 1e-5,
                "%s takes %d turns in %.4f s, its ceiling being %g a second",
                *(self, back + 2, now - then, self.hz),
            )
        self.begun = [*self.begun[-20:], now]


class ThreadModel:
    """One thread over all of its runs."""

    def __init__(self, world: World, probe: Probe) -> None:
        self.world = world
        self.probe = probe
        self.run = 0
        self.entered = self.exited = 0  # in this run
        self.failing = 0  # errors in this run that must fail it
        self.perhaps_failing = 0  # errors in this run that came while it stopped
        self.tasks: list[TaskModel] = []
        self.guardian: ThreadModel | None = None
        self.due: float | None = None  # when it must have ended
        self.handled_in_run = 0
        self.handled = {False: 0, True: 0}  # of its signals, downwards and upwards
        self.sent = {False: 0, True: 0}
        self.accepted = {False: 0, True: 0}
        self.last = {False: 0, True: 0}
        self.undelivered_before = 0
        self.failed_runs = 0
        self.failures_told: list[BaseException] = []  # what childFailed__ was called with

    # Its life

    def moved(self, old: ThreadState | None, new: ThreadState) -> None:
        """Its state changed."""
        world, probe = self.world, self.probe
        world.note(f"{probe} is {new}")
        arrow = (None if old is None else str(old), str(new))
        world.require(arrow in ARROWS, "%s moved from %s to %s", probe, *arrow)
        if new is ThreadState.STARTING:
            self._starts(old)
        elif new is ThreadState.STOPPING:
            self.must_end()
        elif new in ENDED:
            self._ends(new)

    def _starts(self, old: ThreadState | None) -> None:
        if old in ENDED:
            self.undelivered_before += self.probe.snapshot().undelivered
        self.run += 1
        self.entered = self.exited = self.failing = self.perhaps_failing = 0
        if old in ENDED:
            self.handled_in_run = 0
        parent = self.probe.parent
        self.guardian = parent.model if parent is not None and parent.state.live else None
        self.due = None

    def must_end(self) -> None:
        """A stop was asked for."""
        if self.due is None and self.probe.state.live:
            self.due = self.world.loop.time() + self.height() * (LEVEL * 1.5 + SLACK)

    @property
    def root(self) -> bool:
        """Whether no running thread answers for it."""
        parent = self.probe.parent
        added = parent is not None and parent.state.live and self.probe in parent.children
        return self.guardian is None and not added

    def kids(self) -> list[ThreadModel]:
        """Return the live threads that it answers for: those it started, those that were added."""
        return [
            kid
            for kid in self.world.models()
            if kid.probe.state.live
            and (
                kid.guardian is self or (kid.probe in self.probe.children and self.probe.state.live)
            )
        ]

    def height(self) -> int:
        """How many levels of threads stop one after the other, itself included."""
        return 1 + max((kid.height() for kid in self.kids()), default=0)

    def _ends(self, new: ThreadState) -> None:
        require, probe = self.world.require, self.probe
        require(self.entered <= 1, "enter__ of %s ran %d times in one run", probe, self.entered)
        require(
            self.exited == self.entered,
            "%s has ended: enter__ ran %d times, exit__ %d times",
            *(probe, self.entered, self.exited),
        )
        failed = new is ThreadState.FAILED
        require(failed or not self.failing, "%s failed and ended as %s", probe, new)
        may = self.failing or self.perhaps_failing
        require(not failed or bool(may), "%s ended as failed without an error of its own", probe)
        for task in self.tasks:
            here = task.handle is asyncio.current_task()
            require(not task.live or here, "%s has ended and left its task %s", probe, task)
        for kid in self.world.models():
            left = kid.guardian is self and kid.probe.state.live
            require(not left, "%s has ended before its child %s", probe, kid.probe)
        self._check_bound()
        self.due = None
        if failed:
            self.failed_runs += 1

    def _check_bound(self) -> None:
        now = self.world.loop.time()
        late = self.due is not None and now > self.due
        self.world.require(
            not late, "%s takes too long to stop: now %.2f, due %s", self.probe, now, self.due
        )

    # Its tasks

    def turning(self, slot: str) -> list[TaskModel]:
        """Return the live tasks that a control without slot, or with that slot, means."""
        if slot:
            stored = vars(self.probe.tasks).get(slot)
            return [t for t in self.tasks if t.live and (t.slot == slot or t.handle is stored)]
        mine = [task for task in self.tasks if task.live]
        added = self.probe.children
        below = [
            kid
            for kid in self.world.models()
            if kid.probe.state.live and (kid.guardian is self or kid.probe in added)
        ]
        return mine + [task for kid in below for task in kid.turning("")]

    # Its signals

    def send(self, signal: Numbered, up: bool) -> None:
        """A signal to or from this thread is sent now; its sender may have to wait for room."""
        self.sent[up] += 1
        signal.stamps[self.probe, up] = self.sent[up]

    def accept(self, up: bool) -> None:
        """A signal to or from this thread was accepted: queued, or counted as undelivered."""
        self.accepted[up] += 1

    def handle(self, signal: Numbered, up: bool, handler: Probe) -> None:
        """A handler was called with a signal to or from this thread."""
        require, edge = self.world.require, (self.probe, up)
        stamp = signal.stamps.get(edge, 0)
        require(
            edge not in signal.handled, "signal %d of %s, up %s, was handled twice", stamp, *edge
        )
        state = handler.state
        require(state.live, "%s handled a signal and is %s", handler, state)
        signal.handled.add(edge)
        self.handled[up] += 1
        handler.model.handled_in_run += 1
        last = self.last[up]
        require(stamp > last, "signal %d of %s, up %s, came after %d", stamp, *edge, last)
        self.last[up] = stamp

    # What must hold at any moment

    def check(self) -> None:
        """Compare the thread with its snapshot and with what is known of it."""
        probe, require = self.probe, self.world.require
        self._check_bound()
        seen = probe.snapshot()
        str(seen), repr(probe)
        require(
            seen.state == probe.state,
            "%s is %s, its snapshot says %s",
            probe,
            probe.state,
            seen.state,
        )
        require(
            probe.running == (probe.state == "running"), "%s: running is %s", probe, probe.running
        )
        require(
            (seen.error != "") == (probe.state is ThreadState.FAILED) or probe.state.live,
            "%s is %s, its snapshot's error %r",
            *(probe, probe.state, seen.error),
        )
        numbers = (seen.signals_in, self.handled_in_run)
        require(numbers[0] == numbers[1], "%s: %d signals in, in truth %d", probe, *numbers)
        below = {record.serial for record in seen.children}
        kids = [kid.probe for kid in self.kids()]
        added = list(probe.children)
        require(len(set(added)) == len(added), "%s has a child twice: %s", probe, added)
        for child in [*kids, *added]:
            require(child.parent is probe, "%s has the child %s of another", probe, child)
            require(
                child.snapshot().serial in below, "%s is not in the snapshot of %s", child, probe
            )
        for child in added if probe.state is not ThreadState.STOPPING else ():
            require(
                child.state not in ENDED,
                "%s has the child %s, which is %s",
                probe,
                child,
                child.state,
            )
        self._check_tasks(seen)

    def _check_tasks(self, seen: Any) -> None:
        live = [task for task in self.tasks if task.live and not task.failures and not task.unsure]
        for task in live:
            task.count_on()
        mine = sorted((task.slot, task.turns) for task in live)
        theirs = sorted(
            (r.slot, r.turns)
            for r in seen.tasks
            if not r.state.ended and r.slot != "childFailed__"  # the hook is run as a task
        )
        self.world.require(
            mine == theirs, "tasks of %s are %s, its snapshot says %s", self.probe, mine, theirs
        )

    # What must hold after a while in which nothing was done from outside

    def check_rest(self, before: dict[TaskModel, tuple[int, int | None]]) -> None:
        """Its tasks turned or stand, and no signal waits without reason.

        Args:
            before: the turns of all tasks, and those they were allowed, when the rest began.
        """
        probe, require = self.probe, self.world.require
        if probe.state is not ThreadState.RUNNING:
            return
        if probe.plan.down.plain:
            left = probe.input_queue.qsize()
            require(left == 0, "%d signals to %s are not handled", left, probe)
        parent = probe.parent
        if parent is not None and parent.running and probe in parent.children:
            if parent.plan.up.plain:
                left = probe.output_queue.qsize()
                require(left == 0, "%d signals from %s are not handled", left, probe)
        paused = {r.slot for r in probe.snapshot().tasks if r.state == "paused"}
        for task in self.tasks:
            alone = sum(1 for other in self.tasks if other.live and other.slot == task.slot) == 1
            if not task.live or task.failures:
                continue
            if task.budget == 0 and not task.in_turn:
                require(task.slot in paused or not alone, "%s stands and is not shown so", task)
            elif task.budget is None:
                require(task.slot not in paused or not alone, "%s is shown as paused", task)
                if task.plan.plain and task in before:
                    require(task.turns > before[task][0], "%s does not turn", task)
            elif task.plan.plain and task in before and (before[task][1] or 9) <= 3:
                require(False, "%s owes %d turns that were asked for by step()", task, task.budget)

    # What must hold when everything has ended

    def check_end(self) -> None:
        """It has ended, and each signal that it accepted was handled or is counted."""
        probe, require = self.probe, self.world.require
        seen = probe.snapshot()
        require(not probe.state.live, "%s did not stop, it is %s", probe, probe.state)
        waits = seen.input_depth + seen.output_depth
        require(not waits or not self.run, "%s has ended, and %d signals wait", probe, waits)
        accepted = sum(self.accepted.values())
        handled = sum(self.handled.values())
        counted = self.undelivered_before + seen.undelivered
        require(
            accepted == handled + counted + waits,
            "of %d signals of %s were handled %d, counted as undelivered %d, and %d wait",
            *(accepted, probe, handled, counted, waits),
        )
        for task in self.tasks:
            require(not task.live, "%s was left behind", task)
            times = (task.failures, task.told)
            require(
                task.unsure or times[0] == times[1],
                "%s failed %d times, taskFailed__ heard %d",
                task,
                *times,
            )
        told = self.failures_told
        twice = len(told) - len({id(error) for error in told})
        require(not twice, "childFailed__ was called again for an error of %s: %s", probe, told)
        runs = (len(told), self.failed_runs)
        require(
            runs[0] <= runs[1],
            "childFailed__ was called %d times, %s failed %d times",
            runs[0],
            probe,
            runs[1],
        )


class World:
    """Everything that is known of one program.

    Attributes:
        probes: all threads, in the order of their making.
        violations: what must not be.
        trace: what happened.
        errors: the errors that the program raised, and whether each was logged with a traceback.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.probes: list[Probe] = []
        self.violations: list[str] = []
        self.trace: list[str] = []
        self.errors: list[Planned] = []
        self.logged: list[BaseException] = []
        self.closing = False  # nothing is started any more
        self.acts: Acts

    def models(self) -> list[ThreadModel]:
        return [probe.model for probe in self.probes]

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self.loop.time():9.4f}  {text}")

    def require(self, holds: bool, text: str, *args: Any) -> None:
        """Note a violation unless something holds."""
        if not holds and (violation := text % args) not in self.violations:
            self.violations.append(violation)
            self.note(f"!! {violation}")

    def error(self, text: str) -> Planned:
        """Make an error that the program raises now."""
        error = Planned(text)
        self.errors.append(error)
        self.note(f"raises {text}")
        return error
