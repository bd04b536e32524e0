"""The measured rows as a table for people, and as JSON for programs."""

import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from .implementations import Implementation
from .measuring import Row

NAMES = ("ours", "reference", "bare")
PAIRS = (("ours", "reference"), ("ours", "bare"), ("bare", "reference"))


def machine() -> dict[str, Any]:
    """The machine's shape: the same figures mean little without it."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "cpu": _cpu(),
        "system": platform.platform(),
    }


def today() -> str:
    """The date, in UTC."""
    return datetime.now(timezone.utc).date().isoformat()


def print_table(
    console: Console,
    python: str,
    rows: list[Row],
    implementations: list[Implementation],
    markdown: bool,
) -> None:
    """Prints a table of medians, and below it why a figure is missing."""
    shape = machine()
    title = (
        f"Python {python}, {shape['cores']} cores, {shape['memory_gib']} GiB, "
        f"{shape['cpu']}, {today()}"
    )
    style = box.MARKDOWN if markdown else box.SIMPLE_HEAD
    table = Table(title=None if markdown else title, box=style)
    if markdown:
        console.print(title + "\n", soft_wrap=True, markup=False, highlight=False)
    table.add_column("work")
    for heading in (*NAMES, "unit", "ours / reference", "ours / bare", "bare / reference"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    table.add_column("goal")
    table.add_column("stretch")
    table.add_column("verdict")
    for row in rows:
        table.add_row(*_cells(row, markdown))
    with console.capture() as drawn:
        console.print(table)
    lines = [line.rstrip() for line in drawn.get().strip("\n").splitlines()]
    console.file.write("\n".join(line for line in lines if line) + "\n\n")
    for reason in _reasons(rows, implementations):
        console.print(reason, soft_wrap=True, markup=False, highlight=False)


def as_json(python: str, rows: list[Row], implementations: list[Implementation]) -> dict[str, Any]:
    """All that was measured on one interpreter."""
    return {
        "python": python,
        "missing": {each.name: each.missing for each in implementations if each.missing},
        "rows": [_row_as_json(row) for row in rows],
    }


def _cells(row: Row, markdown: bool) -> list[str]:
    goals = {
        stretch: [g for g in row.figure.goals if g.stretch is stretch] for stretch in (False, True)
    }
    verdict = row.verdict()
    colour = {"short": "red", "-": "dim"}.get(verdict, "green")
    return [
        row.figure.title,
        *(_number(row.value(name)) for name in NAMES),
        row.figure.unit,
        *(_ratio(row.ratio(*pair)) for pair in PAIRS),
        ", ".join(map(str, goals[False])),
        ", ".join(map(str, goals[True])),
        verdict if markdown else f"[{colour}]{verdict}[/]",
    ]


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "work": row.work.name,
        "figure": row.figure.key,
        "title": row.figure.title,
        "unit": row.figure.unit,
        "medians": {name: row.value(name) for name in NAMES},
        "ratios": {
            f"{name}/{to}": {"median": row.ratio(name, to), "rounds": row.ratios(name, to)}
            for name, to in PAIRS
        },
        "rounds": row.rounds,
        "goals": [
            {"goal": str(goal), "stretch": goal.stretch, "reached": row.reached(goal)}
            for goal in row.figure.goals
        ],
        "verdict": row.verdict(),
        "reasons": row.reasons,
    }


def _reasons(rows: list[Row], implementations: list[Implementation]) -> list[str]:
    missing = [f"{each.name}: {each.missing}" for each in implementations if each.missing]
    return missing + [
        f"{row.figure.title}, {name}: {reason}"
        for row in rows
        for name, reason in row.reasons.items()
    ]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
