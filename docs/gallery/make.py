"""Make the gallery: the programs of the tutorial and the classic mistakes, as short recordings.

    python docs/gallery/make.py docs/gallery/html [NAME ...]     (make gallery calls it)

Each scene of `scenes.py` is recorded in a kernel of its own, a few at once, from the cells of the notebook
as it stands, and becomes one HTML file; `index.html` lists them. A cell that is not found, or fails, ends it
with an error, and so does a scene in which nothing runs, or fails that is not meant to. `make site` shows the
recordings on its pages.
"""

from __future__ import annotations

import ast
import asyncio
import html
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from scenes import MISTAKES, PROGRAMS, Scene
from task_thread_widgets.recorded_page import page_of

from task_thread import replay

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
AT_ONCE = 6  # kernels; most of a scene's time is spent asleep
TAPE = "scene.ttr"
BEGIN = f"""
from task_thread import only as _only
from task_thread.recording.recorder import record as _record
_recorder = _record(None, {TAPE!r})
"""
END = """
import asyncio as _asyncio
await _asyncio.sleep({seconds})
_recorder.stop()
"""

INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Recordings of task_thread programs</title>
<style>
body {{ max-width: 50em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 system-ui, sans-serif; }}
li {{ margin: 0.3em 0; }}
small {{ opacity: 0.75; }}
</style>
</head>
<body>
<h1>Recordings</h1>
<p>A few seconds each, made from the cells of the tutorial. Press Play, or go from turn to turn with the
arrow keys; they need no network and no kernel.</p>
<h2>Programs</h2>
<ul>
{programs}
</ul>
<h2>Classic mistakes</h2>
<ul>
{mistakes}
</ul>
</body>
</html>
"""


def main(folder: Path, names: list[str]) -> None:
    """Record the scenes of these names, or all; write their pages and the index."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {scene.name for scene in (*PROGRAMS, *MISTAKES)}
    if unknown := set(names) - known:
        sys.exit(f"expected names of scenes ({', '.join(sorted(known))}), found {unknown}")
    chosen = [one for one in (*PROGRAMS, *MISTAKES) if not names or one.name in names]
    asyncio.run(write(folder, chosen))
    index = INDEX.format(programs=items(PROGRAMS), mistakes=items(MISTAKES))
    (folder / "index.html").write_text(index, encoding="utf-8")


async def write(folder: Path, scenes: list[Scene]) -> None:
    """Record scenes, and write their pages; an error is raised when all have ended."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(scene: Scene) -> None:
        async with room:
            text = await made(scene)
        (folder / f"{scene.name}.html").write_text(text, encoding="utf-8")
        print(f"{scene.name} {len(text):,} characters", flush=True)

    for error in await asyncio.gather(*map(one, scenes), return_exceptions=True):
        if error is not None:
            raise error


async def made(scene: Scene) -> str:
    """Record a scene, and return its page, which opens where the first thing went wrong, if any did."""
    with tempfile.TemporaryDirectory() as place:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells(scene)]
        )
        client = NotebookClient(
            notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": place}}
        )
        await client.async_execute()
        with replay(Path(place) / TAPE) as recording:
            if not recording.moments():
                raise ValueError(
                    f"{scene.name}: expected that something runs, found nothing recorded"
                )
            failed = [mark.text for mark in recording.marks if mark.kind == "failure"]
            if failed and not scene.fails and scene not in MISTAKES:
                raise ValueError(f"{scene.name}: expected no failure, found {failed[0]}")
            wrong = [mark.at for mark in recording.marks if mark.kind in ("failure", "advice")]
            recording.about["name"] = scene.title
            return page_of(recording, at=wrong[0] if wrong else 0.0)


def cells(scene: Scene) -> list[str]:
    """Return what is to be run: definitions, what comes before, and the recorded cell."""
    [path] = NOTEBOOKS.glob(f"{scene.notebook}_*.ipynb")
    sources = [
        str(cell.source)
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    ]
    wanted = []
    for text in (*scene.before, scene.shown):
        found = [number for number, source in enumerate(sources) if text in source]
        if not found:
            sys.exit(f"{scene.name}: expected a cell with {text!r} in {path.name}, found none")
        wanted.append(found[0])
    last = wanted[-1]
    chosen = [n for n in range(last) if n in wanted or only_defines(sources[n])]
    return [
        *(sources[n] for n in chosen),
        BEGIN,
        f"{sources[last]}\n{scene.then or started(sources[last])}",
        END.format(seconds=scene.seconds),
    ]


def started(source: str) -> str:
    """Return what starts the thread of a cell that only asks what will happen; "" if it does more."""
    asked = re.search(r"^predict\(.*\bthread=(\w+)", source, re.DOTALL | re.MULTILINE)
    return "" if asked is None else f"await _only({asked[1]})"


def only_defines(source: str) -> bool:
    """Whether a cell runs nothing: imports, definitions, names for constants, where the log goes."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return False
    kinds: tuple[Any, ...] = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    for statement in body:
        if isinstance(statement, (*kinds, ast.AsyncFunctionDef, ast.Try)):
            continue
        if isinstance(statement, ast.Assign) and not any(
            isinstance(part, (ast.Call, ast.Await)) for part in ast.walk(statement)
        ):
            continue
        if ast.unparse(statement).startswith("logging."):
            continue
        return False
    return True


def items(scenes: tuple[Scene, ...]) -> str:
    """Return the list of some scenes as HTML."""
    return "\n".join(
        f'<li><a href="{scene.name}.html">{html.escape(scene.title)}</a> '
        f"<small>notebook {scene.notebook}</small></li>"
        for scene in scenes
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
