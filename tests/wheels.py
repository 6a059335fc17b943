"""The wheel of the project, as somebody builds it who has a checkout with the bundle, and no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import uv

__all__ = ["ROOT", "build_wheel", "path_without_node"]

ROOT = Path(__file__).parents[1]


def build_wheel(folder: Path) -> Path:
    """Build the wheel in a folder; gives its file."""
    assert (ROOT / "bento_jupyter" / "labextension" / "package.json").exists(), "run `make install` first"
    done = subprocess.run(
        [uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)],
        env={**os.environ, "PATH": path_without_node(folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def path_without_node(folder: Path) -> str:
    """A PATH, which is this new folder, with a few programs and no Node."""
    folder.mkdir(parents=True)
    for name in ("git", "env", "sh"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)
