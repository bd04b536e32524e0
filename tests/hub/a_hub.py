"""A real JupyterHub on this machine: hub, proxy, and a server for each user who comes.

Its proxy is `configurable-http-proxy`, of npm; its users are none of the system's
(`SimpleLocalProcessSpawner`), each with a folder as home. All ports are free ones of 127.0.0.1. Any name and
the hub's own password log in at its page; tests speak to its API as a service that may do everything.
"""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from lab import NO_BUILD_CHECK, PATIENCE, VIEWPORT, Server
from playwright.sync_api import Browser, BrowserContext

TOP = Path(__file__).parents[2]
PROXY = TOP / ".venv-hub" / "node_modules" / ".bin" / "configurable-http-proxy"
PATIENCE_AT_START = 180.0  # seconds for a hub, or a user's server, of many that start at once

# The scopes of the tests' own service.
_MAY = ["admin:users", "admin:servers", "tokens", "shares", "access:servers"]
# Words of a user's server, above what a teacher's hub has anyway.
_ARGUMENTS = [
    "--allow-root",
    "--LabApp.expose_app_in_browser=True",  # as window.jupyterapp, for the pages of lab.py
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    f"--ServerApp.tornado_settings={NO_BUILD_CHECK}",
    # As binder/postBuild sets it.
    "--ServerApp.kernel_websocket_connection_class="
    "task_thread_widgets.prompt_connection.PromptConnection",
]


def find_proxy() -> str:
    """Return the path of the hub's proxy.

    Raises:
        LookupError: it is not here; the message says what to do.
    """
    path = str(PROXY) if PROXY.exists() else shutil.which("configurable-http-proxy")
    if path is None or shutil.which("node") is None:
        raise LookupError(
            "no configurable-http-proxy here: `make test-hub` fetches it from npm, which needs node and npm"
        )
    return path


class Refused(Exception):
    """A request was not carried out.

    Args:
        text: which, and why.
        status: the answer's, e.g. 403.
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Hub:
    """A JupyterHub that runs until `stop`.

    Args:
        folder: an empty folder for its settings, its database, its log and the homes of its users.
        more: returns lines for its `jupyterhub_config.py`, for the hub's url.

    Attributes:
        url: of hub and users' servers, without a slash at the end.
        password: with which any name logs in.
        pid: of the hub; proxy and servers are its children.

    Raises:
        LookupError: there is no proxy here.
        RuntimeError: it did not start; the message holds its log.
    """

    def __init__(self, folder: Path, more: Callable[[str], str] = lambda url: "") -> None:
        proxy = find_proxy()
        public, inside, api = _free_ports(3)
        self.url = f"http://127.0.0.1:{public}"
        self.password = secrets.token_hex(8)
        self._token = secrets.token_hex(16)
        self._homes = folder / "homes"
        self._log = folder / "hub.log"
        config = folder / "jupyterhub_config.py"
        config.write_text(
            f"""
c = get_config()
c.JupyterHub.bind_url = {self.url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{inside}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {self.password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{self._homes}/{{username}}"
c.Spawner.cmd = [{sys.executable!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {_ARGUMENTS!r}
c.Spawner.environment = {{"JUPYTER_CONFIG_PATH": {str(TOP / "hub")!r}}}  # as hub/Dockerfile has it
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "TMPDIR"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {PATIENCE_AT_START:.0f}
c.JupyterHub.services = [{{"name": "tests", "api_token": {self._token!r}}}]
c.JupyterHub.load_roles = [{{"name": "tests", "services": ["tests"], "scopes": {_MAY!r}}}]
{more(self.url)}
"""
        )
        config.chmod(0o600)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        command = [sys.executable, "-m", "jupyterhub", "--config", str(config)]
        with self._log.open("wb") as log:
            # A session of its own: whatever is left of it at the end can be ended as one.
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdout=log,
                stderr=log,
                stdin=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        try:
            self._wait_until(lambda: self.request("GET", "/hub/api/"), PATIENCE_AT_START)
        except BaseException:
            self.stop()
            raise

    def request(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Call an API, of the hub or of a user's server; returns the parsed JSON, or text that is none.

        Args:
            method: e.g. "GET".
            path: e.g. "/hub/api/users".
            body: what is sent as JSON.
            token: whose; the tests' service's, if it is not given.

        Raises:
            Refused: it was.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"token {token or self._token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(f"{method} {path}: {error}", error.code) from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def user(self, name: str, server: str = "") -> UserServer:
        """Start a user's server, and return it when it runs.

        Args:
            name: the user's; who is not there yet is made.
            server: its name; the user's own has none.
        """
        with contextlib.suppress(Refused):  # is there
            self.request("POST", f"/hub/api/users/{name}")
        home = self._homes / name
        settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        # A fresh JupyterLab asks whether to fetch its news, over the corner of the page.
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        path = (
            f"/hub/api/users/{name}/servers/{server}" if server else f"/hub/api/users/{name}/server"
        )
        about = f"/hub/api/users/{name}"

        def is_ready() -> bool:
            return bool(self.request("GET", about)["servers"].get(server, {}).get("ready"))

        if not is_ready():
            self.request("POST", path)
            self._wait_until(is_ready, PATIENCE_AT_START)
        token = self.request("POST", f"{about}/tokens", {"note": "of the tests"})["token"]
        return UserServer(self, name, server, token, home)

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each user: servers, kernels and what these have started."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # one that ends, or somebody else's
                home = Path(process.environ().get("HOME", "/"))
                if home.parent == self._homes:
                    found.setdefault(home.name, []).append(process)
        return found

    def log(self) -> str:
        """What hub, proxy and servers wrote."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """End the hub, its proxy, the servers of its users, and whatever is left of them."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)  # it ends proxy and servers first
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        left = [one for group in self.processes().values() for one in group]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left)

    def _wait_until(self, look: Callable[[], Any], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(Refused, urllib.error.URLError, ConnectionError):
                if look():
                    return
            time.sleep(0.1)
        raise RuntimeError(f"the hub, or a server of it, did not start:\n{self.log()}")


class UserServer(Server):
    """The server of a user, as `Notebook` of lab.py wants one.

    Args:
        hub: of which it is.
        user: its owner.
        name: of the server; a user's own has none.
        token: of the owner.
        home: the owner's folder, which it serves.
    """

    def __init__(self, hub: Hub, user: str, name: str, token: str, home: Path) -> None:
        self.hub = hub
        self.user = user
        self.path = f"/user/{user}/{name}".rstrip("/")
        self.url = hub.url + self.path
        self.token = token
        self.root = home
        self.runtime = home / ".local/share/jupyter/runtime"

    def log(self) -> str:
        return self.hub.log()

    def stop(self) -> None:
        self.hub.stop()


@contextlib.contextmanager
def logged_in(browser: Browser, server: UserServer) -> Iterator[BrowserContext]:
    """A window of a browser in which the server's owner has logged in, at the hub's own page."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(1000 * PATIENCE)
    try:
        page = context.new_page()
        page.goto(f"{server.hub.url}/hub/login?next={server.path}/api")
        page.get_by_label("Username").fill(server.user)
        page.get_by_label("Password").fill(server.hub.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.url}/api")
        page.close()
        yield context
    finally:
        context.close()


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
