"""The magic line and the Python call that do what a form does."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

__all__ = ["deploy_call", "deploy_line"]

#: Options whose words are not the names of their fields.
OPTIONS = {
    "envs": "env",
    "secrets": "secret",
    "labels": "label",
    "idle_seconds": "idle",
    "services": "service",
}
#: What stands for the value of an environment variable, which no notebook should hold.
HIDDEN = "..."


def _asked(spec: BaseModel) -> dict[str, Any]:
    """What a spec asks for besides its defaults."""
    fields = type(spec).model_fields
    return {
        name: dict.fromkeys(value, HIDDEN) if name == "envs" else value
        for name, value in ((name, getattr(spec, name)) for name in fields)
        if name not in ("name", "bento")
        and (
            name == "mode" or value != fields[name].get_default(call_default_factory=True, validated_data={})
        )
    }


def deploy_line(spec: BaseModel, target: str, sample: str = "") -> str:
    """The `%bento_deploy` line; values of environment variables are left out.

    Args:
        spec: What is wanted.
        target: Tag or expression of what is deployed.
        sample: Expression of the sample; "" = none.
    """
    words = [target, "--name", str(getattr(spec, "name", ""))]
    words += ["--sample", sample] if sample else []
    for name, value in _asked(spec).items():
        option = f"--{OPTIONS.get(name, name).replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        elif isinstance(value, Mapping):
            for key, each in value.items():
                words += [option, f"{key}={each}"]
        elif isinstance(value, (list, tuple)):
            for each in value:
                words += [option, str(each)]
        else:
            words += [option, str(value.value if isinstance(value, Enum) else value)]
    return " ".join(["%bento_deploy", *map(shlex.quote, words)])


def deploy_call(spec: BaseModel, target: str, sample: str = "") -> str:
    """The call of `bento_jupyter.deploy`; values of environment variables are left out.

    Args:
        spec: What is wanted.
        target: Python expression of what is deployed.
        sample: Expression of the sample; "" = none.
    """
    parts = [target, f"name={getattr(spec, 'name', '')!r}"]
    parts += [f"sample={sample}"] if sample else []
    for name, value in _asked(spec).items():
        plain = value.value if isinstance(value, Enum) else value
        parts.append(f"{name}={_plain(plain)!r}")
    return f"bento_jupyter.deploy({', '.join(parts)})"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
