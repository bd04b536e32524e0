"""How `make lab` starts JupyterLab. What LAB_ARGS says, and what the command line says, goes first."""

import sys
from pathlib import Path

c = get_config()  # noqa: F821  # Jupyter brings it
c.ServerApp.root_dir = str(Path(__file__).parents[2] / "notebooks")
if not any("root_dir" in arg or "notebook-dir" in arg for arg in sys.argv):
    c.LabApp.default_url = "/lab/tree/00_asyncio_in_a_notebook.ipynb"
# What a kernel says reaches the page at once.
c.ServerApp.kernel_websocket_connection_class = (
    "task_thread_widgets.prompt_connection.PromptConnection"
)
# Jupyter's news are not fetched; that nobody is asked, over the first cells, is said in labconfig.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
# Whether JupyterLab's own page should be built anew is a question of its makers. To answer it, the
# server starts a node for each page that is loaded, which costs half a second of a core.
c.ServerApp.tornado_settings = {
    "page_config_data": {"buildCheck": False, "buildAvailable": False},
}
