"""A real JupyterLab in a real Chromium, for tests.

`Server` is a JupyterLab process with folders of its own, so that nothing of the user's
settings is read or written. `Notebook` is one browser page with one notebook. `Kernel` asks
the kernel behind it, without a word to the page. The tests of the course derive from the first
two for other applications that show notebooks.

The page is driven through JupyterLab's own commands (what its menus call) where a test only
wants a thing done; a test about buttons clicks them, through `Notebook.page`.

A test never waits for an amount of time, which no machine keeps: `until` waits for what the page
shows, `Kernel.until` for what the kernel knows, `hear` until a panel has seen the program again,
`settle` until nothing moves, and `Notebook.busy` holds the kernel up for as long as it takes.

Everything here is synchronous. Playwright keeps a loop of its own running in the thread of
the tests, so a browser test is a plain `def` and must not call `asyncio.run`.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

CHROMIUM_FLAGS = [
    "--no-sandbox",  # Chromium will not run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing of a test may reach out of this machine.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
SCREENSHOTS = Path(__file__).parent / "screenshots"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
PATIENCE = 60.0  # seconds; how long one waits is no claim about the program
# Whether JupyterLab's own page should be built anew is a question of its makers. To answer it, the
# server starts a node for each page that is loaded, which costs half a second of a core.
NO_BUILD_CHECK = "{'page_config_data': {'buildCheck': False, 'buildAvailable': False}}"


def until(
    page: Page, look: Callable[[], Any], wanted: Any = True, timeout: float = PATIENCE
) -> None:
    """Wait until what is looked at is as wanted."""
    end = time.monotonic() + timeout
    while (found := look()) != wanted:
        assert time.monotonic() < end, f"after {timeout} s: {found!r}, not {wanted!r}"
        page.wait_for_timeout(20)  # and not sleep: playwright's events come meanwhile


def hear(panel: Locator, frames: int = 2) -> None:
    """Wait until a panel has taken so many more frames of its kernel, and has drawn the last."""
    newest = "root => root.panelPage.order.newest"
    target = panel.evaluate(newest) + frames
    until(panel.page, lambda: panel.evaluate(newest) >= target)
    draw(panel.page)


def draw(page: Page, frames: int = 3) -> None:
    """Let the page draw some frames: what it was about to do by itself is done."""
    page.evaluate(
        "async n => { while (n--) await new Promise(requestAnimationFrame); }",
        frames,
    )


def bring(part: Locator, sign: Locator, timeout: float = PATIENCE) -> None:
    """Scroll to a part of the page until it shows a sign of life.

    JupyterLab brings a cell into view while it is still empty, or another one; and what is not in
    sight is not sampled.
    """

    def is_seen() -> bool:
        part.evaluate("part => part.scrollIntoView({block: 'start'})")
        return sign.is_visible()

    until(part.page, is_seen, timeout=timeout)
    part.evaluate("part => part.scrollIntoView({block: 'start'})")


def settle(part: Locator) -> None:
    """Wait until all that fades or moves in the page has done so, and this part keeps its place."""
    part.evaluate(
        """async part => {
            const fades = document.getAnimations()
                .filter(one => one.effect.getComputedTiming().endTime < Infinity);
            const place = () => {
                const box = part.getBoundingClientRect();
                return [box.x, box.y, box.width, box.height].map(Math.round).join();
            };
            let last = "";
            for (let same = 0, frames = 0; same < 10 && frames < 300; frames++) {
                await new Promise(requestAnimationFrame);
                const rests = place() === last && document.fonts.status === "loaded"
                    && !fades.some(one => one.playState === "running");
                same = rests ? same + 1 : 0;
                last = place();
            }
        }"""
    )


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, headless.

    Raises:
        LookupError: it does not start here; the message says why, and what to do.
    """
    with _playwright() as (playwright, path):
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def chromium_with_cache(folder: Path) -> Iterator[BrowserContext]:
    """Chromium, headless, whose pages share a cache on the disk, and storage.

    It need not compile JupyterLab again for each page, which otherwise is a quarter of the time.

    Args:
        folder: where its profile is made.

    Raises:
        LookupError: it does not start here; the message says why, and what to do.
    """
    with _playwright() as (playwright, path):
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=path, args=CHROMIUM_FLAGS, viewport=VIEWPORT
        )
        context.set_default_timeout(1000 * PATIENCE)
        yield context
        context.close()


@contextlib.contextmanager
def _playwright() -> Iterator[tuple[Playwright, str]]:
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if path is None:
        raise LookupError("no Chromium here: on Debian, apt-get install chromium")
    # Its driver is a node of its own, which a small machine may lack a library for.
    driver = [sys.executable, "-m", "playwright", "--version"]
    started = subprocess.run(driver, capture_output=True, text=True)
    if started.returncode != 0:
        raise LookupError(f"playwright does not start here: {started.stderr.strip()}")
    with sync_playwright() as playwright:
        yield playwright, path


class Server:
    """A JupyterLab server that serves `root` on a free port.

    Args:
        folder: an empty folder for its settings, connection files and log.
        root: the folder that it serves.
        timeout: seconds that it may take to answer first.
        python: the interpreter in whose environment it runs.
        more: options for its command line.

    Raises:
        RuntimeError: it did not start; the message holds its log.
    """

    module = "jupyterlab"
    status = "/api/status"  # what it answers first

    def __init__(
        self,
        folder: Path,
        root: Path,
        timeout: float = 60,
        python: str = sys.executable,
        more: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.token = secrets.token_hex(16)
        self.runtime = folder / "runtime"
        self._log = folder / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        for name, sub in {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }.items():
            env[name] = str(folder / sub)
        command = [python, "-m", self.module, "--no-browser", f"--port={self.port}"]
        command += [*self.options(), *more]
        # A fresh JupyterLab asks whether to fetch its news, over the corner of the page.
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        with self._log.open("wb") as log:
            # A session of its own: whatever is left of it at the end can be ended as one.
            self._process = subprocess.Popen(
                command, env=env, stdout=log, stderr=log, stdin=log, start_new_session=True
            )
        try:
            self._wait_until_it_answers(timeout)
        except BaseException:
            self.stop()
            raise

    def options(self) -> list[str]:
        """What it is started with, besides the port."""
        return [
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",  # as window.jupyterapp
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--ServerApp.tornado_settings={NO_BUILD_CHECK}",
        ]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Call its REST API, e.g. `request("GET", "/api/sessions")`; returns the parsed JSON."""
        text = self._fetch(method, path, body)
        return json.loads(text) if text else None

    def _fetch(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def kernel_id(self, path: str) -> str:
        """The id of the kernel of the open notebook `path`."""
        for session in self.request("GET", "/api/sessions"):
            if session["path"] == path:
                return str(session["kernel"]["id"])
        raise LookupError(f"no kernel runs for {path}")

    def shut_down_kernels(self) -> None:
        """End every kernel of this server."""
        for kernel in self.request("GET", "/api/kernels"):
            for tries in reversed(range(10)):
                try:
                    self.request("DELETE", f"/api/kernels/{kernel['id']}")
                    break
                except urllib.error.HTTPError as error:
                    # 500: it is just being restarted. 404: it is gone.
                    if error.code == 404:
                        break
                    if not tries:
                        raise
                    time.sleep(0.5)

    def log(self) -> str:
        """What the server wrote."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """End the server, its kernels, and whatever is left of either."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait_until_it_answers(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._fetch("GET", self.status)
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError(f"{self.module} did not start:\n{self.log()}")


class Kernel:
    """Evaluates code in a running kernel, beside the page that uses it.

    It speaks to the kernel directly and not through the server, which so counts and buffers
    as it always does; and over the one socket on which code is sent and answered. (jupyter_client's
    own clients start a loop, which playwright's in the same thread forbids.) Code waits its
    turn behind a cell that runs. It leaves no trace in the notebook's history and variables.
    """

    def __init__(self, connection_file: Path) -> None:
        info: dict[str, Any] = json.loads(connection_file.read_text(encoding="utf-8"))
        self._session = Session(
            key=info["key"].encode(), signature_scheme=info["signature_scheme"], username="test"
        )
        self._context: zmq.Context[zmq.SyncSocket] = zmq.Context()
        self._socket: zmq.SyncSocket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.connect(f"{info['transport']}://{info['ip']}:{info['shell_port']}")

    def evaluate(self, expression: str, timeout: float = PATIENCE) -> Any:
        """The value of an expression, which may `await`, and must fit into JSON."""
        name = "_value_for_the_test"
        value = self._execute(
            f"{name} = (\n{expression}\n)",
            f"__import__('json').dumps(globals().pop('{name}'))",
            timeout,
        )
        return json.loads(value)

    def until(self, expression: str, value: Any, timeout: float = PATIENCE) -> None:
        """Wait until an expression has a value: what the page says comes to the kernel a little later."""
        end = time.monotonic() + timeout
        while (found := self.evaluate(expression)) != value:
            assert time.monotonic() < end, f"{expression} is {found!r}, not {value!r}"
            time.sleep(0.05)

    def execute(self, code: str, timeout: float = PATIENCE) -> None:
        """Run statements, which may `await`. An error in them is raised as AssertionError."""
        self._execute(code, "''", timeout)

    def close(self) -> None:
        """Let go of the kernel, which goes on."""
        self._socket.close()
        self._context.term()

    def _execute(self, code: str, value: str, timeout: float) -> str:
        reply = self._ask(code, value, timeout)
        result = reply["user_expressions"]["value"] if reply["status"] == "ok" else reply
        if result["status"] != "ok":
            text = "\n".join(result.get("traceback", [])) or result["status"]
            raise AssertionError(f"in the kernel, of\n{code}\n{text}")
        return str(ast.literal_eval(result["data"]["text/plain"]))

    def _ask(self, code: str, value: str, timeout: float) -> Any:
        content = {
            "code": code,
            "silent": True,
            "store_history": False,
            "user_expressions": {"value": value},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        asked = self._session.send(self._socket, "execute_request", content)
        assert asked is not None
        deadline = time.monotonic() + timeout
        while self._socket.poll(max(0, int((deadline - time.monotonic()) * 1000))):
            _, reply = self._session.recv(self._socket)
            # An answer to a question that was given up on is passed over.
            if reply is not None and reply["parent_header"].get("msg_id") == asked["msg_id"]:
                return reply["content"]
        raise TimeoutError(f"no answer from the kernel within {timeout} s, of\n{code}")


class Notebook:
    """A notebook open in JupyterLab, in a page of its own.

    Args:
        server: where it lies.
        browser: in which the page opens, with storage of its own; or, quicker, what
            `chromium_with_cache` gives.
        path: the notebook, relative to the server's root.
        theme: "light" or "dark".
        timeout: seconds until page and kernel are there.

    Attributes:
        page: playwright's page, for clicks and everything else.
        errors: what the page reported as an uncaught error, or on its console as an error.
    """

    def __init__(
        self,
        server: Server,
        browser: Browser | BrowserContext,
        path: str,
        theme: str = "light",
        timeout: float = 60,
    ) -> None:
        self.server = server
        self.path = path
        self.errors: list[str] = []
        self._kernel: Kernel | None = None
        self.page: Page = (
            # Closing this page closes its context as well.
            browser.new_page(viewport=VIEWPORT)
            if isinstance(browser, Browser)
            else browser.new_page()
        )
        try:
            self.page.on("pageerror", lambda error: self.errors.append(str(error)))
            self.page.on(
                "console",
                lambda message: (
                    self.errors.append(message.text) if message.type == "error" else None
                ),
            )
            self.page.goto(f"{server.url}/{self.address()}?token={server.token}")
            self._wait_until_ready(timeout)
            self.set_theme(theme)
        except BaseException:
            self.close()
            raise

    def address(self) -> str:
        """Where the server shows the notebook."""
        # A workspace of its own: two pages share no layout, and none is restored.
        return f"lab/workspaces/{secrets.token_hex(4)}/tree/{self.path}"

    @property
    def kernel(self) -> Kernel:
        """The notebook's kernel."""
        if self._kernel is None:
            kernel_id = self.server.kernel_id(self.path)
            self._kernel = Kernel(self.server.runtime / f"kernel-{kernel_id}.json")
        return self._kernel

    def run_all(self, timeout: float = 60) -> None:
        """Run All Cells, and wait until the last has ended."""
        self.command("notebook:run-all-cells", timeout=timeout)
        self.wait_idle(timeout)

    def run_cell(self, index: int, timeout: float = 60) -> None:
        """Run one cell, and wait until it has ended."""
        self.start_cell(index)
        self.wait_idle(timeout)

    def start_cell(self, index: int) -> None:
        """Run one cell, and do not wait for it."""
        self.page.evaluate(
            """index => {
                const app = window.jupyterapp;
                app.shell.currentWidget.content.activeCellIndex = index;
                app.shell.currentWidget.content.deselectAll();
                app.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def add_cell(self, source: str, timeout: float = 60) -> int:
        """Add a code cell at the end, run it to its end, and return its index."""
        index: int = self.page.evaluate(
            """source => {
                const notebook = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
                notebook.addCell({cell_type: 'code', source});
                return notebook.cells.length - 1;
            }""",
            source,
        )
        self.run_cell(index, timeout)
        return index

    def set_source(self, index: int, source: str) -> None:
        """Replace the text of a cell, as typing it would; it is not run."""
        self.page.evaluate(
            """([index, source]) => window.jupyterapp.shell.currentWidget.content.model
                .sharedModel.cells[index].setSource(source)""",
            [index, source],
        )

    @contextlib.contextmanager
    def busy(self, index: int, rest: str = "time.sleep(0.05)") -> Iterator[None]:
        """Run a cell for as long as the block lasts.

        Args:
            index: of the cell, which gets a text of its own.
            rest: what it does until then, again and again. As it is, it holds up the kernel: no
                task turns, and no message is answered.
        """
        gate = self.server.root / "let_go"
        gate.unlink(missing_ok=True)
        self.set_source(
            index,
            "import pathlib, time\nprint('begun', flush=True)\n"
            f"while not pathlib.Path({str(gate)!r}).exists():\n    {rest}\nprint('ended')",
        )
        self.start_cell(index)
        until(self.page, lambda: "begun" in self.text(index))
        try:
            yield
        finally:
            gate.touch()
        self.wait_idle()
        until(self.page, lambda: "ended" in self.text(index))

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until no cell runs and none waits to. Background tasks may go on."""
        self.page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.every(
                cell => cell.model.type !== 'code' || cell.model.executionState !== 'running')""",
            timeout=timeout * 1000,
        )

    def cell(self, index: int) -> Locator:
        """A cell in the page, brought into view."""
        locator = self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        locator.scroll_into_view_if_needed()
        return locator

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs of a cell, as a saved notebook would hold them."""
        outputs: list[dict[str, Any]] = self.page.evaluate(
            """index => window.jupyterapp.shell.currentWidget.content.model
                .sharedModel.cells[index].toJSON().outputs""",
            index,
        )
        return outputs

    def text(self, index: int) -> str:
        """What a cell printed, and its value as plain text."""
        parts = []
        for output in self.outputs(index):
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            parts.append(text if isinstance(text, str) else "".join(text))
        return "".join(parts)

    def failed_cells(self) -> list[str]:
        """Each cell whose output is an error: its index, the error and its text."""
        failed: list[str] = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
                .flatMap((cell, index) => (cell.toJSON().outputs ?? [])
                    .filter(output => output.output_type === 'error')
                    .map(output => `${index}: ${output.ename}: ${output.evalue}`))"""
        )
        return failed

    def set_theme(self, theme: str) -> None:
        """Switch the whole page to "light" or "dark"."""
        name = THEMES[theme]
        self.command("apputils:change-theme", {"theme": name})
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")  # it fades over

    def save(self) -> None:
        """Save the notebook, outputs and all."""
        self.command("docmanager:save")

    def reload(self, timeout: float = 60) -> None:
        """Load the page anew, as F5 does; the kernel goes on."""
        self.page.reload()
        self._wait_until_ready(timeout)

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the page as `screenshots/NAME.png`; returns its path."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def command(self, name: str, args: dict[str, Any] | None = None, timeout: float = 60) -> None:
        """Carry out a command of JupyterLab, and wait until it says that it is done."""
        # `evaluate` would wait for ever for a command that hangs, so it only starts it.
        self.page.evaluate(
            """([name, args]) => {
                window.commandOfTest = {};
                const mine = window.commandOfTest;
                window.jupyterapp.commands.execute(name, args).then(
                    () => { mine.done = true; },
                    error => { mine.done = true; mine.error = String(error); });
            }""",
            [name, args or {}],
        )
        self.page.wait_for_function("window.commandOfTest.done", timeout=timeout * 1000)
        error = self.page.evaluate("window.commandOfTest.error")
        if error:
            raise AssertionError(f"JupyterLab's command {name} failed: {error}")

    def close(self) -> None:
        """Close the page; the kernel goes on."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
        self.page.close()

    def _wait_until_ready(self, timeout: float) -> None:
        self.page.wait_for_function(
            """path => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                return panel?.context?.path === path && panel.context.isReady
                    && panel.sessionContext.isReady
                    && panel.sessionContext.session?.kernel?.status === 'idle';
            }""",
            arg=self.path,
            timeout=timeout * 1000,
        )
