"""Make the site: static files, which any web server can serve from any folder.

    python docs/site/build.py FOLDER PYODIDE WORK     (make site calls it)

FOLDER is made anew. PYODIDE is the folder of npm's package of that name. WORK keeps what was fetched. Needs
the extra `site`.

    FOLDER/index.html ...    the documentation, by Sphinx; beside each page its Markdown: index.md
    FOLDER/lite/             JupyterLite, with the tutorial
    FOLDER/recordings/       the tutorial's programs as they lived, a page each, which stand in its pages
    FOLDER/sources/          the source of what comes under the GPL
"""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lite
import pages
from sphinx.cmd.build import build_main


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: python docs/site/build.py FOLDER PYODIDE WORK")
    folder, pyodide, work = (Path(argument).resolve() for argument in sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    # The programs are recorded in real time, mostly asleep: meanwhile the rest is made.
    with ThreadPoolExecutor(1) as beside:
        gallery = lite.TOP / "docs" / "gallery" / "make.py"
        recorded = beside.submit(lite.run, sys.executable, gallery, folder / "recordings")
        wheels = lite.make(folder / "lite", pyodide, work)
    recorded.result()
    source = lite.fetch_source("async-solipsism", folder / "sources", work)
    staged = work / "pages"
    pages.stage(staged, wheels, source)
    # What it has read before it keeps beside the pages; each warning is an error.
    options = [
        "-q",
        "-W",
        "--keep-going",
        "-c",
        str(Path(__file__).parent),
        "-d",
        str(work / "read"),
    ]
    if build_main([*options, str(staged), str(folder)]):
        sys.exit("the documentation was not made: see above")
    for page in staged.rglob("*.md"):
        shutil.copy(page, folder / page.relative_to(staged))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"made {folder}, {size / 1e6:.0f} MB: any web server can serve it, from any folder")


if __name__ == "__main__":
    main()
