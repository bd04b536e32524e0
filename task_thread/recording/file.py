"""The file of a recording: written while a program lives, read whatever was done to it.

The format is told in docs/recording.md. In short: a first line, then records, each with its kind, its
length and a checksum. What happened at one moment is one record; the records of a *segment* of about 15 s
are one compressed stream, which each record ends with a flush. So whatever was written can be read, also
if the program was killed; a segment begins with full frames, so the oldest ones can be left away.

Invariants: nothing that is read is ever executed, imported or used as a name of anything. What a reader
returns has the kinds and sizes told in `checks.py`, whoever made the file.

Rejected: pickle (executes what it reads), sqlite (a journal beside the file, 3 ms a commit), one gzip
stream (can't lose its beginning), a ring that is overwritten in place (a reader would have to search it).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .._core.texts import sendable
from . import checks
from .checks import Unsound

VERSION = 1
FIRST_LINE = b"task_thread recording\n"
SEGMENT = 15.0  # seconds of one segment
LEAST_BYTES = 100_000  # to which a recording may be bound
_HEAD = struct.Struct("<cII")  # kind, length, checksum
_LENGTH = struct.Struct("<I")
_HEADER, _SOURCE, _BEGIN, _TICK, _END = b"H", b"C", b"S", b"T", b"E"
_LEVEL = 6  # of compression; 9 takes twice the time for 2 % less
_MOST_RECORD = 64_000_000  # bytes of one record, compressed or not
_MOST_END = 64  # bytes of the record at the end
_MOST_SOURCES = 5_000

Tick = dict[str, Any]
"""What was seen at one moment: "at", "frames" and so on, as docs/recording.md says."""


class RecordingError(ValueError):
    """What was to be read is no recording that this version can read; its text is a sentence."""


class Tape:
    """Writes a recording, to a file or into memory.

    Args:
        path: of the file; `None` for memory.
        about: of the program: "name", "began", "python", "product".
        seconds: of which at least the newest are kept, and at most about twice as many; `None` for all.
        most: bytes that the file may have, its end included; `None` for any number.

    Attributes:
        about: as given; it may be changed until the first tick is written.
        name: of the file, for sentences.
        size: in bytes.

    Raises:
        OSError: the file can't be written, here and wherever something is written; or `most` has no room
            for it.
    """

    def __init__(
        self,
        path: Path | None,
        about: dict[str, Any],
        seconds: float | None = None,
        most: int | None = None,
    ) -> None:
        self.name = "in memory" if path is None else str(path)
        self.about = about
        self._path = path
        self._seconds = seconds
        self._most = most
        self._file: BinaryIO = io.BytesIO() if path is None else path.open("w+b", buffering=0)
        self._sources: list[bytes] = []
        self._segments: list[tuple[int, float]] = []  # where each begins, and when
        self._cut = 0.0  # seconds at the front that were left away
        self._stream: Any = None
        self.size = 0

    def wants_segment(self, at: float) -> bool:
        """Return whether the next tick has to begin a segment, with full frames."""
        if not self._segments:
            return True
        begin, since = self._segments[-1]
        return at - since >= SEGMENT or (
            self._most is not None and self.size - begin > self._most // 4
        )

    def source(self, key: str, fact: dict[str, Any]) -> None:
        """Write the text of a function."""
        record = _record(_SOURCE, zlib.compress(_json([key, fact]), _LEVEL))
        self._write(record)
        self._sources.append(record)

    def tick(self, tick: Tick, begins: bool) -> None:
        """Write what was seen at a moment.

        Args:
            tick: its frames are (panel, content, buffers).
            begins: whether it begins a segment.

        Raises:
            OSError: it can't be written.
        """
        if begins:
            self._leave_away(self._first_kept(tick["at"]))
            record = _record(_BEGIN, _json({"at": tick["at"]}))
            self._write(record)
            self._segments.append((self.size - len(record), tick["at"]))
            self._stream = zlib.compressobj(_LEVEL, wbits=-15)
        frames, buffers = [], []
        for panel, content, columns in tick["frames"]:
            frames.append([panel, content, [len(column) for column in columns]])
            buffers += columns
        facts = _json({**tick, "frames": frames})
        raw = b"".join((_LENGTH.pack(len(facts)), facts, *buffers))
        packed = self._stream.compress(raw) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        self._write(_record(_TICK, packed))

    def close(self, seconds: float) -> None:
        """End the recording."""
        if not self._file.closed:
            try:
                self._append(_end(seconds))
            finally:
                if self._path is not None:
                    self._file.close()

    def abandon(self) -> None:
        """Let go of the file, as it is; what is in memory can still be copied."""
        if self._path is not None:
            self._file.close()

    def copy(self, ended: float | None = None) -> bytes:
        """Return what is in memory, as a recording that has ended after some seconds."""
        assert isinstance(self._file, io.BytesIO)
        data = self._file.getvalue()
        return data if ended is None else data + _end(ended)

    def _front(self) -> bytes:
        header = {"version": VERSION, "about": self.about, "cut": round(self._cut, 3)}
        return b"".join((FIRST_LINE, _record(_HEADER, _json(header)), *self._sources))

    def _write(self, data: bytes) -> None:
        self._make_room(len(data))
        self._append(data)

    def _append(self, data: bytes) -> None:
        if not self.size:
            data = self._front() + data
        written = self._file.write(data)
        while written is not None and written < len(data):  # a full disk may take a part
            data = data[written:]
            written = self._file.write(data)
            if not written:
                raise OSError("not all could be written")
        self.size = self._file.tell()

    def _make_room(self, count: int) -> None:
        """Leave away the oldest segments, but never the newest, until some bytes and the end fit."""
        if self._most is None:
            return
        room = self._most - _MOST_END - count
        if 0 < self.size <= room:
            return
        front = len(self._front())
        if self.size > room:
            self._leave_away(self._first_within(min(room - front, self._most // 2)))
        if max(self.size, front) > room:
            raise OSError(
                f"its newest moments alone need more than the {self._most:,} bytes that it may have; give "
                "record() a greater bytes="
            )

    def _leave_away(self, first: int) -> None:
        """Leave away all segments before one."""
        if not first:
            return
        begin, at = self._segments[first]
        first_at = self._segments[0][1]
        self._cut += at - first_at
        front = self._front()
        moved = [(offset - begin + len(front), when) for offset, when in self._segments[first:]]
        old = self._file
        if self._path is None:
            assert isinstance(old, io.BytesIO)
            self._file = io.BytesIO(front + old.getvalue()[begin:])
            self._file.seek(0, io.SEEK_END)
        else:
            # Replaced as a whole: if the program is killed now, the old file is still there.
            part = self._path.with_name(self._path.name + ".part")
            try:
                with part.open("wb") as new:
                    new.write(front)
                    old.seek(begin)
                    shutil.copyfileobj(old, new)
                old.close()  # before it is replaced: Windows replaces no open file
                os.replace(part, self._path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            self._file = self._path.open("r+b", buffering=0)
            self._file.seek(0, io.SEEK_END)
        self._segments = moved
        self.size = self._file.tell()

    def _first_kept(self, now: float) -> int:
        """Return which segment is to be the first; half is left away at once, or it would be often."""
        segments = self._segments
        first = 0
        if self._seconds is not None and segments:
            old = sum(now - at > self._seconds for _, at in segments[1:])
            if now - segments[0][1] > 2 * max(self._seconds, SEGMENT) - SEGMENT:
                first = old
        if self._most is not None and self.size > self._most - self._most // 4:
            first = max(first, self._first_within(self._most // 2))
        return first

    def _first_within(self, room: int) -> int:
        """Return from which segment on all have room in some bytes; the newest is kept in any case."""
        newest = len(self._segments) - 1
        fit = (at for at, (begin, _) in enumerate(self._segments) if self.size - begin <= room)
        return max(0, min(next(fit, newest), newest))


class Records:
    """The records of a recording, up to where they are sound.

    Args:
        file: of the recording.
        name: of the file, for sentences.

    Attributes:
        about: of the program.
        cut: seconds at the front that were left away.
        sources: the texts of functions by their keys.
        segments: when each begins, and where its ticks stand in the file: offset and length.
        ended: how many seconds it took; `None` if it was broken off.
        broken: from where on it is not sound, as a sentence; "" if all is.

    Raises:
        RecordingError: it is no recording, or of a newer version.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.sources: dict[str, dict[str, Any]] = {}
        self.segments: list[tuple[float, list[tuple[int, int]]]] = []
        self.ended: float | None = None
        self.broken = ""
        found = file.read(len(FIRST_LINE))
        if found != FIRST_LINE:
            what = "an empty file" if not found else f"one that begins with {found[:22]!r}"
            if found and FIRST_LINE.startswith(found):
                what = "only the beginning of one"
            raise RecordingError(f"expected a recording of task_thread, found {what}: {name}")
        header = self._header(name)
        self.about = header["about"]
        self.cut: float = header.get("cut", 0.0)
        try:
            while self._one():
                pass
        except Unsound as error:
            self.broken = str(error)

    def _header(self, name: str) -> dict[str, Any]:
        try:
            found = self._next()
            if found is None or found[0] != _HEADER:
                raise Unsound("its header is missing")
            raw = self._payload(found[1], found[2])
            version = checks.parsed(raw, {"version": int}).get("version")
            if version is not None and version > VERSION:
                raise RecordingError(
                    f"expected a recording of version {VERSION}, found version {version}: {name} was "
                    "made by a newer task_thread; install that one"
                )
            header: dict[str, Any] = checks.parsed(raw, checks.HEADER)
            return header
        except Unsound as error:
            raise RecordingError(
                f"expected a recording of task_thread, found one that is damaged at its beginning: "
                f"{name}: {error}"
            ) from None

    def _next(self) -> tuple[bytes, int, int] | None:
        """Return kind, place and length of the next record, whose checksum fits; `None` at the end."""
        head = self._file.read(_HEAD.size)
        if not head:
            return None
        if len(head) < _HEAD.size:
            raise Unsound("it ends in the middle of a record")
        kind, length, checksum = _HEAD.unpack(head)
        if length > _MOST_RECORD:
            raise Unsound(f"a record claims to have {length:,} bytes")
        at = self._file.tell()
        payload = self._file.read(length)
        if len(payload) < length:
            raise Unsound("it ends in the middle of a record")
        if zlib.crc32(payload, zlib.crc32(kind)) != checksum:
            raise Unsound("a record is not what was written")
        return kind, at, length

    def _payload(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        return self._file.read(length)

    def _one(self) -> bool:
        """Read one record; return whether there may be another one."""
        found = self._next()
        if found is None:
            return False
        kind, at, length = found
        if kind == _TICK:
            if not self.segments:
                raise Unsound("a record stands before the beginning of a segment")
            self.segments[-1][1].append((at, length))
            return True
        payload = self._payload(at, length)
        if kind == _BEGIN:
            when = checks.parsed(payload, {"at": float}).get("at", 0.0)
            if self.segments and when < self.segments[-1][0]:
                raise Unsound("time goes back")
            self.segments.append((when, []))
        elif kind == _SOURCE:
            if len(self.sources) >= _MOST_SOURCES:
                raise Unsound(f"it has more than {_MOST_SOURCES:,} functions")
            text = _unpacked(zlib.decompressobj(), payload)
            key, fact = checks.parsed(text, checks.SOURCE)
            self.sources[key] = fact
        elif kind == _END:
            self.ended = checks.parsed(payload, {"seconds": float}).get("seconds")
        else:
            raise Unsound(f"a record is of the unknown kind {kind!r}")
        return True

    def ticks(self, segment: int) -> Iterator[Tick]:
        """Yield the ticks of a segment, checked; their frames are (panel, content, buffers).

        Raises:
            Unsound: what follows can't be read.
        """
        stream = zlib.decompressobj(-15)
        before, places = self.segments[segment]
        for at, length in places:
            raw = _unpacked(stream, self._payload(at, length))
            if len(raw) < _LENGTH.size:
                raise Unsound("a record is too short")
            end = _LENGTH.size + _LENGTH.unpack_from(raw)[0]
            tick = checks.parsed(raw[_LENGTH.size : end], checks.TICK)
            tick["frames"] = checks.frames(tick.get("frames", []), raw[end:])
            if tick.setdefault("at", before) < before:
                raise Unsound("time goes back")
            before = tick["at"]
            tick["size"] = len(raw)
            yield tick

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unpacked(stream: Any, packed: bytes) -> bytes:
    try:
        raw: bytes = stream.decompress(packed, _MOST_RECORD)
    except zlib.error:
        raise Unsound("a record can't be decompressed") from None
    if stream.unconsumed_tail:
        raise Unsound(f"a record has more than {_MOST_RECORD:,} bytes")
    return raw


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return sendable(text).encode()


def _end(seconds: float) -> bytes:
    return _record(_END, _json({"seconds": round(seconds, 4)}))


def _record(kind: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))) + payload
