"""The clouds that the `bentoml` client is logged in to, read from its file."""

from __future__ import annotations

import os
from pathlib import Path

from ..home import Home
from .payloads import Context, Contexts

__all__ = ["contexts"]


def contexts(home: Home) -> Contexts:
    """Names and addresses of all contexts; the tokens stay where they are.

    Args:
        home: Home of the embedded cloud, which is told from the others by its address.
    """
    import yaml  # type: ignore[import-untyped]

    folder = os.environ.get("BENTOML_HOME")
    path = (Path(folder) if folder else Path.home() / "bentoml") / ".yatai.yaml"
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return Contexts(items=[])
    said = said if isinstance(said, dict) else {}
    state = home.read_state()
    own = state.endpoint.rstrip("/") if state is not None else None
    current = said.get("current_context_name")
    return Contexts(
        items=[
            Context(
                name=str(item["name"]),
                endpoint=str(item.get("endpoint", "")),
                current=item["name"] == current,
                embedded=str(item.get("endpoint", "")).rstrip("/") == own or item["name"] == "embedded",
            )
            for item in said.get("contexts") or []
            if isinstance(item, dict) and "name" in item
        ]
    )
