"""What `make lab` sets for a class is known to JupyterLab, and reaches it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[1] / ".ci" / "jupyter"


def test_names_in_the_file_browser_have_the_room_of_the_dates() -> None:
    pytest.importorskip("jupyterlab")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, jupyterlab.commands\n"
            "from jupyterlab_server.settings_utils import get_settings\n"
            "from pathlib import Path\n"
            "folder = Path(jupyterlab.commands.get_app_dir())\n"
            "plugin = '@jupyterlab/filebrowser-extension:browser'\n"
            "found, _ = get_settings(str(folder / 'settings'), str(folder / 'schemas'), '/nowhere', plugin)\n"
            "print(json.dumps(found['schema']['properties']['showLastModifiedColumn']['default']))",
        ],
        env={**os.environ, "JUPYTER_CONFIG_PATH": str(CONFIG)},
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) is False, done.stderr
