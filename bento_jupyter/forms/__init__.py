"""The ipywidgets face: forms that make one call of the workspace, and show the line that does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build_form import BuildForm
    from .call_form import CallForm
    from .deploy_form import DeployForm
    from .login_form import LoginForm
    from .watch_form import WatchForm

__all__ = ["build", "call", "deploy", "login", "status"]


def build(*, namespace: dict[str, Any] | None = None) -> BuildForm:
    """A form that builds a Bento from objects of the notebook and proves it.

    Args:
        namespace: The notebook's names.
    """
    from .build_form import BuildForm

    return BuildForm({} if namespace is None else namespace)


def call(name: str = "", *, namespace: dict[str, Any] | None = None) -> CallForm:
    """A playground for the endpoints of a deployment.

    Args:
        name: Deployment to begin with; "" = the newest.
        namespace: The notebook's names.

    Raises:
        NotFoundError: There is no deployment of this name.
    """
    from .call_form import CallForm

    _known(name)
    return CallForm({} if namespace is None else namespace, name)


def login() -> LoginForm:
    """A form that connects to a cloud; the token stays in the kernel."""
    from .login_form import LoginForm

    return LoginForm()


def status(name: str = "") -> WatchForm:
    """A form that shows deployments as they are now, live, with what can be done with them.

    Args:
        name: Deployment to begin with; "" = the newest.

    Raises:
        NotFoundError: There is no deployment of this name.
    """
    from .watch_form import WatchForm

    _known(name)
    return WatchForm(name)


def deploy(*, namespace: dict[str, Any] | None = None, update: str = "", clone: str = "") -> DeployForm:
    """A form that deploys a Bento or an object, changes a deployment, or makes another one like it.

    Args:
        namespace: The notebook's names; Bentos that were built in it are offered first.
        update: Name of a deployment to change.
        clone: Name of a deployment to start from.

    Raises:
        NotFoundError: There is no deployment of this name.
    """
    from .deploy_form import DeployForm

    _known(update or clone)
    return DeployForm({} if namespace is None else namespace, update=update, clone=clone)


def _known(name: str) -> None:
    """Say at once that there is no deployment of this name, and which ones there are."""
    from .. import workspace

    if name:
        workspace.deployment(name)
