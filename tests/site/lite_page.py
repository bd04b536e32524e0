"""The built site in a real Chromium that reaches nothing but it.

`Site` serves the built folder below a path of several parts, as a teacher's home page would have it.
`LitePage` is one page of the site's JupyterLite with a notebook, driven through JupyterLab's own commands.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lab import CHROMIUM_FLAGS, _playwright
from playwright.sync_api import Browser, Locator, Page

BELOW = "/~teacher/async/"
STARTING = 120.0  # seconds; Python is fetched, compiled and started, maybe on a busy machine
CELL = 60.0


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves the site below `BELOW`, and notes what is asked for and not there."""

    site: Site
    extensions_map = {  # noqa: RUF012  # as its class has it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        self.site = site
        super().__init__(*args, **more)

    def translate_path(self, path: str) -> str:
        inside = path.removeprefix(BELOW)
        return super().translate_path("/" + inside if inside != path else "/outside of the site")

    def do_GET(self) -> None:
        if self.path.split("?")[0] == f"{BELOW}lite/jupyter-lite.json":
            self._send_config()
        else:
            super().do_GET()

    def send_head(self) -> Any:
        """For GET and HEAD; not for what the test has taken away."""
        if self._is_in(self.site.cut):
            self.close_connection = True  # without a word
            return None
        if self._is_in(self.site.silent):
            self.site.stopping.wait()
            return None
        if self._is_in(self.site.removed):
            self.send_error(404)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file; of one that is `halved` the first half, and then nothing."""
        if not self._is_in(self.site.halved):
            return super().copyfile(source, outputfile)
        outputfile.write(source.read(os.fstat(source.fileno()).st_size // 2))
        outputfile.flush()
        self.site.stopping.wait()
        return None

    def _is_in(self, parts: tuple[str, ...]) -> bool:
        return any(part in self.path for part in parts)

    def _send_config(self) -> None:
        """As it is, and it shows JupyterLab's commands to the test."""
        config = json.loads(Path(self.directory, "lite/jupyter-lite.json").read_text())
        config["jupyter-config-data"]["exposeAppInBrowser"] = True
        body = json.dumps(config).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        if (
            str(getattr(code, "value", code)).startswith(("4", "5"))
            and not self._is_asked_in_vain()
            and not self._is_in(self.site.removed)
        ):
            self.site.missing.append(self.path)

    def _is_asked_in_vain(self) -> bool:
        """Whether a browser asks for it unasked, or JupyterLab where a traceback names a file."""
        return self.path == "/favicon.ico" or "/lite/api/" in self.path

    def log_message(self, *args: Any) -> None:
        pass


class Site:
    """A server of the built site on a free port.

    Attributes:
        origin: scheme, host and port.
        url: of its first page.
        missing: what was asked for and is not there.
        removed: parts of the paths of files that it does not have, in a test of that.
        cut: the same, of those in whose place the connection ends.
        silent: of those for which nothing ever comes.
        halved: of those of which nothing comes after the first half.
        headers: what it sends with each answer, besides.
        stopping: set when it stops.
    """

    removed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    halved: tuple[str, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, folder: Path) -> None:
        self.missing: list[str] = []
        self.stopping = threading.Event()
        handler = functools.partial(_Files, directory=str(folder), site=self)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = self.origin + BELOW
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def chromium_alone() -> Iterator[Browser]:
    """Chromium, headless, which knows no host but this machine.

    Raises:
        LookupError: it does not start here; the message says why, and what to do.
    """
    flags = [*CHROMIUM_FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with _playwright() as (playwright, path):
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


class LitePage:
    """A page of the site's JupyterLite with one notebook; ready once its kernel has answered.

    Args:
        page: it may be loading still.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the kernel has answered; the page says "idle" long before."""
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext", timeout=1000 * STARTING
        )
        self.page.set_default_timeout(1000 * STARTING)
        self.page.evaluate(
            """async () => {
                const context = jupyterapp.shell.currentWidget.sessionContext;
                await context.ready;
                while (!context.session?.kernel) await new Promise(r => setTimeout(r, 50));
                await context.session.kernel.requestExecute({code: ""}).done;
            }"""
        )

    def open(self, path: str) -> None:
        """Open another notebook beside this one, with the same kernel, and go on there."""
        self.page.evaluate(
            """async path => {
                const {id, name} = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const kernel = {id, name};
                const opened = await jupyterapp.commands.execute("docmanager:open", {path, kernel});
                await opened.context.ready;
                await opened.sessionContext.ready;
                while (jupyterapp.shell.currentWidget !== opened) await new Promise(r => setTimeout(r, 20));
            }""",
            path,
        )

    def sources(self) -> list[str]:
        """Return the text of each code cell."""
        found: list[str] = self.page.evaluate(
            """() => [...jupyterapp.shell.currentWidget.content.model.cells]
                .filter(one => one.type === "code").map(one => one.sharedModel.source)"""
        )
        return found

    def run(self, *numbers: int, timeout: float = CELL) -> list[dict[str, Any]]:
        """Run code cells one after another, counted from 0; return the outputs of the last."""
        outputs: list[dict[str, Any]] = []
        for number in numbers:
            outputs = self.page.evaluate(
                """async ([number, timeout]) => {
                    const notebook = jupyterapp.shell.currentWidget.content;
                    const cells = [...notebook.model.cells];
                    const code = cells.filter(one => one.type === "code")[number];
                    notebook.activeCellIndex = cells.indexOf(code);
                    notebook.deselectAll();
                    const late = new Promise((_, fail) => setTimeout(
                        () => fail(new Error(`cell ${number} still runs`)), 1000 * timeout));
                    await Promise.race([jupyterapp.commands.execute("notebook:run-cell"), late]);
                    return code.outputs.toJSON();
                }""",
                [number, timeout],
            )
        return outputs

    def write(self, number: int, source: str) -> None:
        """Replace the text of a code cell."""
        self.page.evaluate(
            """([number, source]) => {
                const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
                cells.filter(one => one.type === "code")[number].sharedModel.setSource(source);
            }""",
            [number, source],
        )

    def ask(self, expression: str) -> str:
        """Return the repr of an expression in the kernel; no cell shows it."""
        found: str = self.page.evaluate(
            """async code => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const asked = kernel.requestExecute({code});  // its user_expressions are not answered
                let found = "";
                asked.onIOPub = message => {
                    const {data, ename, evalue} = message.content;
                    if (data) found = data["text/plain"];
                    if (ename) found = `${ename}: ${evalue}`;
                };
                await asked.done;
                return found;
            }""",
            expression,
        )
        return found

    def cell(self, number: int) -> Locator:
        """Return a code cell, scrolled into sight; what is not in sight is not drawn."""
        self.page.evaluate(
            """async number => {
                const notebook = jupyterapp.shell.currentWidget.content;
                const code = notebook.widgets.filter(one => one.model.type === "code")[number];
                await notebook.scrollToItem(notebook.widgets.indexOf(code), "start");
                code.node.dataset.testCell = number;
            }""",
            number,
        )
        return self.page.locator(f'[data-test-cell="{number}"]')

    def said(self, *numbers: int) -> str:
        """Return what stands below these cells as text; without any, below all code cells."""
        text: str = self.page.evaluate(
            """numbers => {
                const cells = [...jupyterapp.shell.currentWidget.content.model.cells]
                    .filter(one => one.type === "code");
                const asked = numbers.length ? numbers.map(number => cells[number]) : cells;
                return asked.flatMap(cell => cell.outputs.toJSON())
                    .map(put => [put.text ?? ""].flat().join("")).join("");
            }""",
            list(numbers),
        )
        return text

    def run_all(self) -> list[tuple[int, str]]:
        """Run all cells; return the number and name of each error that a cell ended with."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        errors: list[tuple[int, str]] = self.page.evaluate(
            """() => [...jupyterapp.shell.currentWidget.content.model.cells]
                .filter(one => one.type === "code")
                .flatMap((one, number) => one.executionCount
                    ? one.outputs.toJSON().filter(put => put.output_type === "error")
                        .map(put => [number, put.ename])
                    : [[number, "it was not run"]])"""
        )
        return errors

    def reload(self) -> None:
        self.page.reload()
        self.wait_until_ready()
