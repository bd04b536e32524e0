"""What Binder makes of binder/: that environment, built here, and the first notebook run in it.

repo2docker is not needed for it: what it does with these files is short, and done here in the same
order. A base environment whose ipykernel is 7.0.1 (of the Python that runtime.txt names), a clone of
the repository, `pip install -r binder/requirements.txt` from its top, then `postBuild`.

The environment is kept in `.venv-binder`, and made anew when something that goes into it is newer.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alive import CELLS, FIRST, assert_alive_and_obedient
from lab import Notebook, Server
from playwright.sync_api import Browser

pytestmark = pytest.mark.timeout(900)

REPOSITORY = Path(__file__).parents[2]
BINDER = REPOSITORY / "binder"
ENVIRONMENT = REPOSITORY / ".venv-binder"
PYTHON = ENVIRONMENT / "bin" / "python"
BASE_KERNEL = "ipykernel==7.0.1"  # of repo2docker's images, for every Python that they offer

_SHOW_CONFIG = """
from jupyter_server.serverapp import ServerApp
ServerApp.launch_instance(["--show-config-json", "--allow-root"])
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone would hold if everything here were committed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in _files():
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(clone: Path) -> Path:
    """The Python of the environment that Binder would build of the clone."""
    made = ENVIRONMENT / "made"
    inputs = [clone / name for name in _files() if _goes_into_it(name)]
    if not made.exists() or any(file.stat().st_mtime > made.stat().st_mtime for file in inputs):
        _build(clone)
        made.touch()
    return PYTHON


def test_the_python_is_the_one_that_binder_will_use(environment: Path) -> None:
    wanted = _runtime()
    found = _ask(environment, "import sys; print('%d.%d' % sys.version_info[:2])")
    if found != wanted:
        pytest.skip(f"Binder will use Python {wanted}, not found here; tried with {found} instead")
    assert found == wanted


def test_page_and_kernel_get_along(environment: Path) -> None:
    """A kernel of 7.4 or newer, JupyterLab, and one anywidget for page and kernel."""
    versions = json.loads(
        _ask(
            environment,
            "import json\n"
            "from importlib.metadata import version\n"
            "names = ['ipykernel', 'jupyterlab', 'anywidget']\n"
            "print(json.dumps({name: version(name) for name in names}))",
        )
    )
    assert _numbers(versions["ipykernel"]) >= (7, 4)
    assert _numbers(versions["jupyterlab"])[0] == 4
    page = ENVIRONMENT / "share" / "jupyter" / "labextensions" / "anywidget" / "package.json"
    of_the_page = json.loads(page.read_text(encoding="utf-8"))["version"]
    assert _numbers(of_the_page)[:2] == _numbers(versions["anywidget"])[:2]


def test_the_project_is_installed_whole_and_not_from_this_checkout(environment: Path) -> None:
    """Binder installs a wheel: what it leaves out is missing there, and nowhere else."""
    place = _ask(
        environment,
        "import task_thread, task_thread_widgets, pathlib\n"
        "print(pathlib.Path(task_thread.__file__).parents[1])",
    )
    assert place.endswith("site-packages")
    for source in ("task_thread", "widgets/task_thread_widgets"):
        installed = Path(place) / Path(source).name
        expected = {
            file.relative_to(source) for file in map(Path, _files()) if _is_below(file, source)
        }
        missing = [str(name) for name in expected if not (installed / name).exists()]
        assert sorted(missing) == [], f"not in the wheel, though in {source}"


def test_its_server_sends_at_once(environment: Path) -> None:
    config = json.loads(_ask(environment, _SHOW_CONFIG))
    wanted = "task_thread_widgets.prompt_connection.PromptConnection"
    assert config["ServerApp"]["kernel_websocket_connection_class"] == wanted


def test_the_first_notebook_lives_in_it(
    environment: Path, clone: Path, browser: Browser, tmp_path: Path
) -> None:
    server = Server(tmp_path, clone, python=str(environment))
    try:
        # Where the links of docs/links.md lead: lab/tree/notebooks/...
        with closing(Notebook(server, browser, f"notebooks/{FIRST}")) as notebook:
            notebook.run_all(timeout=120)
            [slip] = notebook.failed_cells()  # the one that fails on purpose
            assert slip.startswith(f"{CELLS['forgotten-await']}: TypeError: ")
            view = notebook.cell(CELLS["all-threads"]).locator(".task-thread-view")
            assert_alive_and_obedient(view, notebook.kernel, "binder")
            assert notebook.kernel.evaluate("__import__('sys').executable") == str(environment)
            assert notebook.errors == []
    finally:
        server.stop()


def _build(clone: Path) -> None:
    python = _find_python(_runtime()) or sys.executable
    _run([str(REPOSITORY / ".ci" / "venv"), python, str(ENVIRONMENT)], clone)
    install = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    _run([*install, BASE_KERNEL], clone)
    _run([*install, "-r", "binder/requirements.txt"], clone)
    if (clone / "binder" / "postBuild").exists():
        path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
        _run([str(clone / "binder" / "postBuild")], clone, PATH=path)


def _run(command: list[str], folder: Path, **more: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def _ask(python: Path, code: str) -> str:
    # Elsewhere than in the repository: from its top, `import task_thread` would find the source.
    done = subprocess.run(
        [str(python), "-c", code], cwd=python.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _files() -> list[str]:
    """The files that are committed, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(
            f"no git checkout, so nobody can tell what a clone holds: {done.stderr.strip()}"
        )
    return done.stdout.splitlines()


def _goes_into_it(name: str) -> bool:
    return name == "pyproject.toml" or name.startswith(("binder/", "task_thread/", "widgets/"))


def _is_below(file: Path, folder: str) -> bool:
    return Path(folder) in file.parents and (REPOSITORY / file).is_file()


def _runtime() -> str:
    """The version in runtime.txt, as "3.13"."""
    text = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    match = re.fullmatch(r"python-(3\.\d+)", text)
    assert match, f"expected python-3.x in binder/runtime.txt, found {text!r}"
    return match[1]


def _find_python(version: str) -> str | None:
    """A Python of that version: on the PATH, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [f"python{version}", *map(str, pyenv.glob(f"{version}.*/bin/python{version}"))]
    for candidate in candidates:
        # Ask it: pyenv leaves a command on the PATH for each version, which may only complain.
        check = "import sys; print('%d.%d' % sys.version_info[:2])"
        try:
            done = subprocess.run([candidate, "-c", check], capture_output=True, text=True)
        except OSError:
            continue
        if done.stdout.strip() == version:
            return candidate
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
