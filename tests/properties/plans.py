"""The language of random programs: what each thread does when, and what is done to it from outside.

Every record prints as one short line, so that a failing program can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

FOREVER = 1e6  # seconds

ME = -1
"""Instead of a thread's number: the thread whose code does it."""
MY_PARENT = -2


class Plan:
    """Shows, as code that can be pasted into a test, only what is not the default."""

    def __repr__(self) -> str:
        given = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)  # type: ignore[arg-type]
            if getattr(self, field.name) != field.default
        )
        return f"{type(self).__name__}({', '.join(given)})"


@dataclass(frozen=True, repr=False)
class Act(Plan):
    """One thing done to one thread; from outside, or by the code of some thread.

    Attributes:
        verb: what is done; the name of a method of `acts.Acts`.
        who: number of the thread it is done to (modulo the number of threads), or ME, MY_PARENT.
        slot: the task meant; "" for all of the tree where the verb allows it.
        amount: how many signals, how many turns/s, ...
    """

    verb: str
    who: int = ME
    slot: str = ""
    amount: float = 1

    def __str__(self) -> str:
        who = {ME: "itself", MY_PARENT: "its parent"}.get(self.who, f"T{self.who}")
        slot = f".{self.slot}" if self.slot else ""
        amount = f" x{self.amount:g}" if self.amount != 1 else ""
        return f"{self.verb} {who}{slot}{amount}"


@dataclass(frozen=True, repr=False)
class HookPlan(Plan):
    """What `enter__`, `exit__` or a handler does each time.

    Attributes:
        seconds: it waits so long; FOREVER for one that never ends.
        acts: what it does before it waits.
        ends: "return", "raise", "swallow" (its cancellation, for ever) or, in a handler, "false".
        every: a handler does and ends so only each time that many signals came.
    """

    seconds: float = 0
    acts: tuple[Act, ...] = ()
    ends: str = "return"
    every: int = 1

    @property
    def plain(self) -> bool:
        """Whether it surely returns at once and does nothing else."""
        return self == HookPlan(every=self.every)

    def __str__(self) -> str:
        if self.plain:
            return "returns"
        words = [str(act) for act in self.acts]
        if self.seconds:
            words.append(
                "waits for ever" if self.seconds == FOREVER else f"waits {self.seconds:g} s"
            )
        words.append({"raise": "raises", "false": "returns False"}.get(self.ends, self.ends + "s"))
        return ", ".join(words) + (f" (each {self.every}th time)" if self.every > 1 else "")


@dataclass(frozen=True, repr=False)
class TaskPlan(Plan):
    """What the turns of a task do.

    Attributes:
        waits: how each turn passes: "sleep", "yield" (`sleep(0)`), "spin" (awaits nothing),
            "timeout" (a wait that is cut by a timeout), "lost" (awaits what was cancelled),
            "stubborn" (never ends, swallows every cancellation).
        seconds: how long "sleep" and "timeout" wait.
        acts: what is done in which turn.
        turns: how many turns it takes; 0 for no end.
        swallows: whether it swallows cancellation, and reschedules then.
        stores: the slot in which it stores what `reSchedule` returned; "" for its own.
        two: whether it alternates between two co-functions.
        waits_first: whether it does its acts after it has waited.
    """

    waits: str = "sleep"
    seconds: float = 0.05
    acts: tuple[tuple[int, Act], ...] = ()
    turns: int = 0
    swallows: bool = False
    stores: str = ""
    two: bool = False
    waits_first: bool = False

    @property
    def plain(self) -> bool:
        """Whether it surely goes on turning."""
        return not self.acts and not self.turns and self.waits not in ("lost", "stubborn")

    def __str__(self) -> str:
        timed = self.waits in ("sleep", "timeout")
        words = [f"{self.waits} {self.seconds:g} s" if timed else self.waits]
        when = "after turn" if self.waits_first else "in turn"
        words += [f"{when} {turn}: {act}" for turn, act in self.acts]
        if self.turns:
            words.append(f"{self.turns} turns")
        if self.swallows:
            words.append("swallows cancellation")
        if self.stores:
            words.append(f"stores itself in {self.stores}")
        if self.two:
            words.append("two co-functions")
        return "; ".join(words)


@dataclass(frozen=True, repr=False)
class ThreadPlan(Plan):
    """A thread, its hooks and handlers, its tasks (in slots a, b, ...) and its children."""

    enter: HookPlan = HookPlan()
    exit: HookPlan = HookPlan()
    down: HookPlan = HookPlan()
    up: HookPlan = HookPlan()
    task_failed: HookPlan = HookPlan()
    child_failed: HookPlan = HookPlan()
    tasks: tuple[TaskPlan, ...] = ()
    room: int = 100
    children: tuple[ThreadPlan, ...] = ()
    runs_children: bool = True
    adds_first: bool = False

    def lines(self, number: Iterator[int], indent: str = "") -> Iterator[str]:
        """Yield the lines that describe it and those below it, numbered as they are made."""
        words = [f"max_qsize {self.room}"] if self.room != 100 else []
        hooks = ("enter", "exit", "down", "up", "task_failed", "child_failed")
        for name in hooks:
            hook: HookPlan = getattr(self, name)
            if not hook.plain:
                words.append(f"{name}: {hook}")
        if self.children and not self.runs_children:
            words.append("runs no child")
        elif self.children and self.adds_first:
            words.append("adds before it runs")
        yield f"{indent}T{next(number)}" + "".join(f"  [{word}]" for word in words)
        for slot, task in zip("abcdef", self.tasks, strict=False):
            yield f"{indent}    .{slot}: {task}"
        for child in self.children:
            yield from child.lines(number, indent + "    ")


@dataclass(frozen=True, repr=False)
class Step(Plan):
    """One act from outside, and what passes until the next: seconds, or -1 for one round."""

    act: Act
    then: float = 0

    def __str__(self) -> str:
        then = (
            f", then {self.then:g} s" if self.then > 0 else ", then one round" if self.then else ""
        )
        return f"{self.act}{then}"


@dataclass(frozen=True, repr=False)
class Program(Plan):
    """The threads that are there at first, and what is done to them.

    Attributes:
        threads: the roots; their children are numbered behind them, depth first.
        steps: what is done from outside, one after the other.
        ends: "stop", each root is stopped; or "cancel", all asyncio tasks are cancelled, as
            `asyncio.run` does when its `main()` returns.
    """

    threads: tuple[ThreadPlan, ...]
    steps: tuple[Step, ...]
    ends: str = "stop"

    def __str__(self) -> str:
        number = iter(range(1000))
        lines = ["threads:"]
        for thread in self.threads:
            lines += ["  " + line for line in thread.lines(number)]
        lines.append("steps:")
        lines += [f"  {step}" for step in self.steps]
        lines.append(f"  {self.ends} everything")
        return "\n".join(lines)
