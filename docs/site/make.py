"""Make the site: static files, which any web server can serve from any folder.

    python docs/site/make.py FOLDER PYODIDE WORK     (make site calls it)

FOLDER is made anew. PYODIDE is the folder of npm's package of that name. WORK keeps what was fetched. Needs
the extra `site`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import lite


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: python docs/site/make.py FOLDER PYODIDE WORK")
    folder, pyodide, work = (Path(argument).resolve() for argument in sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    lite.make(folder / "lite", pyodide, work)


if __name__ == "__main__":
    main()
