"""The plan of the house: imports point down, and what is private to a module stays in it.

The lists below hold what is not so yet. They may only shrink: an entry that is no longer needed fails, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"task_thread": ROOT, "task_thread_widgets": ROOT / "widgets"}

# From the ground up. A module may import those on its own floor and below; a name that ends in a dot
# stands for all modules under it.
CORE = "task_thread._core"
FLOORS = [
    [
        f"{CORE}.texts",
        f"{CORE}.chain",
        f"{CORE}.source",
        f"{CORE}.environment",
        f"{CORE}.unawaited",
        "task_thread.states",
    ],
    [f"{CORE}.lines", f"{CORE}.log", f"{CORE}.context", "task_thread.signals"],
    [
        f"{CORE}.{name}"
        for name in ("tree", "instruments", "registry", "watchdog", "deadlines", "effect")
    ],
    [
        f"{CORE}.{name}"
        for name in (
            "awaiting",
            "origin",
            "groups",
            "patient",
            "stepping",
            "rate",
            "pacing",
            "times",
            "trace",
        )
    ],
    [f"{CORE}.{name}" for name in ("origin", "driver", "slots", "ending", "hooks")],
    [f"{CORE}.{name}" for name in ("mailbox", "dispatcher")],
    [f"{CORE}.{name}" for name in ("stopping", "starting", "lifecycle", "os_signals", "waits")],
    [CORE],
    ["task_thread.verbose", "task_thread.tasks", "task_thread.control", "task_thread.run_sync"],
    [
        f"task_thread.{name}"
        for name in ("snapshot", "thread", "waits", "shares", "diagram", "only")
    ],
    ["task_thread.coach", "task_thread.coach."],
    ["task_thread.frames", "task_thread.frames."],
    ["task_thread.recording", "task_thread.recording."],
    [
        f"task_thread.{name}"
        for part in ("kernel", "console", "testing", "lesson", "distributed", "classroom")
        for name in (part, f"{part}.")
    ],
    ["task_thread", "task_thread.__main__"],
    ["task_thread_widgets", "task_thread_widgets."],
]

# Imports for type checkers only: what is below is told of what is above by its name.
MOST_TYPES_UP = 18
# Uses of another module's private names.
MOST_PRIVATES = 10

# What of other people's insides we touch, and what we hang on their objects; docs/architecture.md says
# why, with which versions, and what happens where it is missing. A name that we use for something of our
# own, too, was found by reading: nothing here can tell the two apart.
FOREIGN = {
    "_AsyncGeneratorContextManager", "_GatheringFuture", "_GeneratorContextManager", "_abc_impl",
    "_aexit", "_asyncio_future_blocking", "_bootstrap_inner", "_call_check_cancel", "_callbacks",
    "_cancel_all_tasks", "_chain_future", "_children", "_closed",
    "_context", "_current_frames", "_enter_task", "_event_loop_policy", "_exit_callbacks", "_filename_map",
    "_forkserver", "_forkserver_pid", "_fut_waiter", "_get_running_loop", "_getframe",
    "_handle_msg", "_invoke_excepthook", "_is_owned", "_leave_task", "_levelToName", "_log_destroy_pending",
    "_make_subprocess_transport", "_must_cancel", "_nameToLevel", "_outer_done_callback",
    "_parent_cancel_requested",
    "_parent_header",
    "_parent_task",
    "_pid", "_profile_hook", "_ready", "_resource_tracker", "_run_once", "_selector", "_send",
    "_set_running_loop", "_started", "_started_by", "_task_thread_forgave", "_tasks", "_thread_id",
    "_threads_queues", "_todo", "_trace_hook", "_transports", "_validate", "_wait_for_one",
    "_warn_unawaited_coroutine", "_warnings_showwarning",
}  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    """Return the files of the product by their modules' names."""
    found = {}
    for package, base in PACKAGES.items():
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[tuple[str, str]]:
    """Return what a module imports of ours, each with when: "run", at once or lazily, or "type"."""
    found: set[tuple[str, str]] = set()
    package = module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]

    def visit(node: ast.AST, when: str) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                visit(child, "type")
            for child in node.orelse:
                visit(child, when)
            return
        if isinstance(node, ast.Import):
            found.update((alias.name, when) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, node.module or ""]).strip(".") if node.level else node.module
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add((whole if whole in modules() else str(base), when))
        for child in ast.iter_child_nodes(node):
            visit(child, when)

    visit(tree_of(module), "run")
    return frozenset((name, when) for name, when in found if name in modules() and name != module)


@pytest.fixture(autouse=True, scope="module")
def trees_are_let_go() -> Iterator[None]:
    """Half a million nodes would slow the garbage collection of every later test."""
    yield
    tree_of.cache_clear()


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name.isidentifier()


def texts(node: ast.AST) -> list[str]:
    """Return the text that a node is, or those in the tuple, list or set that it is."""
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return [
        one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


@cache
def own_privates(module: str) -> frozenset[str]:
    """Return the private names that a module defines: functions, classes, variables, attributes, slots."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                found.add(node.attr)
        elif isinstance(node, ast.Assign) and "__slots__" in map(ast.unparse, node.targets):
            found.update(texts(node.value))
    return frozenset(filter(private, found))


def used_privates(module: str) -> list[str]:
    """Return the private names that a module uses and does not define, each as often as it does."""
    found: list[str] = []
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found += [alias.name for alias in node.names]
    own = own_privates(module)
    return [name for name in found if private(name) and name not in own and name != "_core"]


@cache
def asked_privates(module: str) -> frozenset[str]:
    """Return the private names that a module has as texts: getattr(task, "_fut_waiter", None)."""
    return frozenset(
        filter(private, (text for node in ast.walk(tree_of(module)) for text in texts(node)))
    )


def floor(module: str) -> int:
    for number, names in enumerate(FLOORS):
        if any(module == name or (name[-1] == "." and module.startswith(name)) for name in names):
            return number
    raise AssertionError(f"{module} is on no floor: put it into FLOORS")


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of more than one module each of which reaches all others (after Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            members = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(members) > 1:
                found.append(members)

    for node in edges:
        if node not in index:
            visit(node)
    return found


def arrows_up(when: str) -> list[str]:
    return sorted(
        f"{module} -> {other}"
        for module in modules()
        for other, at in imports(module)
        if at == when and floor(other) > floor(module)
    )


def test_every_module_has_its_floor_and_no_floor_names_what_is_gone() -> None:
    for module in modules():
        floor(module)
    for name in (name for names in FLOORS for name in names):
        assert name.rstrip(".") in modules()


def test_the_head_of_each_folder_says_what_each_of_its_modules_is_for() -> None:
    """Those of an advice are told by their names, which tests/coach/test_kinds.py checks, and by README."""
    unsaid = []
    for module in modules():
        folder, _, name = module.rpartition(".")
        if folder.count(".") == 1 and modules()[module].name != "__init__.py":
            head = ast.get_docstring(tree_of(folder)) or ""
            advice = (ast.get_docstring(tree_of(module)) or "").startswith("`")
            if not advice and not re.search(rf"\b{name}\b", head):
                unsaid.append(module)
    assert unsaid == []


def test_imports_point_down() -> None:
    assert arrows_up("run") == []


def test_no_circle_of_imports_is_left_lazy_ones_included() -> None:
    edges = {
        module: {other for other, when in imports(module) if when == "run"} for module in modules()
    }
    assert circles(edges) == []


def test_few_types_point_up() -> None:
    found = arrows_up("type")
    assert len(found) <= MOST_TYPES_UP, found


def test_what_is_private_stays_in_its_module() -> None:
    ours: set[str] = set()
    ours.update(*(own_privates(module) for module in modules()))
    found = [
        f"{module}: {name}"
        for module in modules()
        for name in used_privates(module)
        if name in ours and name not in FOREIGN
    ]
    assert len(found) <= MOST_PRIVATES, found


def test_what_we_touch_of_others_insides_is_listed() -> None:
    ours: set[str] = set()
    ours.update(*(own_privates(module) for module in modules()))
    used = {name for module in modules() for name in used_privates(module)}
    used |= ours.union(*(asked_privates(module) for module in modules()))
    assert {name for name in used - ours if not name.startswith("_TaskSlots__")} <= FOREIGN
    assert used >= FOREIGN, "no longer touched"


def test_the_architecture_says_why_we_touch_others_insides() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert {name for name in FOREIGN if f"`{name}`" not in text} == set()


def test_a_circle_is_found() -> None:
    """The test of the test: nothing else would notice if it found nothing."""
    edges: dict[str, set[str]] = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(edges) == [{"a", "b", "c"}]
    assert "task_thread._core.lifecycle" in {name for name, _ in imports("task_thread.thread")}


def test_every_package_is_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text.partition("\npackages = [")[2].partition("]")[0]
    folders = {ROOT / name.strip().strip('"') for name in listed.split(",")}
    assert folders == {base / name for name, base in PACKAGES.items()}
    for folder in folders:  # the build takes each folder whole, and an import needs this file
        for path in folder.rglob("*.py"):
            assert (path.parent / "__init__.py").exists()
