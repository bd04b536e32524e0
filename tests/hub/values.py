"""What a hub gets from hub/values.yaml: the part that is JupyterHub's configuration, not Kubernetes'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

VALUES = Path(__file__).parents[2] / "hub" / "values.yaml"
TEACHER = "teacher"


def read() -> dict[str, Any]:
    """Return the values as they are for a hub at https://HUB/ with a teacher of that name."""
    values: dict[str, Any] = yaml.safe_load(
        VALUES.read_text(encoding="utf-8").replace("TEACHER", TEACHER)
    )
    return values


def as_config(url: str) -> str:
    """Return lines of a `jupyterhub_config.py` that say what the values do, as the chart's own file does.

    Args:
        url: of the hub, in place of https://HUB.
    """
    hub = read()["hub"]
    hub["config"]["JupyterHub"]["public_url"] = url
    lines = [
        f"c.JupyterHub.allow_named_servers = {hub['allowNamedServers']}",
        f"c.JupyterHub.named_server_limit_per_user = {hub['namedServerLimitPerUser']}",
    ]
    for name, traits in hub["config"].items():
        lines += [f"c.{name}.{trait} = {value!r}" for trait, value in traits.items()]
    for name, role in hub["loadRoles"].items():
        lines.append(f"c.JupyterHub.load_roles.append({ {'name': name, **role}!r})")
    return "\n".join(lines)
