"""The ipywidgets face: forms that make one call of the workspace, and show the line that does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deploy_form import DeployForm

__all__ = ["deploy"]


def deploy(*, namespace: dict[str, Any] | None = None, update: str = "", clone: str = "") -> DeployForm:
    """A form that deploys a Bento or an object, changes a deployment, or makes another one like it.

    Args:
        namespace: The notebook's names; Bentos that were built in it are offered first.
        update: Name of a deployment to change.
        clone: Name of a deployment to start from.
    """
    from .deploy_form import DeployForm

    return DeployForm({} if namespace is None else namespace, update=update, clone=clone)
