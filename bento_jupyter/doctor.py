"""`bento-jupyter doctor`: is everything there that the road from object to endpoint needs?"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Check", "checks"]


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        what: What it is.
        ok: Whether it is as it should be.
        found: What was found.
        hint: What to do when it is not.
    """

    what: str
    ok: bool
    found: str
    hint: str = ""


def checks() -> Iterator[Check]:
    """Look at one thing after the other."""
    from importlib.metadata import PackageNotFoundError, version

    yield Check("Python", sys.version_info >= (3, 10), platform.python_version(), "3.10 or newer is needed")
    for name in ("bentoml", "jupyterlab", "ipywidgets"):
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            yield Check(name, False, "not installed", "pip install bento-jupyter")
    yield _uv()
    yield _labextension()
    yield _home()
    yield _cloud()


def _uv() -> Check:
    try:
        import uv

        found = str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv") or ""
    return Check("uv", bool(found), "found" if found else "not found", "pip install uv")


def _labextension() -> Check:
    from jupyter_core.paths import jupyter_path

    folders = [Path(path) / "bento-jupyter" for path in jupyter_path("labextensions")]
    there = any((folder / "package.json").exists() for folder in folders)
    return Check(
        "sidebar",
        there,
        "installed" if there else "not installed",
        "reinstall: pip install --force-reinstall bento-jupyter",
    )


def _home() -> Check:
    import os

    from .home import Home

    home = Home.default()
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    writable = os.access(folder, os.W_OK)
    free = shutil.disk_usage(folder).free / 2**30
    return Check(
        "home",
        writable and free > 1,
        f"{home.root}, {free:.0f} GiB free",
        "set BENTO_JUPYTER_HOME to another folder",
    )


def _cloud() -> Check:
    from .client import embedded

    view = embedded.status()
    # A cloud that does not run is no fault: it starts when it is needed.
    return Check("embedded cloud", True, f"runs at {view.endpoint}" if view else "not running")
