"""One measurement, in the process and the interpreter that are to be measured.

    python worker.py PROGRAMS MODULE '{"argument": value}'

`PROGRAMS` is the folder under `programs/` (`threads` or `bare`), `MODULE` one of `works/`. The
last line on stdout is JSON: the figures (or, under an empty name, the reason why there are none),
the interpreter, and the `task_thread` that was measured. Runs as a script, so that only
PYTHONPATH decides which `task_thread` is found.
"""

import asyncio
import importlib
import json
import os
import sys
import traceback
from pathlib import Path


def main() -> None:
    programs, name, arguments = sys.argv[1:]
    here = Path(__file__).resolve().parent
    sys.path[0:1] = []  # this folder holds a package, not modules
    sys.path.append(str(here.parent))
    work = importlib.import_module(f"{here.name}.works.{name}")
    program = importlib.import_module(f"{here.name}.programs.{programs}.{work.PROGRAM}")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        figures = loop.run_until_complete(work.measure(program, **json.loads(arguments)))
    except Exception as error:
        traceback.print_exc()
        figures = {"": f"{type(error).__name__}: {error}"}
    library = sys.modules.get("task_thread")
    told = {
        "figures": figures,
        "python": ".".join(map(str, sys.version_info[:3])),
        "library": library and library.__file__,
    }
    print("\n" + json.dumps(told), flush=True)
    os._exit(0)  # what still runs has been measured; the reference cannot always stop it


if __name__ == "__main__":
    main()
