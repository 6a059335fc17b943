"""What makes the replica program quick, beside an environment instead of in it: uvloop and httptools.

An environment is what the Bento's lock says and nothing else, so these have a folder of their own that only
`replica.py` and `forkserver.py` know, and that comes last on their path: what the lock has of them wins, and
`bentoml serve` in the same environment sees none of it. They are no part of the environment's key, either:
without them the same requests get the same answers, later.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

__all__ = ["FOLDER", "SPEEDUPS", "take_over_speedups"]

#: Folder in an environment; `replica.py` knows it, too.
FOLDER = "speedups"
#: The event loop and the parser that uvicorn takes when they are there.
SPEEDUPS = ("uvloop", "httptools")


def take_over_speedups(environment: Path) -> list[str]:
    """Give an environment of this interpreter's version what this interpreter has of them.

    No network is needed, and no space where the file system has links.

    Args:
        environment: A virtual environment with the same interpreter as this one's.

    Returns:
        The names of those that were there to be had.
    """
    taken = []
    for name in SPEEDUPS:
        spec = importlib.util.find_spec(name)
        for place in (spec and spec.submodule_search_locations) or ():
            target = environment / FOLDER / name
            shutil.copytree(place, target, copy_function=_link, dirs_exist_ok=True)
            taken.append(name)
    return taken


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
    return target
