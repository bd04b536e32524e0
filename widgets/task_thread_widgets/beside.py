"""A view beside the notebook, so that it stays in sight while the reader goes on.

    page: button, or a view that `thread.beside()` displayed      kernel
    {"beside": {"anew": false}} ───────────────────────────────► dock ─► a Sidecar opens on the right
    it looks whether the view has come up there             ◄─── {"beside": true}
    if not, the reader has closed it: the same with anew     ...
    if it still has not: the view is held at the top of the notebook's window

The kernel can't know what its front end has, so the page looks. The package `sidecar` by Project Jupyter
opens a panel in JupyterLab; other front ends have none.
"""

from __future__ import annotations

import importlib
from typing import Any

from .page_messages import sendable

_docks: list[Any] = []  # the Sidecar, if one was opened; there is one for all views


def dock(bundle: dict[str, Any], title: str, anew: bool) -> bool:
    """Open a panel on the right of the notebook, or use the one that is open, and show a view in it.

    Args:
        bundle: the view's MIME bundle.
        title: what the panel's tab says.
        anew: whether the one that was opened before is gone.

    Returns:
        Whether the kernel could ask for it. Whether the front end did it only the page can see.
    """
    try:
        sidecar: Any = importlib.import_module("sidecar")
    except ImportError:
        return False
    while _docks and (anew or _docks[0].comm is None):
        _docks.pop().close()
    if not _docks:
        _docks.append(sidecar.Sidecar(title=sendable(title), anchor="split-right"))
    output = {"output_type": "display_data", "data": bundle, "metadata": {}}
    if list(_docks[0].outputs) != [output]:
        _docks[0].title = sendable(title)
        _docks[0].outputs = (output,)
    return True
