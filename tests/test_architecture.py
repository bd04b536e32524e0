"""The plan of the house: imports point down, and what is private to a module stays in it.

The lists below hold what is not so yet. They may only shrink: an entry that is no longer needed fails, too.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = {"task_thread": ROOT, "task_thread_widgets": ROOT / "widgets"}

# From the ground up. A module may import those on its own floor and below; a name that ends in a dot
# stands for all modules under it.
FLOORS: list[list[str]] = []


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
