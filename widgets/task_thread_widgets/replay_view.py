"""ReplayView: a recording, played in the panels of the live view.

The whole film goes to the page at once, and the page plays it (`static/replay.js`): nothing of the
program has to live, and the kernel is not asked again. In a notebook that is opened without a kernel, or
made HTML of, the exported page stands in its place (`recorded_page.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import traitlets

from task_thread._core.texts import describe
from task_thread.recording import Recording

from .page_code import script, style
from .page_messages import GuardedWidget, sendable
from .panel import live_part
from .recorded_page import STYLES, filmed, in_notebook, page
from .still import lines_html

MOST_SHOWN = 50_000_000
"""Characters of a packed film that a page is sent: more makes the connection of a notebook fail."""

MOST_SAVED = 1_000_000
"""Characters of HTML that a notebook keeps of it: a minute of ten busy tasks takes 0.5 million."""


class ReplayView(GuardedWidget):
    """A recording with play, pause, a scrubber, steps from turn to turn, and jumps to what happened.

    Args:
        recording: what `task_thread.replay` or `thread.history` returned, or the path of a file.
        at: the moment at which it begins, in seconds.

    Raises:
        RecordingError: the file is no recording, or of a newer version.
        OSError: it can't be read.
        ValueError: it is too long to be shown.
    """

    _esm = script("replay.js")
    _css = style(*STYLES)

    film = traitlets.Unicode(help="The film, as gzip in base64.").tag(sync=True)
    at = traitlets.Float(0.0, help="The moment at which it begins, in seconds.").tag(sync=True)
    saves_as = traitlets.Unicode(help="The file that its button writes; none without one.").tag(
        sync=True
    )

    def __init__(self, recording: Recording | str | os.PathLike[str], at: float = 0.0) -> None:
        film, self._name, self._still = filmed(recording)
        if len(film) > MOST_SHOWN:
            raise ValueError(
                f"expected a recording that packs to at most {MOST_SHOWN:,} characters, found "
                f"{len(film):,}: record with seconds=, or write it as a file with export_html"
            )
        file = None if isinstance(recording, Recording) else os.fspath(recording)
        self._html = None if file is None else Path(file).with_suffix(".html")
        super().__init__(
            film=film, at=float(at), saves_as="" if self._html is None else self._html.name
        )
        self.on_msg(self._from_page)

    def _from_page(self, _: object, content: Any, __: Any) -> None:
        if self._html is None or not isinstance(content, dict) or content.get("kind") != "save":
            return
        try:
            self._html.write_text(self._page(), encoding="utf-8")
            text = f"saved as {self._html}"
        except OSError as error:
            text = f"could not be saved: {describe(error)}"
        self.send({"kind": "told", "text": sendable(text)})

    def _page(self) -> str:
        return page(self.film, self._name, self._still, self.at)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        whole = self._page()
        if len(whole) <= MOST_SAVED:
            shown = in_notebook(whole, f"recording of {self._name}", self._still)
        else:
            shown = (
                f"<p>This recording is longer than a notebook keeps ({len(whole):,} characters): "
                "export_html writes it as a file. At its end it was like this:</p>"
                + lines_html(self._still)
            )
        return {**live_part(self), "text/plain": repr(self), "text/html": shown}, {}

    def __repr__(self) -> str:
        return f"a recording of {self._name}; at its end it was like this:\n{self._still}"
