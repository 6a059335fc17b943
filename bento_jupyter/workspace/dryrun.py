"""What a deploy would send, and what that would change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..display.markup import FONT, INK, Html, element
from ..display.tables import JSON_TYPE, Table
from ..spec import DeploymentSpec

__all__ = ["DeployPlan", "deploy_plan"]

_HIDDEN = "***"
_NOT_THERE = "-"


@dataclass(frozen=True)
class DeployPlan:
    """What a deploy would do; nothing was built, pushed or changed.

    Attributes:
        name: Name of the deployment.
        cloud: Name of the cloud.
        action: `create`, `update` or `nothing`.
        body: What would be sent; values of environment variables are hidden.
        changes: Field, what it is and what it would be, each as text.
    """

    name: str
    cloud: str
    action: str
    body: dict[str, Any]
    changes: list[tuple[str, str, str]]

    @property
    def _line(self) -> str:
        if self.action == "nothing":
            return f"{self.name} in {self.cloud} is like that already: nothing would change"
        return f"would {self.action} {self.name} in {self.cloud}"

    @property
    def _table(self) -> Table:
        return Table(["field", "is", "would be"], self.changes)

    def yaml(self) -> str:
        """What would be sent, as YAML: a file for `--config`, but for the hidden values."""
        import yaml  # type: ignore[import-untyped]

        return str(yaml.safe_dump(self.body, sort_keys=False, allow_unicode=True))

    def __repr__(self) -> str:
        parts = [self._line] + ([str(self._table)] if self.changes else []) + [self.yaml().rstrip()]
        return "\n\n".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        table = Html(self._table._repr_mimebundle_()["text/html"] if self.changes else "")
        body = element("details", element("summary", "what would be sent"), element("pre", self.yaml()))
        return {
            "text/plain": repr(self),
            "text/html": str(element("div", element("p", self._line), table, body, style=FONT + INK)),
            JSON_TYPE: {
                "name": self.name,
                "cloud": self.cloud,
                "action": self.action,
                "body": self.body,
                "changes": [list(change) for change in self.changes],
            },
        }


def deploy_plan(cloud: str, before: DeploymentSpec | None, spec: DeploymentSpec, entry: str) -> DeployPlan:
    """What sending `spec` would change.

    Args:
        cloud: Name of the cloud.
        before: What the deployment was asked to be; None = there is none.
        spec: What is wanted.
        entry: Name of the Bento's entry service.
    """
    wanted = _without_nothing(spec.to_wire(entry))
    old = dict(_leaves(before.to_wire(entry))) if before else {}
    new = dict(_leaves(spec.to_wire(entry)))
    changes = [
        (field, _shown(field, old.get(field)), _shown(field, new.get(field)))
        for field in [*new, *(old.keys() - new.keys())]
        if old.get(field) != new.get(field)
    ]
    action = "create" if before is None else "update" if changes else "nothing"
    return DeployPlan(spec.name, cloud, action, _masked(wanted), changes if before else [])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and path.rpartition(".")[2] in ("envs", "labels"):
        for item in value:
            yield f"{path}.{item.get('name') or item.get('key')}", item["value"]
    elif value not in (None, [], {}):
        yield path, value


def _shown(field: str, value: Any) -> str:
    if value is None:
        return _NOT_THERE
    if "envs" in field.split("."):
        return _HIDDEN
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _masked(value: Any, *, hidden: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _HIDDEN if hidden and key == "value" else _masked(item, hidden=key == "envs")
            for key, item in value.items()
        }
    return [_masked(item, hidden=hidden) for item in value] if isinstance(value, list) else deepcopy(value)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_nothing(item)
            for key, item in value.items()
            if item is not None and item not in ([], {})
        }
    return value
