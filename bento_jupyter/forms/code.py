"""The magic line and the Python call that do what a form does, without what no notebook should hold."""

from __future__ import annotations

import shlex
from typing import Any

from ..spec import DeploymentSpec
from ..spelling import to_call, to_line

__all__ = ["deploy_call", "deploy_line", "masked"]

#: What stands for the value of an environment variable.
HIDDEN = "..."


def masked(spec: DeploymentSpec) -> DeploymentSpec:
    """A spec without the values of its environment variables, wherever they stand in it."""
    return DeploymentSpec(**_hidden(spec.model_dump()))


def _hidden(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: dict.fromkeys(each, HIDDEN) if key == "envs" and each else _hidden(each)
        for key, each in value.items()
    }


def deploy_line(spec: DeploymentSpec, target: str, sample: str = "") -> str:
    """The `%bento_deploy` line.

    Args:
        spec: What is wanted.
        target: Tag or expression of what is deployed.
        sample: Expression of the sample; "" = none.
    """
    line = to_line(masked(spec), target)
    return f"{line} --sample {shlex.quote(sample)}" if sample else line


def deploy_call(spec: DeploymentSpec, target: str, sample: str = "") -> str:
    """The call of `bento_jupyter.deploy`.

    Args:
        spec: What is wanted.
        target: Python expression of what is deployed.
        sample: Expression of the sample; "" = none.
    """
    call = to_call(masked(spec), target)
    return f"{call.removesuffix(')')}, sample={sample})" if sample else call
