"""Whose deployment it is: the notebook that deploys, as far as it can be known."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys

__all__ = ["owner"]


def owner(*, short: bool = False) -> str:
    """The notebook that this runs in; outside of one `user@host`.

    Args:
        short: As a label of Kubernetes may be: at most 63 letters, digits, `.`, `_` and `-`.
    """
    found = _notebook() or f"{_user()}@{socket.gethostname()}"
    if not short:
        return found
    return re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(found))[:63].strip("._-")


def _notebook() -> str:
    """Path or name of the notebook: VS Code, papermill and Jupyter each tell it in a way of their own."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return ""
    named = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("PAPERMILL_INPUT_PATH")
    return str(named or os.environ.get("JPY_SESSION_NAME") or "")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return str(os.getuid())
