"""A recording as one HTML file, and as a block of a MyST page: opened with no network and no kernel.

The file holds the page code of `static/replay.js` and the film, each packed; its few lines of plain script
unpack both. Its Content-Security-Policy allows these two scripts by their hashes, and nothing else: what a
hostile name or text would bring in could not run, even if it became markup, which it can't: the film is
base64. Styles are allowed inline, since panels set the height of a row.

A reader without JavaScript sees the still picture, the text that the replay takes the place of.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from functools import cache
from typing import Any

from .page_code import script, style

STYLES = (
    "theme.css",
    "panel_page.css",
    "tree_panel.css",
    "timeline_panel.css",
    "source_panel.css",
    "log_panel.css",
    "signal_panel.css",
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
<noscript>This recording is played by JavaScript, which is switched off here. At its end it was like this:</noscript>
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


def page(film: dict[str, Any], still: str = "", at: float = 0.0) -> str:
    """Return a page that shows a recording.

    Args:
        film: what `recording.film` returns.
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
        title=html.escape(f"{film['about']['name']} \N{MIDDLE DOT} recording"),
        css=style(*STYLES),
        still=html.escape(still),
        at=float(at),
        film=packed(film),
        code=_packed_code(),
        boot=_BOOT,
    )


def packed(film: dict[str, Any]) -> str:
    """Return a film as gzip in base64, which is text that can stand anywhere."""
    return _pack(json.dumps(film, separators=(",", ":"), ensure_ascii=False))


@cache
def _packed_code() -> str:
    return _pack(script("recording_page.js"))


def _pack(text: str) -> str:
    # Half a surrogate pair can't be encoded; names are escaped from them before, texts may not be.
    data = text.encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _hash(code: str) -> str:
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
