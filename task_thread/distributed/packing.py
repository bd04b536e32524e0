"""What travels between two processes: threads by their names, classes of cells once, all else by value.

A signal may carry the thread that sends or receives it, so often that this must work: at the other end it
is the thread that stands for it there. Any other thread is refused. A class that the other side can't
import, one from a cell or a script, goes as code: 100 µs and 2 kB each time, were it sent with each signal.
So it gets a number, is announced once, and is named by its number from then on. cloudpickle keeps track
of such classes, so what comes back is of the very class that was sent.

A signal of a class that pickles in the usual way goes as the number of its class and its attributes. Then
the pickler meets nothing for which it has to call Python, or is not needed at all: to pack 20,000
`MessageSignal`s was half of the work of sending them.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import itertools
import pickle
import sys
import threading
import weakref
from collections.abc import Callable
from types import CodeType
from typing import Any

import cloudpickle

from .._core.context import HasLife, find_life, life_of, set_attribute
from .._core.lifecycle import Life
from .._core.texts import class_of, describe
from ..signals import Signal
from ..thread import TaskThread

Name = tuple[Any, ...]
"""How a thread is called on the way."""

Packed = tuple[int, bytes]
"""A signal: the number of its class and its attributes; or 0 and all of it."""

_SCALARS = frozenset({str, int, float, bool, bytes, type(None)})

_here = threading.local()  # what is being unpacked: classes, the scope of names, and the signal


class Packer:
    """One end's packing and unpacking.

    Args:
        other: what the other end is called in an error.
        announce: called with the number and the code of a class before anything names it.
    """

    def __init__(self, other: str, announce: Callable[[int, bytes], None]) -> None:
        self.other = other
        self._announce = announce
        self._numbers: weakref.WeakKeyDictionary[type, int] = weakref.WeakKeyDictionary()
        self._next = itertools.count(1)
        self._classes: dict[int, type | Exception] = {}  # of the other end; why one can't be had
        # Of classes of signals, so as not to look twice; 0 for one that goes as a whole.
        self._kinds: weakref.WeakKeyDictionary[type, int] = weakref.WeakKeyDictionary()
        self._kind: type = Signal  # the last one, and what is known of it
        self._number = 0
        self._packed: type[PackedSignal] = PackedSignal
        self._busy = False
        self._file = io.BytesIO()
        self._pickler = _Pickler(self._file, _refuse, self._number_of)

    def pack(self, signal: Signal, name_of: Callable[[Life], Name]) -> PackedSignal:
        """Return a signal with its bytes.

        Args:
            signal: any.
            name_of: returns how a thread is called; raises a TypeError for one that can't be named.

        Raises:
            TypeError: something in it can't be sent.
        """
        kind = type(signal)
        if kind is not self._kind:
            self._meet(kind)
        number = self._number
        thing: Any = signal
        if number:
            thing = signal.__dict__
            for value in thing.values():
                if type(value) not in _SCALARS:
                    break
            else:
                return self._packed(signal, (number, pickle.dumps(thing, 5)))
        return self._packed(signal, (number, self._dump(thing, signal, name_of)))

    def _dump(self, thing: Any, signal: Signal, name_of: Callable[[Life], Name]) -> bytes:
        if self._busy:  # a signal whose own pickling sends another one
            failure = f"the signal {signal} can't be sent to {self.other}"
            return _dumps(thing, name_of, self._number_of, failure, signal)
        # One pickler for all: to make one takes longer than most signals do.
        file, pickler = self._file, self._pickler
        self._busy = True
        pickler.name_of = name_of
        pickler.signal = None if thing is signal else signal
        try:
            pickler.dump(thing)
            return file.getvalue()
        except Exception as error:
            raise TypeError(
                f"the signal {signal} can't be sent to {self.other}: {describe(error)}"
            ) from error
        finally:
            pickler.signal = None
            pickler.clear_memo()
            pickler.globals_ref.clear()
            file.seek(0)
            file.truncate()
            self._busy = False

    def unpack(self, data: Packed, find: Callable[[Name], Any]) -> Any:
        """Return a signal that was packed at the other end.

        Args:
            data: the bytes from there.
            find: returns a thread by its name.
        """
        number, state = data
        signal: Any = None
        if number:
            cls = self._classes[number]
            if isinstance(cls, Exception):
                raise cls
            signal = object.__new__(cls)
        before = getattr(_here, "now", None)
        _here.now = (self._classes, find, signal)
        try:
            found = pickle.loads(state)
        finally:
            _here.now = before
        if not number:
            return found
        signal.__dict__.update(found)
        return signal

    def learn(self, number: int, code: bytes) -> None:
        """Take note of a class that the other end announced."""
        try:
            self._classes[number] = pickle.loads(code)
        except Exception as error:  # whatever is of that class can't be read
            self._classes[number] = error

    def _meet(self, kind: type[Signal]) -> None:
        """Look how signals of a class are packed."""
        number = self._kinds.get(kind)
        if number is None:
            number = 0
            if _is_usual(kind):
                with contextlib.suppress(Exception):  # who packs all of it says what can't be sent
                    number = self._number_of(kind)
                    if not number:
                        code = pickle.dumps(kind)
                        number = next(self._next)
                        self._announce(number, code)
            self._kinds[kind] = number
        self._kind, self._number, self._packed = kind, number, packed_class(kind)

    def _number_of(self, cls: type) -> int:
        """Return the number of a class that goes as code, announcing it first; 0 for any other."""
        number = self._numbers.get(cls)
        if number is None:
            number = 0
            if _goes_as_code(cls):
                code = _dumps(cls, _refuse, _no_number, f"the class {cls.__name__}")
                number = next(self._next)
                self._announce(number, code)
            self._numbers[cls] = number
        return number


class PackedSignal(Signal):
    """A signal that is on its way: itself, for whoever looks at a queue, and its bytes.

    Without bytes while it is not known to which process it goes.
    """

    def __init__(self, signal: Signal, data: Packed | None) -> None:
        self.signal = signal
        self.data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["signal"], name)

    def __str__(self) -> str:
        return str(self.signal)

    __repr__ = __str__


_packed_classes: weakref.WeakKeyDictionary[type, type[PackedSignal]] = weakref.WeakKeyDictionary()


def packed_class(kind: type[Signal]) -> type[PackedSignal]:
    """Return the class for packed signals of a class; of the same name, which panels show."""
    found = _packed_classes.get(kind)
    if found is None:
        found = _packed_classes[kind] = type(kind.__name__, (PackedSignal,), {})
    return found


def _is_usual(kind: type) -> bool:
    """Whether an object of a class is a new object with attributes, for pickle too."""
    own = (
        "__reduce_ex__",
        "__reduce__",
        "__new__",
        "__getstate__",
    )  # object's; the last from 3.11 on
    return (
        all(getattr(kind, name, None) is getattr(object, name, None) for name in own)
        and not any(
            hasattr(kind, name) for name in ("__setstate__", "__getnewargs__", "__getnewargs_ex__")
        )
        and all(not vars(base).get("__slots__") for base in kind.__mro__)
        and kind not in copyreg.dispatch_table
    )


# A thread that was made, and has not run


def pack_thread(thread: TaskThread, name_of: Callable[[Life], Name], other: str) -> bytes:
    """Return the class and the attributes of a thread.

    Raises:
        TypeError: something can't be sent; it is named.
    """
    cls = type(thread)
    life = life_of(thread)
    failure = f"{life.id} can't be sent to {other}"
    if cls.__reduce__ is not object.__reduce__:  # the program defines how
        return pickle.dumps(("whole", _dumps(_Whole(thread), name_of, _no_number, failure), b""))
    made = object.__reduce_ex__(thread, 2)
    state: Any = made[2]
    plain, slotted = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if plain is not None and not isinstance(plain, dict):
        raise TypeError(
            f"{failure}: expected __getstate__ to return a dictionary, found {class_of(plain)}"
        )
    attributes = {**(slotted or {}), **(plain or {})}
    for name in ("__task_thread_life__", "__task_thread_parent__", "tasks", "parent"):
        attributes.pop(name, None)
    tasks = dict(vars(life.slots))
    try:
        known = _dumps((attributes, tasks), name_of, _no_number, failure)
    except TypeError:
        for kind, values in (("", attributes), ("tasks.", tasks)):
            for name, value in values.items():
                _dumps(
                    value,
                    name_of,
                    _no_number,
                    f"{failure} because of its attribute {kind}{name} (make it in enter__, which runs there)",
                )
        raise
    return pickle.dumps(("parts", _dumps(cls, _refuse, _no_number, failure), known))


def unpack_thread(
    data: bytes, parent: TaskThread, find: Callable[[Name, TaskThread | None], Any]
) -> TaskThread:
    """Return a thread that was packed, as the child of another parent.

    Args:
        data: what `pack_thread` returned.
        parent: at this end.
        find: returns a thread by its name; it is given the thread in the making.
    """
    kind, first, second = pickle.loads(data)
    before = getattr(_here, "now", None)
    try:
        _here.now = ({}, lambda name: find(name, None), None)
        if kind == "whole":
            thread: TaskThread = pickle.loads(first)
            thread.parent = parent
            return thread
        cls = pickle.loads(first)
        thread = cls.__new__(cls)
        # What the constructor of TaskThread does, apart from initVars__, which has run.
        life = Life(thread, life_of(parent))
        set_attribute(thread, "__task_thread_parent__", parent)
        set_attribute(thread, "__task_thread_life__", life)
        _here.now = ({}, lambda name: find(name, thread), None)
        attributes, tasks = pickle.loads(second)
    finally:
        _here.now = before
    for name, value in ({"tasks": life.slots, "parent": parent} | attributes).items():
        try:
            set_attribute(thread, name, value)
        except AttributeError:  # a property of the program's own
            pass
    for name, value in tasks.items():
        setattr(life.slots, name, value)
    return thread


class _Whole:
    """A thread whose class says how it is pickled."""

    def __init__(self, thread: TaskThread) -> None:
        self.thread = thread

    def __reduce__(self) -> Any:
        made: Any = self.thread.__reduce__()
        return made


# The pickler

_NO_FILE = "<no file>"


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it ships no types
    def __init__(
        self,
        file: io.BytesIO,
        name_of: Callable[[Life], Name],
        number_of: Callable[[type], int | None],
    ) -> None:
        super().__init__(file)
        self.name_of = name_of
        # Whose attributes are packed, and which may be among them.
        self.signal: Signal | None = None
        self._number_of = number_of

    def reducer_override(self, thing: Any) -> Any:
        kind = type(thing)
        if issubclass(kind, type):
            number = self._number_of(thing)
            if number is not None:
                return (_class, (number,)) if number else NotImplemented
        elif kind is CodeType and thing.co_filename != _NO_FILE:  # cloudpickle leaves the name out
            return _code, (thing.replace(co_filename=_NO_FILE), thing.co_filename)
        elif thing is self.signal:
            return _signal, ()
        elif issubclass(kind, HasLife):
            life = find_life(thing)
            if life is not None:
                return _thread, (self.name_of(life),)
        return super().reducer_override(thing)


def _dumps(
    thing: Any,
    name_of: Callable[[Life], Name],
    number_of: Callable[[type], int | None],
    failure: str,
    signal: Signal | None = None,
) -> bytes:
    file = io.BytesIO()
    pickler = _Pickler(file, name_of, number_of)
    pickler.signal = None if thing is signal else signal
    try:
        pickler.dump(thing)
    except Exception as error:
        raise TypeError(f"{failure}: {describe(error)}") from error
    return file.getvalue()


def _class(number: int) -> type:
    classes: dict[int, type | Exception] = _here.now[0]
    found = classes[number]
    if isinstance(found, Exception):
        raise found
    return found


def _signal() -> Any:
    return _here.now[2]


def _code(code: CodeType, filename: str) -> CodeType:
    return code.replace(co_filename=filename)


def _thread(name: Name) -> Any:
    return _here.now[1](name)


def _refuse(life: Life) -> Name:
    raise TypeError(f"it uses the thread {life.id}, and threads don't travel: use its id")


def _no_number(cls: type) -> None:
    """Leave a class to cloudpickle."""


def _goes_as_code(cls: type) -> bool:
    """Whether the other end can't import a class."""
    module = cls.__module__
    if module in ("__main__", "__mp_main__"):
        return True
    for name in cloudpickle.list_registry_pickle_by_value():
        if module == name or module.startswith(f"{name}."):
            return True
    found: Any = sys.modules.get(module)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not cls
