"""`thread.waits()`: who waits for what, who holds it, and since when; as frozen records and as words.

    Look (_core/waits.py) ─► Records ─► Wait, of each waiter ─► thread.waits(), thread.snapshot(), the panels
                                                            └─► words: "waits for self.fork_1, held by ..."

A resource has the name that the program gives it, found as a variable or an attribute where it is waited for;
without one, its class and a number. Nothing of the program's own is called for that.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple
from weakref import ref

from ._core.awaiting import Want, is_done, locals_of
from ._core.chain import is_future
from ._core.driver import Driver
from ._core.lifecycle import Life
from ._core.lines import Place, attribute, coroutine_in, name_of
from ._core.mailbox import Mailbox
from ._core.texts import class_of, is_a
from ._core.waits import (
    Look,
    Waiter,
    coroutine_name,
    lock_of,
    made_by,
    making_order,
    plain_tasks,
    seen_since,
)

__all__ = ["Resource", "Wait"]

_MOST_NAMES = 500  # attributes of an object, or values of a collection, that are looked through
_MOST_OBJECTS = 50  # objects whose attributes are looked through
_MOST_HOLDERS = 20  # that are named
_MOST_PLAIN = 5_000  # asyncio tasks of a loop among which those of some tasks are looked for
_MOST_CLASSES = 1_000  # whose slots are known
_PACKAGE = __name__.partition(".")[0] + "."
_A_FUTURE = "a future"  # whose number would say nothing


@dataclass(frozen=True, slots=True)
class Resource:
    """What somebody waits for.

    Attributes:
        kind: its class, as "Lock", "Event" or "Queue"; "sleep", "gather", "wait", "to_thread" or another
            function's name; "task" or "thread" for the end of one.
        name: the name that the program gives it where it is waited for, "self.lock"; else its class and
            number, "Lock 3".
        serial: tells it from others as long as it lives; 0 for what is no object, as a sleep.
        filled: how many things are in a queue, or tasks done of those that are waited for; 0 otherwise.
        size: how many a queue holds, or tasks there are; 0 for any number, or where that means nothing.
    """

    kind: str
    name: str
    serial: int
    filled: int
    size: int


@dataclass(frozen=True, slots=True)
class Wait:
    """One task, hook or handler that waits.

    Attributes:
        waiter: the thread's id and the name of the task, hook or handler: "Plato.eat".
        thread: the thread's serial number; 0 if it belongs to none.
        slot: the name alone: a slot, "enter__", or the coroutine of a plain asyncio task.
        kind: "task", "hook", "handler", or "plain" for an asyncio task that is no rescheduling one.
        under: who made or awaits a plain task, like `waiter`; "" for all others.
        resource: what it waits for.
        how: "acquire" of a lock; "get", "put" or "join" of a queue; "end" or "start" of a task or thread;
            else "".
        holders: who has to go on or end first, like `waiter`; empty if nobody is known.
        since: the loop's time, in seconds, at which a look first found it so: nothing is recorded before.
        seconds: for how long that is.
        left: seconds after which it goes on in any case; infinite if there is a limit that is not to be
            seen, `None` if there is none.
        filename, line, source: where it waits; "" and 0 if that is not known.
    """

    waiter: str
    thread: int
    slot: str
    kind: str
    under: str
    resource: Resource
    how: str
    holders: tuple[str, ...]
    since: float
    seconds: float
    left: float | None
    filename: str
    line: int
    source: str

    def __str__(self) -> str:
        at = f" at line {self.line}: {self.source}" if self.line else ""
        return f"{self.waiter} {self.words or 'waits'}{at}"

    @property
    def words(self) -> str:
        """Say what it waits for: "waits for self.fork_1, held by Plato.eat"; "" for a mere sleep."""
        return words_of(self)


def words_of(wait: Wait) -> str:
    """Return what a row says of a wait; "" where the line says it all."""
    resource = wait.resource
    if resource.kind == "sleep" or resource.name == _A_FUTURE:
        return ""
    text = f"waits for {resource.name}"
    if wait.how == "put":
        text = f"waits for room in {resource.name}"
    elif wait.how == "join":
        text = f"waits until all of {resource.name} is done"
    elif wait.how in ("end", "start"):
        text = f"waits for the {'end' if wait.how != 'start' else 'start'} of {resource.name}"
    if resource.kind in ("gather", "wait", "as_completed", "TaskGroup", "wait_for"):
        text += f", {resource.filled} of {resource.size} done" if resource.size > 1 else ""
        verb = "waiting for"
    else:
        verb = "held by"
        if wait.how == "join" and resource.filled:
            text += f", {resource.filled} still in it"
        if resource.size and wait.how == "put":
            text += f", {resource.filled} of {resource.size}"
        if resource.kind in ("task", "thread"):
            verb = "which waits in" if resource.kind == "thread" else ""
    if wait.how == "acquire" and not wait.holders:
        text += ", held by somebody"
    holders = [one for one in wait.holders if one != resource.name]  # a stop has its thread's name
    if holders and verb:
        first = " and ".join(holders[:2])
        more = len(holders) - 2
        text += f", {verb} {first}" + (f" and {more} more" if more > 0 else "")
    return text


def labels_of(waits: Iterable[Wait]) -> dict[int, str]:
    """Return a name for each resource, by its serial number; each is that of the first who waits for it.

    Where two have one name, as the forks that philosophers call `self.right`, it is told whose name that is.
    """
    first: dict[int, Wait] = {}
    for wait in waits:
        first.setdefault(wait.resource.serial, wait)
    times = Counter(wait.resource.name for wait in first.values())
    return {
        serial: f"{wait.resource.name} of {wait.waiter.removesuffix(f'.{wait.slot}')}"
        if times[wait.resource.name] > 1
        else wait.resource.name
        for serial, wait in first.items()
    }


# Numbers of resources

# By identity: a weak reference, serial, number in its class.
_numbers: dict[int, tuple[Any, int, int]] = {}
_serials = itertools.count(1)
_in_class: dict[str, int] = {}


def _number(thing: Any) -> tuple[int, int]:
    """Return the serial number of an object, and its number among those of its class."""
    key = id(thing)
    known = _numbers.get(key)
    if known is not None and known[0]() is thing:
        return known[1:]
    kind = class_of(thing)
    number = _in_class[kind] = _in_class.get(kind, 0) + 1
    serial = next(_serials)
    try:
        _numbers[key] = (ref(thing, lambda _: _numbers.pop(key, None)), serial, number)
    except TypeError:  # it takes no weak references; its number holds for this look
        pass
    return serial, number


# Names


def _values(thing: Any) -> list[tuple[str, Any]]:
    """Return the attributes that an object has in `__dict__` and `__slots__`; calls nothing of its own."""
    found = []
    for name, member in _slots_of(type(thing)):
        try:
            found.append((name, member.__get__(thing)))
        except BaseException:  # it has no value
            continue
    try:
        space = object.__getattribute__(thing, "__dict__")
    except BaseException:
        return found
    if type(space) is not dict:
        return found
    return found + list(itertools.islice(space.items(), _MOST_NAMES))


_slots: dict[int, tuple[type, list[tuple[str, Any]]]] = {}  # by the identity of a class


def _slots_of(cls: type) -> list[tuple[str, Any]]:
    known = _slots.get(id(cls))
    if known is None:
        if len(_slots) > _MOST_CLASSES:
            _slots.clear()
        spaces = map(type.__dict__["__dict__"].__get__, type.__dict__["__mro__"].__get__(cls))
        known = _slots[id(cls)] = (
            cls,
            [
                (name, member)
                for space in spaces
                if "__slots__" in space
                for name, member in space.items()
                if type(member) is MemberDescriptorType
            ],
        )
    return known[1]


def _of_class(life: Life) -> list[tuple[str, Any]]:
    """Return what the program's own classes of a thread have."""
    found: list[tuple[str, Any]] = []
    for cls in type.__dict__["__mro__"].__get__(type(life.thread)):
        space = type.__dict__["__dict__"].__get__(cls)
        if str(space.get("__module__")).startswith(_PACKAGE):
            break
        found += [(f"self.{name}", one) for name, one in [*space.items()][:_MOST_NAMES]]
    return found


def _is(value: Any, thing: Any) -> bool:
    return value is thing or (is_a(value, asyncio.Condition) and lock_of(value) is thing)


def _among(name: str, value: Any, thing: Any) -> str:
    """Return the name of an object that a variable holds, alone or in a collection; "" if it does not."""
    if _is(value, thing):
        return name
    if type(value) in (list, tuple):
        for index, one in enumerate(itertools.islice(value, _MOST_NAMES)):
            if _is(one, thing):
                return f"{name}[{index}]"
    elif type(value) is dict:
        for key, one in list(itertools.islice(value.items(), _MOST_NAMES)):
            if _is(one, thing):
                return f"{name}[{_key(key)}]"
    return ""


_NO_KEEPERS: tuple[type, ...] = (
    type,
    ModuleType,
    FunctionType,
    asyncio.AbstractEventLoop,
    asyncio.Future,
)
_NO_KEEPERS += (asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.Semaphore, asyncio.Queue)


def _objects_in(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return what may have attributes: an object, or those in a collection, with their names."""
    items: Iterable[tuple[Any, Any]] = ()
    if type(value) in (list, tuple):
        items = enumerate(value[:_MOST_OBJECTS])
    elif type(value) is dict:
        items = itertools.islice([*value.items()], _MOST_OBJECTS)
    elif _is_plain_object(value):
        return [(name, value)]
    return [(f"{name}[{_key(key)}]", one) for key, one in items if _is_plain_object(one)]


def _key(key: Any) -> str:
    return repr(key) if type(key) in (str, int, bool) else class_of(key)


def _is_plain_object(value: Any) -> bool:
    """Whether an object may have attributes in which a program keeps something."""
    return not is_a(value, *_NO_KEEPERS)


def _names_in(spaces: list[tuple[str, Any]], thing: Any) -> str:
    """Return the name of an object in variables, then in attributes of what they hold, and of these."""
    for name, value in spaces:
        found = _among(name, value, thing)
        if found:
            return found
    objects = [one for name, value in spaces for one in _objects_in(name, value)]
    # `self` first, whatever else there is.
    objects.sort(key=lambda one: one[0] != "self")
    further: list[tuple[str, Any]] = []
    for level in (objects[:_MOST_OBJECTS], further):
        for name, value in level:
            for inner, one in _values(value):
                if type(inner) is not str or inner.startswith("__task_thread"):
                    continue
                found = _among(f"{name}.{inner}", one, thing)
                if found:
                    return found
                if level is not further and len(further) < _MOST_OBJECTS:
                    further += _objects_in(f"{name}.{inner}", one)
    return ""


def student_name(thing: Any, frame: FrameType | None, life: Life | None) -> str:
    """Return the name that a program gives an object where it waits for it; "" if none is found.

    Args:
        thing: the object.
        frame: that waits for it.
        life: of the thread whose code that is.
    """
    spaces: list[tuple[str, Any]] = []
    if frame is not None:
        spaces = list(itertools.islice(locals_of(frame).items(), _MOST_NAMES))
    if life is not None:
        if all(value is not life.thread for _, value in spaces):
            spaces.append(("self", life.thread))
        if type(life.locks).__name__ == "SimpleNamespace":
            spaces.append(("self.locks", life.locks))
    found = _names_in(spaces, thing)
    if not found and life is not None:
        found = _names_in(_of_class(life), thing)
    if not found and frame is not None:
        shared = itertools.islice(list(frame.f_globals.items()), 2 * _MOST_NAMES)
        found = _names_in([(n, v) for n, v in shared if not n.startswith("_")], thing)
    return found


# Records


class Records:
    """Makes the records of one look.

    Args:
        look: the look.
        named: whether the program's names are looked for, which costs some microseconds each.
    """

    def __init__(self, look: Look, named: bool = True) -> None:
        self.look = look
        self._named = named
        self._ids: dict[Life, str] = {}
        self._names: dict[tuple[int, int], str] = {}

    def path(self, waiter: Waiter) -> str:
        """Return how a waiter is called: "Plato.eat"."""
        life = waiter.life
        if life is None:
            return waiter.name
        if life not in self._ids:
            self._ids[life] = life.id
        return self._ids[life] if waiter.kind == "stop" else f"{self._ids[life]}.{waiter.name}"

    def serial(self, plain: Waiter) -> int:
        """Return the number of a plain task, as `Plain` has it."""
        return _number(plain.task)[0]

    def all(self) -> tuple[Wait, ...]:
        """Return the records of all that wait."""
        found = (self.of(waiter) for waiter in self.look.waiters)
        return tuple(wait for wait in found if wait is not None)

    def of(self, waiter: Waiter) -> Wait | None:
        """Return the record of one that waits; `None` for one that does not."""
        want = self.look.seen_through(waiter)
        if want is None:
            return None
        life = waiter.life
        loop = life.loop if life is not None else attribute(waiter.task, "get_loop", lambda: None)()
        now = 0.0 if loop is None else loop.time()
        since = seen_since(want, now)
        place = waiter.place
        return Wait(
            waiter=self.path(waiter),
            thread=0 if life is None else life.serial,
            slot=waiter.name,
            kind=waiter.kind,
            under="" if waiter.under is None else self.path(waiter.under),
            resource=self.resource(want, waiter),
            how="" if want.how == "first" else want.how,
            holders=self.holders(waiter),
            since=since,
            seconds=max(now - since, 0.0),
            left=None if want.until is None else max(want.until - now, 0.0),
            filename=place.filename if place is not None else "",
            line=place.line if place is not None else 0,
            source=place.source if place is not None else "",
        )

    def holders(self, waiter: Waiter) -> tuple[str, ...]:
        """Return the names of those who have to go on first."""
        found = self.look.holders(waiter)
        names = (self.path(one) for one in itertools.islice(found, _MOST_HOLDERS))
        return tuple(dict.fromkeys(names))

    def resource(self, want: Want, waiter: Waiter) -> Resource:
        """Return the record of what somebody waits for."""
        thing, kind = want.thing, want.kind
        serial = 0 if thing is None else _number(thing)[0]
        filled, size = _fill(want)
        return Resource(kind, self._name(want, waiter), serial, filled, size)

    def _name(self, want: Want, waiter: Waiter) -> str:
        thing, kind = want.thing, want.kind
        if is_a(thing, Life):
            return life_name(thing, self._ids)
        if is_a(thing, Mailbox):
            way = "input" if thing.child is None else "output"
            return f"the {way}_queue of {life_name(thing.sender, self._ids)}"
        if kind == "task":
            found = self.look.find(thing)
            return self.path(found) if found is not None else "a task"
        if kind == "to_thread":
            return f"to_thread({name_of(thing)})" if thing is not None else kind
        if thing is None or kind == "gather":
            return f"{kind}()"
        frame = want.frame
        if frame is None and waiter.under is not None and waiter.under.want is not None:
            frame = waiter.under.want.frame  # gather(event.wait()): who made it has the name
        key = (id(thing), id(frame.f_code) if frame is not None else 0)
        if key not in self._names:
            found_name = student_name(thing, frame, waiter.life) if self._named else ""
            nameless = f"{class_of(thing)} {_number(thing)[1]}"
            if is_future(thing):
                nameless = _A_FUTURE
            elif kind == "concurrent.futures.Future":
                nameless = "another OS thread or process"
            self._names[key] = found_name or nameless
        return self._names[key]


def life_name(life: Life, known: dict[Life, str]) -> str:
    """Return the id of a thread, asked for once in a look."""
    if life not in known:
        known[life] = life.id
    return known[life]


def _fill(want: Want) -> tuple[int, int]:
    """Return how full a queue is, or how many tasks are done of those that are waited for."""
    thing = want.thing
    try:
        if is_a(thing, asyncio.Queue):
            return asyncio.Queue.qsize(thing), max(int(thing.maxsize), 0)
        if is_a(thing, Mailbox):
            return thing.qsize(), thing.maxsize
    except BaseException:  # a subclass of the program's own
        return 0, 0
    if want.kind == "gather":
        children = attribute(thing, "_children", ())
        return sum(map(is_done, children)), len(children)
    return 0, len(want.tasks)


class Plain(NamedTuple):
    """A plain asyncio task that a task awaits, or that a task, hook or handler has made.

    Attributes:
        serial: its number, as a `Resource` has one.
        name: of its coroutine, or the one that it was given.
        place: where it waits.
        words: what it waits for, as `words_of` has it.
    """

    serial: int
    name: str
    place: Place | None
    words: str


class TaskWaits(NamedTuple):
    """What a task waits for.

    Attributes:
        words: as `words_of` has it.
        plain: the first of its plain tasks.
        more: how many further ones there are.
    """

    words: str
    plain: tuple[Plain, ...]
    more: int


def waits_of_tasks(
    drivers: Iterable[Driver],
    tops: Iterable[Life],
    most_plain: int = 0,
    lives: Iterable[Life] = (),
) -> dict[Driver | Life, TaskWaits]:
    """Return what some tasks wait for, and the plain tasks of some threads.

    Args:
        drivers: the tasks.
        tops: the threads on top of them; all below is only looked at if one of the tasks, or of their plain
            tasks that are told, waits for what others hold.
        most_plain: how many plain tasks of each are told.
        lives: threads of which it is told which plain tasks their hooks and handlers have made, or tasks of
            theirs that have ended.
    """
    waiters = [
        Waiter(one.owner, "task", one.name, one.coroutine, driver=one, task=one.task)
        for one in drivers
    ]
    among = dict.fromkeys(lives)
    groups = _plain_below(waiters, _all_plain(waiters, among), among) if most_plain else {}
    plain = {
        above: [_plain_waiter(_life_of(above), task) for task in tasks[:most_plain]]
        for above, tasks in groups.items()
    }
    wants = [waiter.want for waiter in (*waiters, *itertools.chain(*plain.values()))]
    held = (asyncio.Lock, asyncio.Semaphore, Life, Mailbox)
    look = Look()
    if any(want is not None and (want.tasks or is_a(want.thing, *held)) for want in wants):
        look = Look(*tops)
    records = Records(look)

    def words(waiter: Waiter) -> str:
        wait = records.of(look.find(waiter.task) or waiter)
        return "" if wait is None else wait.words

    found: dict[Driver | Life, TaskWaits] = {}
    own_words: dict[Driver | Life, str] = {}
    for waiter in waiters:
        assert waiter.driver is not None
        own_words[waiter.driver] = words(waiter)
    for above in (*own_words, *(one for one in plain if one not in own_words)):
        told = [_told(one, words(one)) for one in plain.get(above, ())]
        more = len(groups.get(above, ())) - len(told)
        found[above] = TaskWaits(own_words.get(above, ""), tuple(told), more)
    return found


def plain_in(records: Records, most: int) -> dict[Driver | Life, tuple[tuple[Plain, ...], int]]:
    """Return the plain tasks of those tasks and threads that have any, as `TaskWaits` has them.

    Args:
        records: of a look.
        most: how many of each are told; of further ones the number.
    """
    plain = {id(one.task): one for one in records.look.waiters if one.kind == "plain"}
    if not plain:
        return {}
    waiters = [one for one in records.look.waiters if one.driver is not None]
    lives = {
        one.life: None for one in records.look.waiters if one.life is not None and one.life.live
    }
    tasks = sorted((one.task for one in plain.values()), key=making_order)
    found = {}
    for above, own in _plain_below(waiters, tasks[:_MOST_PLAIN], lives).items():
        told = []
        for one in (plain[id(task)] for task in own[:most]):
            wait = records.of(one)
            told.append(_told(one, "" if wait is None else wait.words))
        found[above] = tuple(told), len(own) - len(told)
    return found


def _told(plain: Waiter, words: str) -> Plain:
    return Plain(_number(plain.task)[0], plain.name, plain.place, words)


def _all_plain(waiters: list[Waiter], lives: dict[Life, None]) -> list[Any]:
    """Return the plain tasks on the loops of some tasks and threads."""
    among = (*lives, *(one.life for one in waiters if one.life is not None))
    loops = {id(life.loop): life.loop for life in among}
    found = (plain_tasks(loop)[:_MOST_PLAIN] for loop in loops.values() if loop is not None)
    return [task for tasks in found for task in tasks]


def _plain_below(
    waiters: list[Waiter], tasks: list[Any], lives: dict[Life, None]
) -> dict[Driver | Life, list[Any]]:
    """Return which of some plain tasks each task awaits, else those that its code made.

    Those that were made by no task which lives are told of the thread of their maker.
    """
    drivers = {one.driver for one in waiters}
    by: dict[int, Driver] = {}
    for waiter in waiters:
        for task in waiter.want.tasks if waiter.want is not None else ():
            if waiter.driver is not None:
                by.setdefault(id(task), waiter.driver)
    found: dict[Driver | Life, list[Any]] = {}
    for task in tasks:
        above: Any = by.get(id(task)) or made_by(task)
        if not is_a(above, Driver) or above.over:
            above = None if above is None else above.owner
        if above is not None and (above in drivers or above in lives):
            found.setdefault(above, []).append(task)
    return found


def _life_of(above: Driver | Life) -> Life | None:
    return above.owner if isinstance(above, Driver) else above


def _plain_waiter(life: Life | None, task: Any) -> Waiter:
    return Waiter(life, "plain", coroutine_name(task), coroutine_in(task), task=task)


def waits_of(life: Life) -> tuple[Wait, ...]:
    """Return the records of a thread and of all below it."""
    return Records(Look(life)).all()
