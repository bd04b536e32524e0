"""What `make lab` sets for a class is known to JupyterLab, and reaches it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[1] / ".ci" / "jupyter"


@pytest.mark.parametrize(
    ("plugin", "setting", "wanted"),
    [
        # names in the file browser have the room of the dates
        ("filebrowser-extension:browser", "showLastModifiedColumn", False),
        # a link of a notebook opens a page, and not its source
        ("docmanager-extension:plugin", "defaultViewers", {"markdown": "Markdown Preview"}),
    ],
)
def test_jupyterlab_takes_a_setting(plugin: str, setting: str, wanted: object) -> None:
    pytest.importorskip("jupyterlab")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, jupyterlab.commands\n"
            "from jupyterlab_server.settings_utils import get_settings\n"
            "from pathlib import Path\n"
            "folder = Path(jupyterlab.commands.get_app_dir())\n"
            f"plugin = '@jupyterlab/{plugin}'\n"
            "found, _ = get_settings(str(folder / 'settings'), str(folder / 'schemas'), '/nowhere', plugin)\n"
            f"print(json.dumps(found['schema']['properties']['{setting}']['default']))",
        ],
        env={**os.environ, "JUPYTER_CONFIG_PATH": str(CONFIG)},
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == wanted, done.stderr
