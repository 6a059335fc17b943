"""`bento-jupyter doctor`, `%bento doctor`: is all there that the road from object to endpoint needs?"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Check", "Report", "checks"]

#: Bytes that environments and Bentos soon need.
ROOM = 2**30
PRIVATE = 0o600


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


class Report:
    """All checks, as a cell shows them."""

    def __init__(self) -> None:
        self.checks = list(checks())

    def __repr__(self) -> str:
        text: str = self._repr_mimebundle_()["text/plain"]
        return text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .display.tables import card_bundle

        failed = sum(not check.ok for check in self.checks)
        rows = [
            (check.what, f"{'✓' if check.ok else '✕'} {check.found}{'' if check.ok else f' -> {check.hint}'}")
            for check in self.checks
        ]
        badge = f"✕ {failed} to mend" if failed else "✓ everything is there"
        return card_bundle("Doctor", badge, rows, [asdict(check) for check in self.checks])


def checks() -> Iterator[Check]:
    """Look at one thing after the other."""
    from . import __version__

    yield Check("bento-jupyter", True, f"{__version__}, in {Path(__file__).parent}")
    yield Check("Python", sys.version_info >= (3, 10), platform.python_version(), "3.10 or newer is needed")
    for name in ("bentoml", "ipywidgets", "jupyterlab"):
        yield _distribution(name)
    yield _uv()
    yield _server_extension()
    yield _labextension()
    yield _home()
    yield _contexts()
    yield _cloud()


def _distribution(name: str) -> Check:
    """The installed version, against what this package asks for."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name, False, "not installed", f"pip install {name}, into {sys.prefix}")
    try:
        wanted = [Requirement(line) for line in requires("bento-jupyter") or []]
    except PackageNotFoundError:  # run from its sources
        wanted = []
    asked = next((item.specifier for item in wanted if item.name == name and not item.marker), None)
    ok = asked is None or asked.contains(found, prereleases=True)
    return Check(name, ok, found, f"pip install '{name}{asked}'")


def _uv() -> Check:
    try:
        import uv

        found = str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv") or ""
    return Check("uv", bool(found), found or "not found", "pip install uv")


def _server_extension() -> Check:
    """Whether a Jupyter server of this environment loads what feeds the sidebar."""
    import json

    from jupyter_core.paths import jupyter_config_path

    enabled = None
    for folder in map(Path, reversed(jupyter_config_path())):  # the last one that says something is right
        files = [
            *sorted((folder / "jupyter_server_config.d").glob("*.json")),
            folder / "jupyter_server_config.json",
        ]
        for file in files:
            try:
                said = json.loads(file.read_text(encoding="utf-8"))
                enabled = said["ServerApp"]["jpserver_extensions"]["bento_jupyter"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return Check(
        "sidebar, server",
        enabled is True,
        f"enabled for {sys.prefix}" if enabled else "not enabled",
        "jupyter server extension enable bento_jupyter --sys-prefix",
    )


def _labextension() -> Check:
    from jupyter_core.paths import jupyter_path

    folders = [Path(path) / "bento-jupyter" for path in jupyter_path("labextensions")]
    there = next((folder for folder in folders if (folder / "package.json").exists()), None)
    return Check(
        "sidebar",
        there is not None,
        f"in {there}" if there else "not installed",
        "pip install --force-reinstall bento-jupyter in the environment that runs JupyterLab",
    )


def _home() -> Check:
    from .display.words import size
    from .home import Home

    home = Home.default()
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    writable = os.access(folder, os.W_OK)
    free = shutil.disk_usage(folder).free
    return Check(
        "home",
        writable and free > ROOM,
        f"{home.root}, {size(free)} free" + ("" if writable else ", not writable"),
        "bento-jupyter cloud gc deletes what nobody needs; BENTO_JUPYTER_HOME names another folder",
    )


def _contexts() -> Check:
    """The `bentoml` client's context file holds tokens: nobody else may read it."""
    from .client import contexts

    path = contexts.file()
    if not path.exists():
        return Check("cloud contexts", True, "none yet")
    mode = stat.S_IMODE(path.stat().st_mode)
    names = ", ".join(contexts.names()) or "none"
    others = mode & ~PRIVATE
    found = f"{names}; {path} is readable by {'others' if others else 'you only'}"
    return Check("cloud contexts", not others, found, f"chmod 600 {path}")


def _cloud() -> Check:
    from .client import session
    from .errors import BentoJupyterError

    cloud = session.peek()
    if cloud is None:
        # A cloud that does not run is no fault: it starts when it is needed.
        return Check("cloud", True, "the embedded cloud does not run; it starts when it is needed")
    try:
        who = cloud.ping()
    except BentoJupyterError as error:
        return Check("cloud", False, error.message, error.hint)
    return Check("cloud", True, f"{cloud.name} at {cloud.endpoint}, logged in as {who}")
