"""The ipywidgets face: forms that make one call of the workspace, and show the line that does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deploy_form import DeployForm

__all__ = ["deploy"]


def deploy(*, namespace: dict[str, Any] | None = None) -> DeployForm:
    """A form that deploys a Bento.

    Args:
        namespace: The notebook's names; Bentos that were built in it are offered first.
    """
    from .deploy_form import DeployForm

    return DeployForm(namespace or {})
