"""PEP 517 backend: hatchling, with Node.js from PyPI where it is needed and there is none.

So `pip install .` needs nothing else: if the front end's bundle is not there yet and no fit Node.js is
on PATH, the build requires one from PyPI.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling import build as hatchling
from hatchling.build import build_editable, build_sdist, build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

_HERE = Path(__file__).resolve().parent
_BUNDLE = _HERE.parent / "bento_jupyter" / "labextension" / "static" / "style.js"


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    return _with_node(hatchling.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    # An editable install builds the bundle anew also where there is one.
    return _with_node(hatchling.get_requires_for_build_editable(config_settings), always=True)


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    return _with_node(hatchling.get_requires_for_build_sdist(config_settings))


def _with_node(requirements: list[str], *, always: bool = False) -> list[str]:
    if _BUNDLE.exists() and not always:
        return requirements
    # By path: `node` on sys.path could be anything.
    spec = importlib.util.spec_from_file_location("bento_jupyter_node", _HERE / "node.py")
    assert spec is not None
    assert spec.loader is not None
    node = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(node)
    return requirements if node.fits() else [*requirements, node.REQUIREMENT]
