"""A recording as one HTML file, and as a figure on a page: opened with no network and no kernel.

The file holds the page code of `static/replay.js` and the film, each packed; its few lines of plain script
unpack both. Its Content-Security-Policy allows these two scripts by their hashes, and nothing else: what a
hostile name or text would bring in could not run, even if it became markup, which it can't: the film is
base64. Styles are allowed inline, since panels set the height of a row.

A reader without JavaScript sees the still picture, the text that the replay takes the place of. In a notebook
the page stands in an iframe that may run scripts and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from task_thread.recording import Recording, replay

from .page_code import script, style
from .page_messages import sendable

STYLES = (
    "theme.css",
    "panel_page.css",
    "tree_panel.css",
    "timeline_panel.css",
    "source_panel.css",
    "log_panel.css",
    "signal_panel.css",
    "waits_panel.css",
    "advice_panel.css",
    "view.css",
    "replay.css",
)

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{css}
body {{ margin: 12px; font: 14px/1.4 system-ui, sans-serif; }}
</style>
</head>
<body>
<div id="still">
<p>This recording is played by JavaScript. At its end it was like this:</p>
<pre>{still}</pre>
</div>
<script type="application/octet-stream" id="film" data-at="{at}">{film}</script>
<script type="application/octet-stream" id="code">{code}</script>
<script>{boot}</script>
</body>
</html>
"""

_BOOT = """\
(async () => {
  const packed = atob(document.getElementById("code").textContent);
  const bytes = Uint8Array.from(packed, (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = document.createElement("script");
  code.type = "module";
  code.textContent = await new Response(stream).text();
  document.body.append(code);
})().catch((error) => {
  document.getElementById("still").prepend("This browser can't unpack the recording (" + error
    + "): open it in one from 2023 or later. At its end it was like this:");
});
"""


def page(film: str, name: str, still: str, at: float = 0.0) -> str:
    """Return a page that shows a recording.

    Args:
        film: it, packed.
        name: what was recorded.
        still: what it was like at its end, as text, for readers without JavaScript.
        at: the moment at which it opens, in seconds.
    """
    code = script("recording_page.js")
    policy = (
        f"default-src 'none'; script-src {_hash(_BOOT)} {_hash(code)}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )
    return _PAGE.format(
        policy=policy,
        title=html.escape(f"{name} \N{MIDDLE DOT} recording"),
        css=style(*STYLES),
        still=html.escape(sendable(still)),
        at=float(at),
        film=film,
        code=_packed_code(),
        boot=_BOOT,
    )


def page_of(recording: Recording | str | os.PathLike[str], at: float = 0.0) -> str:
    """Return the page of a recording, or of that in a file; `recording.export_html` writes it."""
    film, name, still = filmed(recording)
    return page(film, name, still, at)


def export_figure(
    recording: Recording | str | os.PathLike[str],
    path: str | os.PathLike[str],
    at: float = 0.0,
    module: str = "replay.mjs",
) -> None:
    """Write a recording as a figure of a page that mystmd makes.

    Two files: a Markdown file with one `{anywidget}` block, for `{include}`; and beside it
    `replay.mjs`, the code, which all figures of a folder share.

    Args:
        recording: it, or the path of its file.
        path: of the Markdown file; what is there is replaced.
        at: the moment at which it opens, in seconds.
        module: where the page finds `replay.mjs`: mystmd looks from the folder of the page that includes the
            figure. "/recordings/replay.mjs" begins at the folder of the project, and holds for all pages.

    Raises:
        RecordingError: the file is no recording, or of a newer version.
        OSError: a file can't be read or written.
        ValueError: `module` has spaces, or is empty.
    """
    if len(module.split()) != 1:
        raise ValueError(f"expected a path without spaces as module, found {module!r}")
    film, _, _ = filmed(recording)
    state = json.dumps({"film": film, "at": float(at)})
    Path(path).with_name("replay.mjs").write_text(figure_code(), encoding="utf-8")
    Path(path).write_text(f"```{{anywidget}} {module}\n{state}\n```\n", encoding="utf-8")


@cache
def figure_code() -> str:
    """Return the module of a figure: the replay, which brings its styles along."""
    code, default, _ = script("replay.js").rpartition("export default { render };")
    assert default
    css = json.dumps(style(*STYLES))
    return f"{code}const css = {css};\nexport default {{ render: (context) => render(context, css) }};\n"


def in_notebook(whole: str, title: str, still: str) -> str:
    """Return a page as a part of another one, with the still picture as text below it."""
    return (
        f'<iframe title="{html.escape(title)}" sandbox="allow-scripts" loading="lazy" '
        f'style="width: 100%; height: 44em; border: 0" srcdoc="{html.escape(whole)}"></iframe>'
        f"<details><summary>at its end, as text</summary><pre>{html.escape(still)}</pre></details>"
    )


def filmed(recording: Recording | str | os.PathLike[str]) -> tuple[str, str, str]:
    """Return the film of a recording, packed; its name; and how things were at its end; all sendable."""
    if not isinstance(recording, Recording):
        with replay(recording) as opened:
            return filmed(opened)
    film = recording.film()
    still = str(recording.at(recording.seconds)) if film["segments"] else "nothing was recorded"
    return packed(film), name_of(film), sendable(still)


def name_of(film: dict[str, Any]) -> str:
    """Return the name of what was recorded."""
    name: str = sendable(str(film["about"].get("name", "")))
    return name


def packed(film: dict[str, Any]) -> str:
    """Return a film as gzip in base64, which is text that can stand anywhere."""
    return _pack(json.dumps(sendable(film), separators=(",", ":"), ensure_ascii=False))


@cache
def _packed_code() -> str:
    return _pack(script("recording_page.js"))


def _pack(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _hash(code: str) -> str:
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
