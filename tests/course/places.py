"""Where else than in JupyterLab a notebook is shown: the servers and pages that the tests open.

`lab.py` of the browser tests drives JupyterLab. Notebook 7 is built of the same parts, so what is
here of it says only what differs. Voila's page is no notebook: all cells are run first, and what
came out is shown.
"""

from __future__ import annotations

from lab import Kernel, Notebook, Server
from playwright.sync_api import Browser, BrowserContext, Page


class ClassicServer(Server):
    """A server of Notebook 7."""

    module = "notebook"

    def options(self) -> list[str]:
        own = [option for option in super().options() if not option.startswith("--LabApp.")]
        return [*own, "--JupyterNotebookApp.expose_app_in_browser=True"]


class ClassicNotebook(Notebook):
    """A notebook in a page of Notebook 7."""

    def address(self) -> str:
        return f"notebooks/{self.path}"


class VoilaServer(Server):
    """Voila, for all notebooks of a folder; a page's kernel ends with its server."""

    module = "voila"
    status = "/"

    def options(self) -> list[str]:
        self.runtime.mkdir()
        # Code is shown as well, since the prose of a tutorial speaks of it.
        return [
            "--Voila.port_retries=0",
            f"--Voila.root_dir={self.root}",
            f"--Voila.connection_dir_root={self.runtime}",
            "--VoilaConfiguration.strip_sources=False",
            "--VoilaConfiguration.show_tracebacks=True",
        ]


class VoilaPage:
    """What Voila makes of a notebook, in a page of its own.

    Args:
        server: which serves it.
        browser: in which the page opens.
        path: the notebook, relative to the server's root.
        theme: "light" or "dark".
        timeout: seconds until all its cells have run and the page shows them.

    Attributes:
        page: playwright's page.
        errors: what the page reported as an uncaught error, or on its console as an error.
    """

    def __init__(
        self,
        server: VoilaServer,
        browser: Browser,
        path: str,
        theme: str = "light",
        timeout: float = 180,
    ) -> None:
        self.errors: list[str] = []
        self._server = server
        self._kernel: Kernel | None = None
        self._context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        self.page.set_default_timeout(timeout * 1000)
        self.page.goto(f"{server.url}/voila/render/{path}?theme={theme}")
        # It stands at the end of what Voila sends when all cells have run.
        self.page.locator("#rendered_cells").wait_for(state="attached")
        self.page.set_default_timeout(60_000)

    @property
    def kernel(self) -> Kernel:
        """The kernel behind the page: the newest of the server's."""
        if self._kernel is None:
            files = self._server.runtime.rglob("kernel-*.json")
            self._kernel = Kernel(max(files, key=lambda file: file.stat().st_mtime))
        return self._kernel

    def close(self) -> None:
        """Close the page."""
        if self._kernel is not None:
            self._kernel.close()
        self._context.close()
