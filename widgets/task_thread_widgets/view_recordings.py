"""What a ThreadView records, and the replay that it shows above its panels.

Record ─► a file beside the notebook ─► Stop recording, or the thread ends ─► "recorded 12 s in ..."
Replay, beside an error or an advice ─► thread.history() ─► a ReplayView in the view itself
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from task_thread import TaskThread
from task_thread._core.context import life_of
from task_thread._core.texts import brief, describe
from task_thread.recording import Recorder, Recording, RecordingError
from task_thread.recording.recorder import record

from .home import home_loop
from .page_messages import sendable
from .refusal import Refusal, field
from .replay_view import ReplayView

if TYPE_CHECKING:
    from .view import ThreadView

LEAD = 2.0
"""Seconds before an error at which a replay of it begins."""


class ViewRecordings:
    """The recordings of one view; everything is called on the kernel's main loop.

    Args:
        view: whose `recording`, `recorded` and `replay` are set.
    """

    def __init__(self, view: ThreadView) -> None:
        self._view = view
        self._recorder: Recorder | None = None
        self._path = Path()

    def obey(self, message: dict[str, Any]) -> None:
        """Do what a page asks for.

        Raises:
            Refusal: it is nothing that can be asked for.
        """
        wanted = message.get("record")
        if isinstance(wanted, bool):
            self.record() if wanted else self.stop()
        elif message.get("replay") == "recorded":
            self._show(self._path, 0.0)
        elif message.get("replay") == "close":
            self.close_replay()
        elif isinstance(message.get("replay"), dict):
            serial = field(message["replay"], "serial", int)
            slot = field(message["replay"], "slot", str, "")
            thread = None if serial is None else self._view.tree.shown.thread(serial)
            if thread is None:
                raise Refusal(
                    f"expected the serial number of a thread in this view, found {brief(serial)}"
                )
            self._show_history(thread, slot)
        else:
            raise Refusal(
                "expected beside with anew, true or false, record, true or false, or replay with what "
                f"is to be shown, found {brief(message)}"
            )

    # Recording

    def record(self) -> None:
        """Begin to record what the view shows, in a new file."""
        if self._recorder is not None:
            return
        thread = self._view.tree.thread
        try:
            path = new_path("threads" if thread is None else life_of(thread).id)
            recorder = record(thread, path)
        except (OSError, ValueError) as error:
            self._tell(f"could not record: {describe(error)}")
            return
        self._recorder, self._path = recorder, path
        recorder.at_end(self._ended)
        self._view.recording = True
        self._tell(f"recording to {path.name}")

    def stop(self) -> None:
        """End the recording, if there is one."""
        if self._recorder is not None:
            self._recorder.stop()

    def _ended(self) -> None:
        """The recording has ended; called on the thread's loop."""
        loop = home_loop()
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._tell_end, context=self._view.cell_context())

    def _tell_end(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None and self._view.comm is not None:
            self._view.recording = False
            self._tell(
                f"recorded {recorder.seconds:.1f} s in {self._path}: "
                f"ReplayView({self._path.name!r}) shows it again"
            )

    def _tell(self, text: str) -> None:
        self._view.recorded = sendable(text)

    # Replaying

    def _show_history(self, thread: TaskThread, slot: str) -> None:
        try:
            try:
                recording = thread.history(slot)
            except RecordingError:  # an advice, say, where nothing failed
                recording = thread.history()
        except (RecordingError, RuntimeError) as error:
            self._tell(str(error))
            return
        serial = life_of(thread).serial
        at = next(
            (
                mark.at
                for mark in reversed(recording.marks)
                if mark.kind in ("failure", "advice")
                and mark.serial == serial
                and slot in (mark.slot, "")
            ),
            recording.seconds,
        )
        self._show(recording, max(recording.reaches, at - LEAD))

    def _show(self, recording: Recording | Path, at: float) -> None:
        try:
            view = ReplayView(recording, at)
        except (OSError, RecordingError, ValueError) as error:
            self._tell(f"could not be replayed: {describe(error)}")
            return
        self.close_replay()
        self._view.replay = view

    def close_replay(self) -> None:
        """Take the replay out of the view."""
        shown, self._view.replay = self._view.replay, None
        if shown is not None:
            shown.close()
            shown.layout.close()


def new_path(name: str) -> Path:
    """Return the path of a new file in the working directory, which is the notebook's."""
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:40] or "thread"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = Path(f"{safe}-{stamp}.ttr").absolute()
    number = 2
    while path.exists():
        path = path.with_name(f"{safe}-{stamp}-{number}.ttr")
        number += 1
    return path
