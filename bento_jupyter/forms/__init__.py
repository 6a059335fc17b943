"""The ipywidgets face: forms that make one call of the workspace, and show the line that does the same."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..client.cloud import Cloud
    from .build_form import BuildForm
    from .call_form import CallForm
    from .deploy_form import DeployForm
    from .login_form import LoginForm
    from .watch_form import WatchForm

__all__ = ["build", "call", "deploy", "login", "status"]


def build(*, namespace: dict[str, Any] | None = None) -> BuildForm:
    """A form that builds a Bento from objects of the notebook and proves it.

    Args:
        namespace: The notebook's names; None = those of the running IPython.
    """
    from .build_form import BuildForm

    return BuildForm(_names(namespace))


def call(
    name: str = "", *, namespace: dict[str, Any] | None = None, cloud: Cloud | str | None = None
) -> CallForm:
    """A playground for the endpoints of a deployment.

    Args:
        name: Deployment to begin with; "" = the newest.
        namespace: The notebook's names; None = those of the running IPython.
        cloud: Cloud or name of one; None = the current one.

    Raises:
        NotFoundError: There is no deployment of this name.
        NotLoggedInError: There is no such cloud.
    """
    from .call_form import CallForm

    _known(name, cloud)
    return CallForm(_names(namespace), name, cloud=cloud)


def login() -> LoginForm:
    """A form that connects to a cloud; the token stays in the kernel."""
    from .login_form import LoginForm

    return LoginForm()


def status(name: str = "", *, cloud: Cloud | str | None = None) -> WatchForm:
    """A form that shows deployments as they are now, live, with what can be done with them.

    Args:
        name: Deployment to begin with; "" = the newest.
        cloud: Cloud or name of one; None = the current one.

    Raises:
        NotFoundError: There is no deployment of this name.
        NotLoggedInError: There is no such cloud.
    """
    from .watch_form import WatchForm

    _known(name, cloud)
    return WatchForm(name, cloud=cloud)


def deploy(
    *,
    namespace: dict[str, Any] | None = None,
    update: str = "",
    clone: str = "",
    cloud: Cloud | str | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> DeployForm:
    """A form that deploys a Bento or an object, changes a deployment, or makes another one like it.

    Args:
        namespace: The notebook's names; Bentos that were built in it are offered first. None = those of the
            running IPython.
        update: Name of a deployment to change.
        clone: Name of a deployment to start from.
        cloud: Cloud or name of one; None = the current one.
        defaults: What fields of `DeploymentSpec` begin with in a new deployment.

    Raises:
        NotFoundError: There is no deployment of this name.
        NotLoggedInError: There is no such cloud.
        InvalidRequestError: `defaults` names no field.
    """
    from .deploy_form import DeployForm

    _known(update or clone, cloud)
    return DeployForm(_names(namespace), update=update, clone=clone, cloud=cloud, defaults=defaults)


def _known(name: str, cloud: Cloud | str | None) -> None:
    """Say at once that there is no deployment of this name, and which ones there are."""
    from .. import workspace

    if name:
        workspace.deployment(name, cloud=cloud)


def _names(namespace: dict[str, Any] | None) -> dict[str, Any]:
    """The names that a form is about: those given, else the notebook's, else none."""
    if namespace is not None:
        return namespace
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return {} if shell is None else cast("dict[str, Any]", shell.user_ns)
