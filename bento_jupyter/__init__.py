"""From a live object in a Jupyter notebook to an endpoint that other people call.

In a notebook:

    %load_ext bento_jupyter
    %bento_deploy clf --sample X_test --mode on-demand

In Python:

    >>> import bento_jupyter as bj
    >>> built = bj.build("iris", clf, sample=X_test[:5])      # doctest: +SKIP
    >>> dep = bj.deploy(built, mode="on-demand")              # doctest: +SKIP
    >>> dep.call("predict", X_test[:5])                       # doctest: +SKIP

Importing this package costs a few milliseconds: everything is loaded when it is used first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from . import cloud, forms
    from .errors import BentoJupyterError
    from .spec import DeploymentSpec, Mode
    from .workspace import (
        bentos,
        build,
        clouds,
        connect,
        deploy,
        deployment,
        deployments,
        disconnect,
        export,
        image,
        instance_types,
        models,
        plan,
        promote,
        prove,
        push,
    )

__version__ = "0.1.0"

__all__ = [
    "BentoJupyterError",
    "DeploymentSpec",
    "Mode",
    "__version__",
    "bentos",
    "build",
    "cloud",
    "clouds",
    "connect",
    "deploy",
    "deployment",
    "deployments",
    "disconnect",
    "export",
    "forms",
    "image",
    "instance_types",
    "load_ipython_extension",
    "models",
    "plan",
    "promote",
    "prove",
    "push",
    "unload_ipython_extension",
]

_HOMES = {
    "BentoJupyterError": "errors",
    "DeploymentSpec": "spec",
    "Mode": "spec",
    **dict.fromkeys(
        (
            "bentos",
            "build",
            "clouds",
            "connect",
            "deploy",
            "deployment",
            "deployments",
            "disconnect",
            "export",
            "image",
            "instance_types",
            "models",
            "plan",
            "promote",
            "prove",
            "push",
        ),
        "workspace",
    ),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in ("cloud", "forms"):
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """`%load_ext bento_jupyter`: register the magics."""
    from .magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """`%unload_ext bento_jupyter`: take the magics away again."""
    from .magics import unload

    unload(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "bento-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server import BentoJupyterApp

    return [{"module": "bento_jupyter.server", "app": BentoJupyterApp}]
